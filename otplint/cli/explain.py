"""``otplint explain``: the page of a rule, or of what is found at one place."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import click

from otplint.api import Rule
from otplint.cli.check import analyse
from otplint.cli.flags import Flags, listed, selection_flags
from otplint.cli.proofs import as_object as proof_object
from otplint.cli.proofs import measured_markdown, measured_text, proof_of
from otplint.cli.rules import as_object
from otplint.cli.settings import catalogue, one_line_errors, settings_for
from otplint.cli.terminal import put, wants_colour, width
from otplint.engine.select import known
from otplint.findings import Finding, Report, RuleInfo
from otplint.output import render
from otplint.output.json_object import finding_object
from otplint.output.pages import rule_page, rule_text

_PLACE = re.compile(r"(.+?):(\d+)(?::(\d+))?")


@click.command(name="explain")
@click.argument("what", metavar="RULE|FILE:LINE[:COLUMN]")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How to print the page.",
)
@selection_flags
def command(
    what: str,
    style: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    extend_select: tuple[str, ...],
    config: tuple[str, ...],
    *,
    isolated: bool,
) -> None:
    """Tell why a rule matters, what it leaves alone and what to do; or explain the findings at FILE:LINE."""
    place = _PLACE.fullmatch(what)
    if place is None:
        with one_line_errors():
            rule = known(what, catalogue(), where="explain")
        _print_page(rule, style)
        return
    flags = Flags(config, isolated, listed(select), listed(ignore), listed(extend_select))
    path = Path(place[1])
    settings = settings_for([path], flags)
    report = analyse([path], settings)
    line, column = int(place[2]), int(place[3]) if place[3] else None
    found = tuple(finding for finding in report.findings if _covers(finding, line, column))
    if not found:
        raise click.ClickException(_nothing_at(what, report))
    _print_findings(replace(report, findings=found), style)


def page_object(info: RuleInfo) -> dict[str, object]:
    """A rule with its sections, for ``--format json``."""
    return {**as_object(info), "sections": dict(info.sections)}


def markdown_page(rule: type[Rule]) -> str:
    """The rule's page with what its programs showed, in Markdown."""
    return f"{rule_page(rule().info())}\n{measured_markdown(proof_of(rule))}"


def _print_page(rule: type[Rule], style: str) -> None:
    """The page, and what the rule's programs showed."""
    info, proof = rule().info(), proof_of(rule)
    if style == "json":
        measured = None if proof is None else proof_object(proof)
        put(json.dumps({**page_object(info), "measured": measured}, indent=2) + "\n")
    elif style == "markdown":
        put(markdown_page(rule))
    else:
        put(_readable(info, measured_text(proof)))


def _print_findings(report: Report, style: str) -> None:
    """The findings, then the page of each rule among them once."""
    codes = {finding.code for finding in report.findings}
    infos = [info for info in report.rules if info.code in codes]
    if style == "json":
        document = {
            "findings": [finding_object(finding) for finding in report.findings],
            "rules": [page_object(info) for info in infos],
        }
        put(json.dumps(document, indent=2) + "\n")
    elif style == "markdown":
        put("\n".join([render("markdown", report), *map(rule_page, infos)]))
    else:
        text = render("text", report, colour=wants_colour(sys.stdout), width=width())
        put("\n".join([text, *map(_readable, infos)]))


def _readable(info: RuleInfo, more: str = "") -> str:
    """The page as rich Markdown on a terminal, as plain text elsewhere; then `more`, which is plain text."""
    if not wants_colour(sys.stdout):
        return f"{rule_text(info)}\n{more}" if more else rule_text(info)
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(width=min(width(), 100), force_terminal=True)
    with console.capture() as captured:
        console.print(Markdown(rule_page(info), code_theme="ansi_dark"))
    return f"{captured.get()}\n{more}" if more else captured.get()


def _covers(finding: Finding, line: int, column: int | None) -> bool:
    """Whether the place lies in the finding's region; without a column the whole line counts."""
    span = finding.span
    if column is None:
        return span.line <= line <= span.end_line
    return (span.line, span.column) <= (line, column) < (span.end_line, span.end_column)


def _nothing_at(what: str, report: Report) -> str:
    """The error where there is nothing to explain, with the lines where there is something."""
    if report.failures:
        return f"{what}: the file could not be analysed: {report.failures[0].message}"
    lines = sorted({finding.span.line for finding in report.findings})
    where = f"findings of this file are at line {', '.join(map(str, lines))}" if lines else "this file has no findings"
    return f"nothing is found at {what}; {where}"
