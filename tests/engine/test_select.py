"""Selectors, their order of precedence, and the errors for what no rule has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from otplint.api import Confidence, Finding, Rule, Severity
from otplint.engine.select import SelectionError, build, choose, known


def make(code: str, name: str, *, preview: bool = False) -> type[Rule]:
    class Example(Rule, abstract=True):
        def check(self, actor: Any) -> Iterator[Finding]:
            return iter(())

    Example.code, Example.name, Example.preview = code, name, preview
    Example.severity, Example.confidence, Example.abstract = Severity.HIGH, Confidence.HIGH, False
    return Example


RULES = [
    make("OTP101", "monitor-never-released"),
    make("OTP105", "down-without-demonitor", preview=True),
    make("OTP201", "broad-except-in-handler"),
    make("OTP202", "swallowed-cancellation"),
    make("SHOP201", "till-left-open"),
]


def codes(rules: Sequence[type[Rule]]) -> str:
    return " ".join(rule.code for rule in rules)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({}, "OTP101 OTP201 OTP202 SHOP201"),
        ({"select": ["ALL"]}, "OTP101 OTP105 OTP201 OTP202 SHOP201"),
        ({"select": ["OTP2"]}, "OTP201 OTP202"),
        ({"select": ["otp201"]}, "OTP201"),
        ({"select": ["Broad-Except-in-handler"]}, "OTP201"),
        ({"select": ["OTP"], "ignore": ["OTP2"]}, "OTP101 OTP105"),
        ({"select": ["OTP2"], "ignore": ["OTP201"]}, "OTP202"),
        ({"ignore": ["OTP2"], "extend_select": ["OTP201"]}, "OTP101 OTP201 SHOP201"),
        ({"select": ["OTP201"], "ignore": ["broad-except-in-handler"]}, ""),
        ({"select": ["OTP201"], "ignore": ["OTP"]}, "OTP201"),
        ({"ignore": ["ALL"]}, ""),
        ({"ignore": ["ALL"], "extend_select": ["OTP1"]}, "OTP101 OTP105"),
        ({"extend_select": ["OTP105"]}, "OTP101 OTP105 OTP201 OTP202 SHOP201"),
        ({"select": []}, ""),
    ],
)
def test_what_is_chosen(choice: dict[str, list[str]], expected: str) -> None:
    assert codes(choose(RULES, **choice)) == expected  # type: ignore[arg-type]


def test_a_layer_starts_from_the_one_below() -> None:
    below = choose(RULES, select=["OTP1"], ignore=["OTP105"])
    assert codes(choose(RULES, base=below)) == "OTP101"
    assert codes(choose(RULES, base=below, extend_select=["OTP105", "SHOP"])) == "OTP101 OTP105 SHOP201"
    assert codes(choose(RULES, base=below, ignore=["OTP1"])) == ""
    assert codes(choose(RULES, base=below, select=["OTP201"])) == "OTP201"


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"select": ["OTP999"]}, "--select: unknown rule 'OTP999'"),
        ({"ignore": ["broad-except-in-handlr"]}, "--ignore: unknown rule 'broad-except-in-handlr'; did you mean br"),
        ({"extend_select": ["OTP20l"]}, "--extend-select: unknown rule 'OTP20l'; did you mean OTP20"),
        ({"select": ["O"]}, "--select: unknown rule 'O'"),
        ({"select": [""]}, "--select: unknown rule ''"),
    ],
)
def test_an_unknown_rule_is_an_error_with_the_nearest_name(choice: dict[str, list[str]], says: str) -> None:
    with pytest.raises(SelectionError) as error:
        choose(RULES, where="--", **choice)  # type: ignore[arg-type]
    assert str(error.value).startswith(says)


def test_settings_reach_the_rule_by_code_or_name() -> None:
    first, second = build(
        [RULES[3], RULES[2], RULES[0]],
        severities={"otp201": Severity.LOW, "swallowed-cancellation": Severity.CRITICAL},
        off=["monitor-never-released"],
    )
    assert (first.code, first.info().severity) == ("OTP201", Severity.LOW)
    assert (second.code, second.info().severity) == ("OTP202", Severity.CRITICAL)


def test_one_rule_by_code_or_name() -> None:
    assert known("otp201", RULES, where="explain").code == "OTP201"
    with pytest.raises(SelectionError, match="explain: unknown rule 'OTP2'"):
        known("OTP2", RULES, where="explain")
