"""What a rule's class must say about itself, and what it makes of options and places."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from otplint.api import (
    Confidence,
    Finding,
    Option,
    OptionError,
    ProjectRule,
    Rule,
    RuleDefinitionError,
    Severity,
    Span,
)

DOC = """Something is wrong here.

    Why: it matters
        and goes on.
    Harm:
        One crash
        unseen.
    Bad:
        def f():
            return 1
    Good:
        def f():
            return 2
    Limits: none.
    Report: Smell 6; found in a handler.
    """


def define(name: str | None = "bad-thing", base: Any = Rule, **changes: Any) -> Any:
    members: dict[str, Any] = {
        "__module__": "pack.some_file",
        "__doc__": DOC,
        "name": name,
        "code": "ABC123",
        "severity": Severity.HIGH,
        "confidence": Confidence.MEDIUM,
        "check": lambda self, actor: iter(()),
        **changes,
    }
    return type("Example", (base,), {key: value for key, value in members.items() if value is not None})


def test_the_docstring_becomes_the_page() -> None:
    info = define()().info()
    assert info.summary == "Something is wrong here."
    assert list(info.sections) == ["Why", "Harm", "Bad", "Good", "Limits", "Report"]
    assert info.sections["Why"] == "it matters\nand goes on."
    assert info.sections["Harm"] == "One crash\nunseen."
    assert info.sections["Bad"] == "def f():\n    return 1"
    assert info.report == "Smell 6"


def test_the_name_comes_from_the_file() -> None:
    assert define(name=None).name == "some-file"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"code": None}, "code is None"),
        ({"code": "OT1"}, "code is 'OT1'"),
        ({"severity": None}, "no severity"),
        ({"confidence": "high"}, "no confidence"),
        ({"name": "Bad"}, "name would be 'Bad'"),
        ({"check": None}, "no check()"),
        ({"proof": "surely"}, "proof is 'surely'"),
        ({"options": ("limit",)}, "must be a tuple of Option"),
        ({"__doc__": None}, "no docstring"),
        ({"__doc__": DOC.replace("here.", "here. And there.")}, "one sentence"),
        ({"__doc__": DOC.replace("here.", "here")}, "one sentence"),
        ({"__doc__": DOC.replace("Limits: none.", "")}, "lacks Limits:"),
        ({"__doc__": DOC.replace("Limits: none.", "Limits:")}, "lacks Limits:"),
        ({"__doc__": DOC.replace("return 2", "return return")}, "code under Good: does not parse"),
        ({"__doc__": DOC.replace("Harm:", "X:").replace("Why:", "Harm:").replace("X:", "Why:")}, "in the order"),
    ],
)
def test_a_class_that_says_too_little_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(RuleDefinitionError) as error:
        define(**changes)
    assert says in str(error.value)
    assert "pack.some_file.Example" in str(error.value)


def test_a_docstring_is_not_inherited() -> None:
    parent = define()
    with pytest.raises(RuleDefinitionError, match="no docstring"):
        define(base=parent, __doc__=None)


def test_a_shared_base_need_not_say_anything() -> None:
    class Base(Rule, abstract=True):
        pass

    assert Base.abstract
    assert not define(base=Base).abstract


def test_a_project_rule_needs_its_own_check() -> None:
    with pytest.raises(RuleDefinitionError, match=r"no notes\(\)"):
        define(base=ProjectRule, check=None)
    with pytest.raises(RuleDefinitionError, match=r"no check_project\(\)"):
        define(base=ProjectRule, check=None, notes=lambda self, actor: iter(()))
    rule = define(
        base=ProjectRule,
        check=None,
        notes=lambda self, actor: iter(()),
        check_project=lambda self, notes, facts: iter(()),
    )()
    assert list(rule.check(None)) == []


class Limits(Rule):
    """Too many of them.

    Why: memory.
    Harm: none left.
    Bad:
        x = 1
    Good:
        x = 2
    Limits: none.
    Report: none.
    """

    code = "ABC201"
    name = "too-many"
    severity = Severity.LOW
    confidence = Confidence.HIGH
    options: ClassVar[tuple[Option, ...]] = (
        Option("limit", 20, "How many are too many."),
        Option("share", 0.5, "Which share counts."),
        Option("names", ("a",), "Names that count."),
        Option("strict", False, "Whether to count twice."),
    )

    def check(self, actor: Any) -> Iterator[Finding]:
        function = _Function()
        node: Any = "node"
        other: Any = "other"
        yield self.finding(actor, function, node, problem="p.", related=[(function, other, "m")])


class _Function:
    name = "handle_call"

    def span(self, node: object) -> Span:
        return Span("a.py", 1, 1, 1, len(str(node)))


class _Actor:
    name = "Manager"
    framework = SimpleNamespace(name="pykka")


def test_options_have_the_type_of_their_default() -> None:
    rule = Limits({"limit": 3, "share": 1, "names": ["b", "c"], "strict": True})
    assert rule.option("limit", int) == 3
    assert rule.option("share", float) == 1.0
    assert rule.option("names", tuple) == ("b", "c")
    assert rule.option("strict", bool) is True
    assert Limits().option("limit", int) == 20


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"limt": 3}, "ABC201 too-many has no option 'limt'; did you mean 'limit'?"),
        ({"limit": True}, "option 'limit' must be a whole number, not True"),
        ({"limit": 2.5}, "must be a whole number"),
        ({"share": True}, "must be a number"),
        ({"names": "b"}, "must be a list of strings"),
        ({"names": [1]}, "must be a list of strings"),
        ({"strict": 1}, "must be true or false"),
    ],
)
def test_a_bad_option_names_the_rule_and_the_way_out(options: dict[str, object], says: str) -> None:
    with pytest.raises(OptionError) as error:
        Limits(options)
    assert says in str(error.value)


def test_an_option_is_asked_for_by_its_type() -> None:
    with pytest.raises(TypeError):
        Limits().option("limit", str)


def test_a_finding_takes_its_strings_from_the_facts() -> None:
    [finding] = Limits(severity=Severity.CRITICAL).check(_Actor())
    assert (finding.actor, finding.handler, finding.framework) == ("Manager", "handle_call", "pykka")
    assert (finding.code, finding.name) == ("ABC201", "too-many")
    assert finding.severity is Severity.CRITICAL
    assert finding.confidence is Confidence.HIGH
    assert finding.span == Span("a.py", 1, 1, 1, 4)
    assert [(place.span.end_column, place.message) for place in finding.related] == [(5, "m")]
