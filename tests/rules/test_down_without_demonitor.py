"""OTP105: DOWN handlers that must release, because the framework's notice does not end the watch."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from otplint.config import Config
from otplint.engine.packs import load_rules
from otplint.engine.run import scan
from otplint.engine.select import build, choose
from otplint.findings import Confidence
from otplint.runtime.testing import run

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "OTP105-down-without-demonitor"
RULES = [rule for rule in build(load_rules()) if rule.code in ("OTP101", "OTP105")]

HOUSE: dict[str, Any] = {
    "tokens": ["house"],
    "down": ["house.Gone"],
    "actor": [{"bases": ["house.Agent"], "handlers": ["on_message"], "attributes": {"bus": "house.Bus"}}],
    "operation": [
        {
            "role": "watch",
            "names": ["house.Bus.watch"],
            "parameters": ["peer"],
            "target": "peer",
            "delivery_releases": False,
        },
        {"role": "release", "names": ["house.Bus.unwatch"], "parameters": ["handle"], "reference": "handle"},
    ],
}
"""A framework of one's own, whose watches outlive their notices."""

AGENT = """\
from house import Agent, Gone

class Keeper(Agent):
    def __init__(self):
        self.table = dict()

    def on_message(self, message):
        if isinstance(message, Gone):
            {down}
        elif message.leaves:
            self.bus.unwatch(self.table.pop(message.peer))
        elif message.peer not in self.table:
            self.table[message.peer] = self.bus.watch(message.peer)

    def forget(self, peer):
        return self.table.pop(peer, None)
"""


def said(tmp_path: Path, text: str, **watch: object) -> list[str]:
    """The codes that are reported, with the framework above in the configuration."""
    (tmp_path / "app.py").write_text(textwrap.dedent(text), encoding="utf-8")
    operations = [{**HOUSE["operation"][0], **watch}, HOUSE["operation"][1]]
    config = Config(min_confidence=Confidence.LOW, frameworks={"house": {**HOUSE, "operation": operations}})
    report = scan([tmp_path], config, RULES, root=tmp_path, jobs=1)
    assert not report.failures
    return [finding.code for finding in report.findings]


@pytest.mark.parametrize(
    "down",
    [
        "self.table.pop(message.peer, None)",
        "del self.table[message.peer]",
        "self.forget(message.peer)",
        "print('gone'); self.forget(message.peer)",
    ],
)
def test_a_handler_that_forgets_and_does_not_release(tmp_path: Path, down: str) -> None:
    assert said(tmp_path, AGENT.format(down=down)) == ["OTP105"]


@pytest.mark.parametrize(
    "down",
    [
        "self.bus.unwatch(self.table.pop(message.peer))",
        "self.bus.unwatch(self.forget(message.peer))",
        "handle = self.forget(message.peer); self.bus.unwatch(handle)",
        "print('gone')",
    ],
)
def test_a_handler_that_releases_or_forgets_nothing(tmp_path: Path, down: str) -> None:
    assert said(tmp_path, AGENT.format(down=down)) == []


def test_silent_where_delivery_ends_the_watch(tmp_path: Path) -> None:
    assert said(tmp_path, AGENT.format(down="self.forget(message.peer)"), delivery_releases=True) == []


def test_a_watch_that_nothing_releases_is_another_rules(tmp_path: Path) -> None:
    text = AGENT.replace("self.bus.unwatch(self.table.pop(message.peer))", "pass")
    assert said(tmp_path, text.format(down="self.table.pop(message.peer)")) == ["OTP101"]


def test_it_must_be_asked_for() -> None:
    assert "OTP105" not in {rule.code for rule in choose(load_rules())}


def test_on_the_reference_runtime_it_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("otp105_good", FIXTURE / "good.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, program)  # dataclasses look their module up
    spec.loader.exec_module(program)
    assert run(program.scenario).value == {"monitors": 20, "deaths": 20, "monitors left": 0}
