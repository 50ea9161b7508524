"""For people: the code with the place underlined, what happens at run time, what to do, and the related places."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otplint.findings import Finding, Report, Severity, Span
from otplint.output.frame import FrameLine, frame
from otplint.output.plain import one_line, python_lines, visible
from otplint.output.summary import failure_lines, summary

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["failure_lines", "render", "summary"]

_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}
_NARROWEST = 40
_INDENT = 2


def render(report: Report, *, colour: bool = False, width: int = 100) -> str:
    """A block per finding with an empty line after each; empty when there is none.

    Args:
        report: what the scan says.
        colour: write ANSI escapes; for a terminal.
        width: columns; prose is wrapped and code is cut to them, paths are not.
    """
    from rich.console import Console

    # Rich asks the environment (NO_COLOR, TERM, COLUMNS) about what is not given here; the caller has decided.
    width = max(width, _NARROWEST)
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        force_jupyter=False,
        legacy_windows=False,
        soft_wrap=True,
    )
    sources = {path: python_lines(text) for path, text in report.sources.items()}
    with console.capture() as capture:
        for finding in report.findings:
            _Block(console, width, sources, finding).print()
    return capture.get()


class _Block:
    """One finding on the console, which does not wrap: with TERM=dumb it takes its width from elsewhere."""

    def __init__(self, console: Console, width: int, sources: dict[str, list[str]], finding: Finding) -> None:
        self._console = console
        self._width = width
        self._sources = sources
        self._finding = finding
        self._style = _STYLES[finding.severity]

    def print(self) -> None:
        finding = self._finding
        self._header()
        self._frame(finding.span, self._style, context=2)
        self._prose("", finding.problem)
        self._prose("at run time: ", finding.consequence)
        self._prose("what to do: ", finding.remedy)
        if finding.fix is not None:
            self._prose("fix: ", f"{finding.fix.message} ({'--fix' if finding.fix.safe else '--fix --unsafe-fixes'})")
        for related in finding.related:
            span = related.span
            self._prose("see: ", f"{visible(span.path)}:{span.line}:{span.column} {related.message}")
            self._frame(span, "blue", context=0)
        self._console.print()

    def _header(self) -> None:
        from rich.text import Text

        finding = self._finding
        span = finding.span
        header = Text.assemble(
            (finding.code, self._style),
            " ",
            (visible(finding.name), "bold"),
            "  ",
            (finding.severity.value, self._style),
            f" ({finding.confidence.value} confidence)  ",
            (f"{visible(span.path)}:{span.line}:{span.column}", "bold"),
        )
        self._console.print(header)

    def _frame(self, span: Span, style: str, context: int) -> None:
        from rich.cells import cell_len
        from rich.text import Text

        lines = self._sources.get(span.path, [])
        gutter = len(str(min(span.end_line + context, len(lines))))
        room = self._width - gutter - _INDENT - 3
        for line in frame(lines, span, width=room, cells=cell_len, context=context):
            for number, text, shown_as in _rows(line, style):
                row = Text.assemble((f"{'':{_INDENT}}{number:>{gutter}} | ", "dim"), (text, shown_as))
                row.rstrip()
                self._console.print(row)

    def _prose(self, label: str, text: str) -> None:
        from rich.text import Text

        body = one_line(text)
        if not body:
            return
        prose = Text.assemble((label, "bold"), body)
        for index, line in enumerate(prose.wrap(self._console, self._width - 2 * _INDENT, overflow="fold")):
            line.rstrip()
            self._console.print(Text(" " * (_INDENT if not index else 2 * _INDENT)) + line)


def _rows(line: FrameLine, style: str) -> Iterator[tuple[str, str, str]]:
    """The number, text and style of a line of code, and of the marks under it."""
    yield str(line.number) if line.number else "", line.text, "" if line.mark_cells else "dim"
    if line.mark_cells:
        yield "", " " * line.mark_from + "^" * line.mark_cells, style
