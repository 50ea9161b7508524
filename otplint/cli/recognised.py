"""What ``otplint config --frameworks`` prints."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Sequence

import click

from otplint import __version__
from otplint.cli.terminal import wants_colour, width
from otplint.engine.recognised import Known, Overview, Recognised, grouped

_WIDEST = 120
_EXAMPLES = 3
"""Places told of files that import a framework and hold no actor of it."""


def as_text(found: Overview, *, origin: str) -> str:
    """The overview for people: plain where it is piped, with emphasis on a terminal.

    Args:
        found: what was recognised.
        origin: the configuration file of in-house frameworks, as messages name it.
    """
    lines: list[str] = []
    for known in found.frameworks:
        lines += [*_framework(known, origin), ""]
    actors = sum(len(known.actors) for known in found.frameworks)
    files = f"{_number(found.files, 'file')} seen, {found.analysed} with actor code"
    lines.append(f"{_number(actors, 'actor')}; {files}" if actors else f"No actor was recognised; {files}.")
    return "".join(f"{line}\n" for line in lines)


def as_json(found: Overview) -> str:
    """The overview for scripts: every actor, with its place and evidence; fields are only added."""
    document = {
        "version": __version__,
        "files": found.files,
        "analysed": found.analysed,
        "frameworks": [
            {
                "name": known.name,
                "own": known.own,
                "documentation": known.documentation or None,
                "actors": [_object(each) for each in known.actors],
                "supervisors": [_object(each) for each in known.supervisors],
                "imported_without_actor": [{"path": p.path, "line": p.line} for p in known.imported],
                "unknown_names": list(known.unknown),
            }
            for known in found.frameworks
        ],
        "errors": [{"path": f.path, "line": f.line, "message": f.message} for f in found.failures],
    }
    return json.dumps(document, indent=2) + "\n"


def _object(each: Recognised) -> dict[str, object]:
    return {
        "name": each.name,
        "path": each.path,
        "line": each.line,
        "evidence": each.evidence,
        "through": list(each.through),
    }


def _framework(known: Known, origin: str) -> Iterator[str]:
    counts = [_number(len(known.actors), "actor")] if known.actors or not known.supervisors else []
    counts += [_number(len(known.supervisors), "place", "that sets supervision up")] if known.supervisors else []
    yield f"{_bold(known.name)}: {', '.join(counts)}"
    source = f"[tool.otplint.frameworks.{known.name}] of {origin}" if known.own else f"shipped with {__version__}"
    yield from _wrapped(f"data: {source}" + (f", {known.documentation}" if known.documentation else ""))
    for evidence, group in grouped(known.actors).items():
        yield from _group(evidence, group)
    for evidence, group in grouped(known.supervisors).items():
        yield from _group(evidence, group)
    if known.imported:
        places = [f"{place.path}:{place.line}" for place in known.imported[:_EXAMPLES]]
        more = len(known.imported) - len(places)
        yield from _wrapped(
            f"imported by {_number(len(known.imported), 'file')} without an actor of it: {', '.join(places)}"
            + (f" and {more} more" if more else "")
        )
    for unknown in known.unknown:
        yield from _wrapped(f"not understood: {unknown}")
    if known.own and not known.actors and not known.unknown:
        yield from _wrapped("nothing in the project derives from its bases or carries its decorators")


def _group(evidence: str, group: Sequence[Recognised]) -> Iterator[str]:
    first = group[0]
    yield from _wrapped(f"{len(group):>4}  {evidence}", 4, 10)
    through = f", through {' and '.join(first.through)}" if first.through else ""
    yield from _wrapped(f"{'e.g. ' if len(group) > 1 else ''}{first.path}:{first.line} {first.name}{through}", 10, 12)


def _wrapped(text: str, indent: int = 4, further: int = 8) -> list[str]:
    if not wants_colour(sys.stdout):
        return [" " * indent + text]
    return textwrap.wrap(
        text,
        min(max(width(), 40), _WIDEST),
        initial_indent=" " * indent,
        subsequent_indent=" " * further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _number(count: int, noun: str, rest: str = "") -> str:
    plural = noun if count == 1 else f"{noun}s"
    if rest and count != 1:
        rest = rest.replace("that sets", "that set", 1)
    return f"{count} {plural} {rest}".rstrip()


def _bold(text: str) -> str:
    return click.style(text, bold=True) if wants_colour(sys.stdout) else text
