"""``otplint rules``: the catalogue."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click

from otplint.cli.settings import catalogue
from otplint.cli.terminal import put, wants_colour, width
from otplint.findings import RuleInfo


@click.command(name="rules")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print the list.",
)
def command(style: str) -> None:
    """List every rule of every installed pack."""
    infos = [rule().info() for rule in catalogue()]
    if style == "json":
        put(json.dumps([as_object(info) for info in infos], indent=2) + "\n")
    elif style == "markdown":
        put(markdown_table(infos))
    elif wants_colour(sys.stdout):
        put(_rich_table(infos))
    else:
        put("".join(f"{_line(info)}\n" for info in infos))


def as_object(info: RuleInfo) -> dict[str, object]:
    """One rule as scripts read it: the contract of ``--format json``; fields are only added."""
    return {
        "code": info.code,
        "name": info.name,
        "severity": info.severity.value,
        "confidence": info.confidence.value,
        "preview": info.preview,
        "summary": info.summary,
        "report": info.report,
        "options": [{"name": option.name, "default": option.default, "help": option.help} for option in info.options],
        "proof": info.proof,
        "pack": info.pack,
        "fix": info.fix or None,
        "frameworks": list(info.frameworks),
    }


def markdown_table(infos: Sequence[RuleInfo]) -> str:
    """The table of the README: the same text as the rules' docstrings."""
    rows = ["| code | name | severity | what it finds |", "|---|---|---|---|"]
    for info in infos:
        severity = f"{info.severity.value}, preview" if info.preview else info.severity.value
        rows.append(f"| {info.code} | {info.name} | {severity} | {_cell(info.summary)} |")
    return "\n".join(rows) + "\n"


def _line(info: RuleInfo) -> str:
    preview = " (preview)" if info.preview else ""
    return f"{info.code}  {info.name:<28}  {info.severity.value:<8}  {info.summary}{preview}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _rich_table(infos: Sequence[RuleInfo]) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("code", "name", "severity", "what it finds"):
        table.add_column(heading, no_wrap=heading != "what it finds")
    styles = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}
    for info in infos:
        severity = info.severity.value
        summary = f"{info.summary} (preview)" if info.preview else info.summary
        table.add_row(f"[bold]{info.code}[/]", info.name, f"[{styles[severity]}]{severity}[/]", _plain(summary))
    console = Console(width=width(), force_terminal=True)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
