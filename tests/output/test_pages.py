from __future__ import annotations

import dataclasses

import pytest

from otplint.findings import Confidence, Option, RuleInfo, Severity
from otplint.output.pages import page_name, page_url, rule_page, rule_text, summary_of

BARE = RuleInfo("OTP301", "magic-threshold", Severity.MEDIUM, Confidence.LOW, "A literal decides behaviour.")


def with_sections(**sections: str) -> RuleInfo:
    return dataclasses.replace(BARE, sections=sections)


def test_sections_come_in_the_order_of_a_page_and_a_packs_own_come_last() -> None:
    page = rule_page(with_sections(Notes="x", Limits="x", Good="y = 1", Why="x", Bad="y = 2"))
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert headings == ["Why", "Bad", "Good", "What it leaves alone", "Notes", "To accept one place"]
    assert page.startswith("# magic-threshold (OTP301)\n\nA literal decides behaviour.\n")


def test_examples_are_code_and_cannot_close_their_block() -> None:
    page = rule_page(with_sections(Bad='"""\n```\n"""', Good="x = 1"))
    assert '````python\n"""\n```\n"""\n````\n' in page
    assert "```python\nx = 1\n```\n" in page


def test_empty_sections_are_left_out() -> None:
    assert "## Why" not in rule_page(with_sections(Why="  \n"))


def test_double_backticks_become_markdowns_single_ones() -> None:
    info = with_sections(Why="Call ``demonitor`` or `stop`.", Bad="x = '``a``'")
    assert "Call `demonitor` or `stop`." in rule_page(info)
    assert "x = '``a``'" in rule_page(info)
    assert "Call demonitor or stop." in rule_text(info)


@pytest.mark.parametrize(
    ("default", "shown"),
    [(True, "true"), (3, "3"), (0.5, "0.5"), ('a"b', '"a\\"b"'), (("a", "b"), '["a", "b"]'), ((), "[]")],
)
def test_option_defaults_are_shown_as_the_configuration_writes_them(
    default: bool | float | str | tuple[str, ...], shown: str
) -> None:
    info = dataclasses.replace(BARE, options=(Option("limit", default, "At most a | b."),))
    assert f"| `limit` | `{shown}` | At most a \\| b. |" in rule_page(info)
    assert f"    limit = {shown}  At most a | b." in rule_text(info)


def test_a_page_says_what_one_must_know_before_using_the_rule() -> None:
    assert "**Severity:** medium. **Confidence:** low." in rule_page(BARE)
    assert "Preview" not in rule_page(BARE)
    assert "**Preview:** off unless it is selected." in rule_page(dataclasses.replace(BARE, preview=True))
    assert "**Pack:** acme." in rule_page(dataclasses.replace(BARE, pack="acme"))
    assert "otplint prove OTP301" in rule_page(dataclasses.replace(BARE, proof="analogue"))
    assert "# otplint: ignore[OTP301]" in rule_page(BARE)


def test_the_text_page_holds_no_markup() -> None:
    text = rule_text(with_sections(Why="See `x`.", Bad="x = 1"))
    assert not {"`", "#", "*"} & set(text.partition("To accept")[0])
    assert "Bad:\n    x = 1\n" in text


def test_addresses_of_pages_are_versioned_and_only_for_our_own_rules() -> None:
    assert page_name(BARE) == "OTP301-magic-threshold.md"
    assert page_url(BARE, "1.2.0").endswith("/v1.2.0/docs/rules/OTP301-magic-threshold.md")
    assert page_url(dataclasses.replace(BARE, pack="acme"), "1.2.0") == ""


def test_without_docstrings_the_name_is_the_summary() -> None:
    assert summary_of(dataclasses.replace(BARE, summary="")) == "Magic threshold."
