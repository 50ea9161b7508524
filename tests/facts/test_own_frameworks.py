"""In-house frameworks in the configuration: the documented ten lines work, and each mistake is one clear line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from otplint.facts.frameworks import FrameworkError, shipped, with_users
from otplint.facts.frameworks.checks import check

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "frameworks.md").read_text(encoding="utf-8")
HOUSE = {
    "house/__init__.py": "from .bus import Agent\n",
    "house/bus.py": (
        "class Bus:\n"
        "    def ask(self, peer, message, timeout=None): ...\n"
        "class Agent:\n"
        "    def __init__(self, bus):\n"
        "        self.bus = bus\n"
    ),
    "house/mail/__init__.py": "",
    "house/mail/sender.py": (
        "from .. import Agent as _Agent\n"
        "class Sender(_Agent):\n"
        "    def on_mail(self, mail):\n"
        "        try:\n"
        "            self.sent = mail.deliver()\n"
        "        except Exception:\n"
        "            pass\n"
        "    def on_ping(self, peer):\n"
        "        self.answer = self.bus.ask(peer, 'ping')\n"
        "    def on_pong(self, peer):\n"
        "        self.answer = self.bus.ask(peer, 'pong', self.patience)\n"
    ),
}


def ten_lines() -> str:
    found = re.search(r"<!-- ten lines -->\n```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for name, text in HOUSE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_documented_ten_lines_find_the_flaws(otplint: Any, house: Path) -> None:
    assert len(ten_lines().splitlines()) == 10
    assert json.loads(otplint(["check", "--format", "json", "--exit-zero"]).out)["findings"] == []
    (house / "pyproject.toml").write_text(ten_lines())
    answer = otplint(["check", "--format", "json"])
    assert answer.status == 1
    findings = json.loads(answer.out)["findings"]
    assert [(f["code"], f["path"], f["line"], f["framework"]) for f in findings] == [
        ("OTP201", "house/mail/sender.py", 6, "house"),
        ("OTP407", "house/mail/sender.py", 9, "house"),
    ]
    told = otplint(["config", "--frameworks"]).out
    assert "house: 2 actors" in told
    assert "house/mail/sender.py:2 house.mail.sender.Sender" in told


def test_decorators_of_the_house_are_found_in_its_own_package(otplint: Any, house: Path) -> None:
    (house / "house" / "deco.py").write_text("def agent(cls):\n    return cls\n")
    text = HOUSE["house/mail/sender.py"].replace("from .. import Agent as _Agent", "from ..deco import agent")
    (house / "house" / "mail" / "sender.py").write_text(text.replace("class Sender(_Agent)", "@agent\nclass Sender"))
    (house / "otplint.toml").write_text("[[frameworks.h.actor]]\ndecorators=['house.deco.agent']\nhandlers=['on_*']\n")
    found = json.loads(otplint(["check", "--format", "json", "--select", "OTP201"]).out)["findings"]
    assert [(f["path"], f["framework"]) for f in found] == [("house/mail/sender.py", "h")]


ACTOR = "[[frameworks.h.actor]]\nbases = ['h.A']\n"
CALL = "[[frameworks.h.operation]]\nrole = 'call'\nnames = ['h.ask']\n"
# What the configuration says, and the message behind "frameworks.h".
MISTAKES = {
    "unknown key": ("[frameworks.h]\nactorz = []\n", ": unknown key 'actorz', did you mean 'actor'?"),
    "inner name": ("[frameworks.h]\nactors = ['x']\n", ": unknown key 'actors', did you mean 'actor'?"),
    "unknown key of an actor": (ACTOR + "handler = ['x']\n", ".actor: unknown key 'handler', did you mean 'handlers'?"),
    "which actor": (ACTOR + ACTOR + "base = ['x']\n", ".actor 2: unknown key 'base', did you mean 'bases'?"),
    "string for a list": ("[[frameworks.h.actor]]\nbases = 'h.A'\n", ".actor.bases: a list of strings is expected"),
    "list for a flag": (ACTOR + "public_methods = ['x']\n", ".actor.public_methods: a boolean is expected"),
    "string for a table": (ACTOR + "attributes = 'x'\n", ".actor.attributes: a table is expected"),
    "string for an actor": ("[frameworks.h]\nactor = 'h.A'\n", ": 'actor' must be a table or a list of tables"),
    "no dots": (
        "[[frameworks.h.actor]]\nbases = ['Agent']\n",
        ".actor.bases: 'Agent' is no dotted name; write where it is imported from, 'package.Agent'",
    ),
    "no name": (
        "[[frameworks.h.actor]]\nbases = ['h:Agent']\n",
        ".actor.bases: 'h:Agent' is no dotted name such as 'package.module.Name'",
    ),
    "type of an attribute": (
        ACTOR + "attributes = { bus = 'h Bus' }\n",
        ".actor.attributes.bus: a type's dotted name is expected",
    ),
    "handler": (
        ACTOR + "handlers = ['on_x()']\n",
        ".actor.handlers: 'on_x()' is no function's name; write it as after 'def'",
    ),
    "no bases": (
        "[[frameworks.h.actor]]\nhandlers = ['x']\n",
        ".actor: no class is one by this; add bases or decorators",
    ),
    "failure": (
        ACTOR + "on_failure = ['restarts']\n",
        ".actor: on_failure 'restarts' is not known, did you mean 'restart'?",
    ),
    "scheduler": (
        ACTOR + "scheduler = 'threads'\n",
        ".actor: scheduler 'threads' is not known, did you mean 'thread'?",
    ),
    "mark": (
        "[frameworks.h]\ndown_made = ['h.GONE']\n" + ACTOR,
        ".down_made: 'h.GONE' is no call of a word; write package.function(WORD)",
    ),
    "unanswered": (ACTOR + "unanswered = ['h.on']\n", ".actor.unanswered: 'h.on' is not among handler_decorators"),
    "role": (CALL.replace("'call'", "'calls'"), ".operation: role 'calls' is not known, did you mean 'call'?"),
    "no role": ("[[frameworks.h.operation]]\nnames = ['h.ask']\n", ".operation: role is missing"),
    "no names": (
        "[[frameworks.h.operation]]\nrole = 'call'\n",
        ".operation: names no function; add names = ['package.function']",
    ),
    "parameter": (CALL + "timeout = 'time out'\n", ".operation.timeout: 'time out' is no parameter's name"),
    "watch alone": (
        ACTOR + CALL.replace("'call'", "'watch'"),
        ": 'h.ask' watches and nothing releases it; add an operation of role 'release'",
    ),
    "release alone": (
        CALL.replace("'call'", "'release'"),
        ": an operation releases and none watches; add one of role 'watch'",
    ),
    "nothing": (
        "[frameworks.h]\ntokens = ['h']\n",
        ": says nothing; add [[actor]] with bases or decorators, or [[operation]]",
    ),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_line_with_the_way_out(text: str, message: str, otplint: Any, tmp_path: Path) -> None:
    (tmp_path / "otplint.toml").write_text(text)
    answer = otplint(["check"])
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == f"otplint: error: otplint.toml: frameworks.h{message}\n"


def test_a_mistake_on_the_command_line_says_so(otplint: Any) -> None:
    answer = otplint(["check", "--config", "frameworks.h.actor={bases=['h']}"])
    assert answer.status == 2
    assert answer.err.startswith("otplint: error: --config: frameworks.h.actor.bases: 'h' is no dotted name")


def test_a_watch_that_is_undone_by_its_result_needs_no_release() -> None:
    watch = {"role": "watch", "names": ["h.Bus.watch"], "undone_by": ["close"]}
    [house] = [f for f in with_users({"h": {"operation": watch}}) if f.name == "h"]
    assert house.operations[0].undone_by == ("close",)


def test_messages_by_any_name_are_names() -> None:
    with_users({"h": {"operation": [{"role": "call", "names": ["h.Ref.*", "h.Ref.*.ask"]}]}})
    with pytest.raises(FrameworkError, match=r"no dotted name"):
        with_users({"h": {"operation": [{"role": "call", "names": ["h.*.*"]}]}})


@pytest.mark.parametrize("framework", [f for f in shipped() if f.name != "otpylib"], ids=lambda f: f.name)
def test_what_is_shipped_keeps_the_same_rules(framework: Any) -> None:
    check(framework, framework.name)
