"""The files of a new rule, which hold to the house rules as they are: every part is there to be replaced.

The rule reports calls of a function with the rule's own name, which its bad program calls and its good one does not:
no other rule finds anything in either, and the proof shows a harm that the call makes.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NewRule:
    """What the files are made of."""

    code: str
    """``OTP606``."""
    name: str
    """``lock-held-across-call``."""

    @property
    def folder(self) -> str:
        """Where its programs are, inside of the fixtures."""
        return f"{self.code}-{self.name}"

    @property
    def snake(self) -> str:
        """Its module: ``lock_held_across_call``."""
        return self.name.replace("-", "_")

    @property
    def camel(self) -> str:
        """Its class: ``LockHeldAcrossCall``."""
        return "".join(part.capitalize() for part in self.name.split("-"))

    def filled(self, text: str) -> str:
        """A template with the rule's names."""
        for mark, value in (("CODE", self.code), ("SNAKE", self.snake), ("CAMEL", self.camel), ("NAME", self.name)):
            text = text.replace(f"@{mark}@", value)
        return text


def is_package(name: str) -> bool:
    """Whether a pack's module may have this name."""
    return name.isidentifier() and not keyword.iskeyword(name)


def programs(rule: NewRule) -> dict[str, str]:
    """``bad.py``, ``good.py`` and ``proof.py``, by name."""
    bad = rule.filled(_BAD)
    call = rule.filled("        @SNAKE@(self)\n")
    good = bad.replace(call, "").replace(rule.filled(_BAD_HEAD), rule.filled(_GOOD_HEAD))
    return {"bad.py": bad, "good.py": good, "proof.py": rule.filled(_PROOF)}


def rule_file(rule: NewRule) -> str:
    """The rule itself."""
    return rule.filled(_RULE)


def test_file(rule: NewRule) -> str:
    """Its edge cases, in a checkout of otplint."""
    return rule.filled(_TEST)


def pack_files(distribution: str, package: str, version: str) -> dict[str, str]:
    """The files of an empty pack, by path: what is not the rule's own."""
    values = {"@DIST@": distribution, "@PACKAGE@": package, "@VERSION@": version}
    found = {"pyproject.toml": _PYPROJECT, f"{package}/__init__.py": _PACKAGE, "tests/test_rules.py": _PACK_TEST}
    for mark, value in values.items():
        found = {path: text.replace(mark, value) for path, text in found.items()}
    return found


def with_change(changelog: str, rule: NewRule) -> str:
    """A changelog with a line on the rule, in its part on what is not released yet."""
    line = f"* {rule.code} {rule.name} (preview): replace this by what it finds.\n"
    head, mark, rest = changelog.partition("## Unreleased\n")
    if not mark:
        before, first, after = changelog.partition("\n## ")
        return f"{before}\n## Unreleased\n\n{line}{first}{after}"
    part, end, after = rest.partition("\n## ")
    return f"{head}{mark}{part.rstrip()}\n{line}{end}{after}" if part.strip() else f"{head}{mark}\n{line}{end}{after}"


_RULE = '''\
"""@CODE@ @NAME@."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Finding, Rule, Severity

_CULPRIT = "@SNAKE@"
"""Stands for the bad pattern until you replace it by a question to the facts."""


class @CAMEL@(Rule):
    """An actor calls `@SNAKE@`: replace this by one sentence that names the bad pattern.

    Why:
        Replace this by what the reader should know, in plain words.
    Harm:
        Replace this by what the reference runtime shows, as a number.
    Bad:
        from otplint.runtime import Server

        from elsewhere import @SNAKE@


        class Till(Server):
            async def handle_call(self, req, frm):
                @SNAKE@(self)
                return "sold"
    Good:
        from otplint.runtime import Server


        class Till(Server):
            async def handle_call(self, req, frm):
                return "sold"
    Limits:
        Replace this by what the rule deliberately does not see.
    Report:
        None.
    """

    code = "@CODE@"
    severity = Severity.MEDIUM
    confidence = Confidence.MEDIUM
    preview = True
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """The calls in all functions of the actor."""
        for method in actor.methods:
            for call in method.calls:
                if method.qualname(call.func).rpartition(".")[2] == _CULPRIT:
                    yield self.finding(
                        actor,
                        method,
                        call,
                        problem=f"{actor.name}.{method.name} calls {_CULPRIT}.",
                        consequence="Replace this by what happens at run time.",
                        remedy="Replace this by what to do.",
                    )
'''

_BAD_HEAD = '"""A till that calls `@SNAKE@`: replace this by a small program that does the harm."""'
_GOOD_HEAD = '"""A till that does not call `@SNAKE@`: replace this by the same program without the harm."""'

_BAD = (
    _BAD_HEAD
    + '''

from otplint.runtime import Call, From, Server, System


class Sell(Call[str]):
    """A request."""


def @SNAKE@(till: "Till") -> None:
    """What does the harm."""
    till.harms += 1


class Till(Server):
    def __init__(self) -> None:
        self.sold = 0
        self.harms = 0

    async def handle_call(self, req: object, frm: From) -> str:
        self.sold += 1
        @SNAKE@(self)
        return "sold"


async def scenario(system: System) -> dict[str, object]:
    till = Till()
    pid = system.spawn(lambda: till)
    for _ in range(3):
        await system.call(pid, Sell())
    return {"sold": till.sold, "harms": till.harms}
'''
)

_PROOF = '''\
"""What the programs of @CODE@ must show."""

CLAIM = "Replace this by the harm in one sentence."
REPAIR = "None"


def harm(observed):
    """Harm was done."""
    return observed["harms"] > 0


def works(observed):
    """All was sold."""
    return observed["sold"] == 3
'''

_TEST = '''\
"""@CODE@: what looks like it and is none, and what it finds."""

from __future__ import annotations

from collections.abc import Callable

from otplint.findings import Finding

Scan = Callable[..., list[Finding]]

HEAD = """
from otplint.runtime import Server
from elsewhere import @SNAKE@
"""


def test_a_call_outside_of_an_actor_is_none(scan: Scan) -> None:
    assert not scan(f"{HEAD}\\n@SNAKE@(None)\\n", "@CODE@")


def test_a_call_in_a_helper_of_the_actor_is_one(scan: Scan) -> None:
    text = """
class Till(Server):
    async def handle_call(self, req, frm):
        return self.sell()

    def sell(self):
        @SNAKE@(self)
"""
    [found] = scan(HEAD + text, "@CODE@")
    assert (found.actor, found.handler, found.span.line) == ("Till", "sell", 10)
'''

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "@DIST@"
version = "0.1.0"
description = "Rules for otplint"
requires-python = ">=3.10"
dependencies = ["otplint>=@VERSION@"]

[project.optional-dependencies]
test = ["pytest>=8"]

[project.entry-points."otplint.rules"]
@DIST@ = "@PACKAGE@"

[tool.setuptools]
packages = ["@PACKAGE@"]

[tool.setuptools.package-data]
"@PACKAGE@" = ["fixtures/**/*"]

[tool.pytest.ini_options]
pythonpath = ["."]
"""

_PACKAGE = '''\
"""Rules for otplint: one file for each."""

API_VERSION = 1
'''

_PACK_TEST = '''\
"""What every rule owes; `pytest --snapshot-update` (pytest-snapshot), or UPDATE=1, writes the snapshots anew."""

import os

import pytest
from otplint.testkit import Check, checks


@pytest.mark.parametrize("check", checks("@PACKAGE@"), ids=str)
def test_rule(check: Check, request: pytest.FixtureRequest) -> None:
    check(update=bool(os.environ.get("UPDATE")) or request.config.getoption("--snapshot-update", False))
'''
