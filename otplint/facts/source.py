"""One file of a scan: its index, its text, and the regions of it that were parsed."""

from __future__ import annotations

import bisect
import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TypeVar, cast

from otplint.facts.index.entries import ModuleIndex, Unparsable
from otplint.facts.index.project import Project
from otplint.facts.syntax import code
from otplint.facts.syntax.parse import Regions, parse, parse_indented
from otplint.facts.written import Written
from otplint.findings import Span
from otplint.sources.positions import LineTable
from otplint.sources.triage import words_of

_Answer = TypeVar("_Answer")


class Source:
    """Text and names of one file; regions are parsed when first asked for."""

    def __init__(self, index: ModuleIndex, text: str, project: Project, kept: Regions) -> None:
        self.index = index
        self.text = text
        self.project = project
        self._kept = kept
        self.weight = len(text) // 16
        """Characters that are parsed, and something for what is not."""
        self.lines = LineTable(text)
        self._regions: dict[int, code.Block] = {}
        self._names: dict[str, str] = {}
        self._answers: dict[tuple[object, ...], object] = {}
        self._written: dict[int, Written] = {}
        self._header_places: dict[int, _Headers] = {}

    def remembered(self, question: Callable[..., _Answer], *given: str) -> _Answer:
        """The answer of ``question(self, *given)``, worked out once; it may hang on this file alone."""
        key = (question, *given)
        if key not in self._answers:
            self._answers[key] = question(self, *given)
        return cast("_Answer", self._answers[key])

    def holds(self, names: Iterable[str]) -> bool:
        """Whether the text holds one of some identifiers as a whole word."""
        return any(name.encode("utf-8", "surrogatepass") in self.words for name in names)

    @cached_property
    def words(self) -> frozenset[bytes]:
        """The identifiers, keywords and numbers of the text, comments and strings included, in UTF-8."""
        return words_of(self.text.encode("utf-8", "surrogatepass"))

    @property
    def path(self) -> str:
        """Relative to the project root, POSIX separators."""
        return self.index.path

    def region(self, start: int, end: int) -> code.Block:
        """The statements between two offsets, which are those of whole statements.

        :raises Unparsable: where LibCST does not know the syntax.
        """
        found = self._regions.get(start)
        if found is None:
            line, column = self.lines.position(start)
            begin = start - column + 1
            indent = self.text[begin:start]
            if indent and not indent.strip(" \t\f"):
                found = parse_indented(self.text[begin:end], begin, line, self._kept)
            else:
                found = parse(self.text[start:end], start, line, self._kept)
            self._regions[start] = found
            self.weight += end - start
        return found

    def written(self, function: code.Function, outer: Written | None) -> Written:
        """What is written in a function of this file, read once; bodies of modules and classes are not kept."""
        found = self._written.get(id(function))
        if found is None:
            package = self.index.module if self.index.is_package else self.index.module.rpartition(".")[0]
            found = Written(function, package, outer)
            if function.name.isidentifier():
                self._written[id(function)] = found
        return found

    def resolve(self, dotted: str) -> str:
        """The qualified name of a name written at module level."""
        found = self._names.get(dotted)
        if found is None:
            found = self._names[dotted] = self.project.resolve(self.index.module, dotted)
        else:
            self.project.note("resolve", self.index.module, dotted, answer=found)
        return found

    def span(self, node: code.Node) -> Span:
        """The place of a node of this file."""
        line, column = self.lines.position(node.start)
        end_line, end_column = self.lines.position(node.end)
        return Span(self.path, line, column, end_line, end_column)

    def header_lines(self, span: Span) -> tuple[int, int]:
        """First and last line of the header of the innermost statement around a place, from 1.

        The header of a compound statement ends where its block begins; that of a function starts at its decorators.
        """
        offset = self.lines.offset(span.line, span.column)
        self._parse_around(offset)
        best = (span.line, span.end_line)
        for begin in self._regions:
            found = self._headers_of(begin).innermost(offset)
            if found is not None:
                first, last = (self.lines.position(place)[0] for place in found)
                best = (min(first, span.line), max(last, span.end_line))
        return best

    def _parse_around(self, offset: int) -> None:
        """Parse the outermost class, function or statement around a place, if nobody has done so."""
        index = self.index
        spans = [(e.start, e.end) for e in index.classes] + [(e.start, e.end) for e in index.functions]
        spans += [(e.start, e.end) for e in index.constants] + [*index.statements]
        around = [(start, end) for start, end in spans if start <= offset < end]
        if around:
            with contextlib.suppress(Unparsable):
                self.region(*min(around))

    def _headers_of(self, begin: int) -> _Headers:
        found = self._header_places.get(begin)
        if found is None:
            found = self._header_places[begin] = _Headers(_headers(self._regions[begin]))
        return found


class _Headers:
    """The headers of one region, to be asked for the innermost around a place."""

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        self._places = sorted(places, key=lambda place: place[0])
        self._starts = [start for start, _ in self._places]
        self._reach = [*itertools.accumulate((end for _, end in self._places), max)]
        """How far the headers up to each one reach: the search backwards may end there."""

    def innermost(self, offset: int) -> tuple[int, int] | None:
        at = bisect.bisect_right(self._starts, offset) - 1
        while at >= 0 and self._reach[at] >= offset:
            if self._places[at][1] >= offset:
                return self._places[at]
            at -= 1
        return None


def _headers(block: code.Block) -> Iterator[tuple[int, int]]:
    """Start and end offsets of every statement's header, outer ones first."""
    for stmt in code.statements(block, nested=True):
        match stmt:
            case code.Function() | code.Class():
                inside = [e.end for e in code.expressions(stmt)]
                begin = min([stmt.start, *[d.start for d in stmt.decorators]])
                yield begin, max([stmt.end, *inside])
            case code.Try():
                for handler in stmt.handlers:
                    yield handler.start, handler.end
            case code.Match():
                yield stmt.start, stmt.subject.end
                for case in stmt.cases:
                    yield case.start, case.end
            case code.If() | code.While() | code.For() | code.With():
                yield stmt.start, max([stmt.start, *[e.end for e in code.expressions(stmt)]])
            case _:
                yield stmt.start, stmt.end
