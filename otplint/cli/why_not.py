"""``otplint why-not``: which rules looked at a line, and what silenced each."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from otplint import __version__
from otplint.cli import FAILED, OK
from otplint.cli.flags import Flags, listed, selection_flags
from otplint.cli.settings import one_line_errors, settings_for, unselected
from otplint.cli.terminal import put, say, width
from otplint.engine.whereabouts import Owner
from otplint.engine.why_not import PlaceError, Told, WhyNot, why_not
from otplint.output.json_object import finding_object

_PLACE = re.compile(r"(.+?):(\d+)(?::\d+)?")
_WIDEST = 120
_FEW = 4
"""Names of many that are shown."""


@click.command(name="why-not")
@click.argument("place", metavar="FILE:LINE")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@selection_flags
@click.option("--min-confidence", type=click.Choice(["high", "medium", "low"]), help="What a scan would report.")
@click.option("-a", "--all", "every", is_flag=True, help="List also the rules that have nothing to say.")
def command(
    place: str,
    style: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    extend_select: tuple[str, ...],
    config: tuple[str, ...],
    min_confidence: str | None,
    *,
    isolated: bool,
    every: bool,
) -> int:
    """Tell which rules looked at FILE:LINE and why each of them is silent, as in a scan of the whole project."""
    found = _PLACE.fullmatch(place)
    if found is None:
        raise click.UsageError(f"{place!r} is no FILE:LINE; write app.py:12")
    path = Path(found[1])
    if not path.is_file():
        raise click.ClickException(f"no such file: {path}")
    flags = Flags(config, isolated, listed(select), listed(ignore), listed(extend_select), min_confidence)
    settings = settings_for([path], flags)
    with one_line_errors():
        try:
            answer = why_not(
                path, int(found[2]), settings.config, settings.rules, unselected(settings), root=settings.root
            )
        except PlaceError as error:
            raise click.ClickException(str(error)) from error
    if style == "json":
        put(json.dumps(_document(answer), indent=2) + "\n")
    else:
        put("\n".join(_lines(answer, every=every)) + "\n")
    for failure in answer.failures:
        say(f"otplint: error: {failure}")
    return FAILED if answer.failures else OK


# -- text


def _lines(answer: WhyNot, *, every: bool) -> Iterator[str]:
    yield f"{answer.path}:{answer.line}: {answer.text}" if answer.text else f"{answer.path}:{answer.line}"
    here = [owner for owner in answer.owners if owner.path == answer.path] or [*answer.owners[:1]]
    for owner in here:
        yield from _wrapped(_whose(owner, answer.path))
    if others := [owner.name for owner in answer.owners if owner not in here]:
        yield from _wrapped(f"It runs in {_some(others)} as well.")
    if answer.outside:
        yield from _wrapped(answer.outside)
    said = [told for told in answer.told if told.verdict not in ("nothing", "other")]
    for told in said:
        yield ""
        yield f"{told.rule.code} {told.rule.name}"
        for sentence in _sentences(told):
            yield from _wrapped(sentence, "    ")
    if answer.told:
        yield ""
    if answer.unknown and not said:
        yield from _wrapped(f"No framework's data know what {_some(answer.unknown)} does.")
    if answer.nearby and not said:
        near = "; ".join(f"line {line} ({', '.join(codes)})" for line, codes in answer.nearby)
        yield from _wrapped(f"In the same function rules looked at {near}.")
    yield from _rest(answer, every=every, alone=not said)


def _whose(owner: Owner, path: str) -> str:
    """``in Manager.handle_call, a handler of the actor Manager (pykka; derives from pykka.ThreadingActor)``."""
    file = "" if owner.path == path else f" of {owner.path}"
    if not owner.is_actor:
        what = f"{owner.name}{file} is no actor, but {owner.evidence}: rules about supervision look"
    else:
        framework = "" if owner.framework == "python" else f"{owner.framework}; "
        whole = f"the actor {owner.name}{file} ({framework}it {owner.evidence})"
        what = f"{owner.role} of {whole}" if owner.role.startswith("a ") else f"{owner.role}; {whole}"
        what = what if owner.role else whole
    where = f"In {owner.function}, " if owner.function else "In "
    where = where if owner.is_actor or owner.function else ""
    idle = "" if owner.at_work else " It does not run while messages are handled, as far as can be seen."
    tests = " This is a test file." if owner.in_test_file else ""
    return f"{where}{what}.{idle}{tests}"


def _some(names: Sequence[str]) -> str:
    shown = list(dict.fromkeys(names))
    return ", ".join(shown) if len(shown) <= _FEW else f"{', '.join(shown[:_FEW])} and {len(shown) - _FEW} more"


def _sentences(told: Told) -> Iterator[str]:
    finding = told.finding
    if finding is not None and told.verdict == "elsewhere":
        place = f"{finding.span.path}:{finding.span.line}"
        hidden = "; ".join(told.reasons[1:])
        yield f"speaks of {place}, and this line is part of the story: {told.reasons[0]}{hidden and f' ({hidden})'}"
    elif finding is not None:
        how = f"{finding.severity.value}, {finding.confidence.value} confidence"
        if told.verdict == "hidden":
            yield f"would report ({how}), but {told.reasons[0]}"
            yield from (f"is careful because {reason}" for reason in told.reasons[1:])
        else:
            yield f"reports this ({how})"
        yield finding.problem
    for reason in told.reasons if finding is None else ():
        yield f"is silent because {reason}"


def _rest(answer: WhyNot, *, every: bool, alone: bool) -> Iterator[str]:
    others = [told for told in answer.told if told.verdict == "other"]
    nothing = [told for told in answer.told if told.verdict == "nothing"]
    for group, is_about in (
        (others, "are not asked here"),
        (nothing, "look for things that do not stand on this line"),
    ):
        if not group:
            continue
        if every:
            yield ""
            for told in group:
                why = told.reasons[0] if told.reasons else "nothing of its kind stands on this line"
                yield f"{told.rule.code} {told.rule.name}: {why}"
        else:
            number = f"{len(group)} {'' if alone else 'other '}rule{'s' if len(group) > 1 else ''}"
            verb = is_about if len(group) > 1 else is_about.replace("are ", "is ").replace("look ", "looks ")
            reasons = dict.fromkeys(told.reasons[0] for told in group if group is others)
            why = f" ({'; '.join(reasons)})" if reasons else ""
            yield from _wrapped(f"{number} {verb}{why}: {', '.join(told.rule.code for told in group)}")


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        min(max(width(), 40), _WIDEST),
        initial_indent=indent,
        subsequent_indent=indent or "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


# -- JSON


def _document(answer: WhyNot) -> dict[str, object]:
    return {
        "version": __version__,
        "path": answer.path,
        "line": answer.line,
        "text": answer.text,
        "outside": answer.outside or None,
        "actors": [
            {
                "name": owner.name,
                "path": owner.path,
                "framework": owner.framework,
                "evidence": owner.evidence,
                "is_actor": owner.is_actor,
                "function": owner.function or None,
                "role": owner.role or None,
                "at_work": owner.at_work,
                "in_test_file": owner.in_test_file,
            }
            for owner in answer.owners
        ],
        "rules": [
            {
                "code": told.rule.code,
                "name": told.rule.name,
                "verdict": told.verdict,
                "reasons": list(told.reasons),
                "finding": None if told.finding is None else finding_object(told.finding),
            }
            for told in answer.told
        ],
        "unknown_calls": list(answer.unknown),
        "nearby": [{"line": line, "rules": list(codes)} for line, codes in answer.nearby],
        "errors": list(answer.failures),
    }
