"""How proofs are told: for readers, for scripts, as Markdown."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from otplint.api import Rule
from otplint.cli.settings import one_line_errors
from otplint.cli.terminal import wants_colour
from otplint.engine.packs import fixtures_of

if TYPE_CHECKING:
    from otplint.proof.results import Proof, Shown

NONE = "There is no proof of this rule: it has no programs to run."


def proof_of(rule: type[Rule]) -> Proof | None:
    """The rule's proof: as it was recorded, else run now; none where it has no programs.

    Raises:
        click.ClickException: its programs are broken.
    """
    from otplint.proof.programs import BrokenProof, programs_of
    from otplint.proof.record import recorded

    try:
        with one_line_errors():
            folder = fixtures_of(rule)
        own = None if folder is None else next(iter(sorted(folder.glob(f"{rule.code}-*/proof.py"))), None)
        if folder is None or own is None:
            return None
        if (kept := recorded(own.parent)) is not None:
            return kept
        from otplint.engine.places import locator
        from otplint.proof.prove import prove

        programs = programs_of(rule.code, folder)
        return None if programs is None else prove(programs, locator(rule))
    except (BrokenProof, ValueError) as error:
        raise click.ClickException(str(error)) from error


def as_object(proof: Proof) -> dict[str, object]:
    """One proof as scripts read it."""
    found: dict[str, object] = {
        "code": proof.code,
        "name": proof.name,
        "claim": proof.claim,
        "holds": proof.holds,
        "verdict": verdict(proof),
        "problems": proof.problems,
        "bad": _side(proof.bad),
        "good": _side(proof.good),
        "schedules": {"bad": proof.bad.how, "good": proof.good.how},
        "construct": construct(proof),
        "causal": proof.causal,
        "smallest": None if proof.bad.schedule is None else list(proof.bad.schedule),
        "seconds": None if proof.seconds is None else round(proof.seconds, 3),
    }
    if proof.items:
        found["items"] = [
            {"code": i.code, "name": i.name, "before": i.before, "after": i.after, "problem": i.problem}
            for i in proof.items
        ]
    return found


def _side(shown: Shown) -> dict[str, object]:
    return {"observed": shown.observed, "harmful": shown.harmful, "runs": shown.runs, "exhausted": shown.exhausted}


def verdict(proof: Proof) -> str:
    """``proved`` only where all schedules were tried, ``shown`` where some were."""
    if not proof.holds:
        return "NOT SHOWN"
    return "proved" if proof.exhausted else "shown"


def construct(proof: Proof) -> str:
    """Whether the linter reports the bad program itself."""
    return "same construct" if proof.same_construct else "analogue"


def block(proof: Proof) -> str:
    """A proof as text: the verdict, the claim, and what bad and good showed side by side."""
    return f"{_head(proof)}\n" + "\n".join(f"  {line}".rstrip() for line in [proof.claim, *_table(proof)]) + "\n"


def measured_text(proof: Proof | None) -> str:
    """The section of a rule's page, as plain text."""
    if proof is None:
        return f"Measured:\n    {NONE}\n"
    said = f"{verdict(proof)} ({_labels(proof)})"
    return "Measured:\n" + "\n".join(f"    {line}".rstrip() for line in [said, proof.claim, *_table(proof)]) + "\n"


def measured_markdown(proof: Proof | None) -> str:
    """The section of a rule's page, as Markdown."""
    if proof is None:
        return f"## Measured\n\n{NONE}\n"
    rows = ["| observed | bad | good |", "|---|---|---|"]
    rows += [f"| {_cell(name)} | {_cell(bad)} | {_cell(good)} |" for name, bad, good in _rows(proof)]
    return f"## Measured\n\n{_cell(proof.claim)} ({verdict(proof)}; {_labels(proof)})\n\n" + "\n".join(rows) + "\n"


def page(proofs: Sequence[Proof]) -> str:
    """All proofs as a table in Markdown, and each system's items in one of its own. No times: they differ."""
    rows = ["| rule | claim | bad | good | schedules | construct | causal |", "|---|---|---|---|---|---|---|"]
    for proof in proofs:
        if proof.items:
            continue
        causal = {True: "yes", False: "no", None: "-"}[proof.causal]
        cells = [f"{proof.code} {proof.name}", proof.claim, _told(proof.bad), _told(proof.good), _schedules(proof)]
        rows.append("| " + " | ".join(_cell(cell) for cell in [*cells, construct(proof), causal]) + " |")
    for proof in proofs:
        if proof.items:
            rows += ["", f"## {proof.code}", "", f"{proof.claim} {_labels(proof).capitalize()}.", ""]
            rows += ["| rule | observed | before | after |", "|---|---|---|---|"]
            rows += [
                f"| {item.code or '-'} | {_cell(item.name)} | {value(item.before)} | {value(item.after)} |"
                for item in proof.items
            ]
    return "\n".join(rows) + "\n"


def _head(proof: Proof) -> str:
    said = verdict(proof)
    if wants_colour(sys.stdout):
        said = click.style(said, fg="green" if proof.holds else "red", bold=True)
    return f"{f'{proof.code} {proof.name}'.rstrip()}: {said} ({_labels(proof)})"


def _labels(proof: Proof) -> str:
    causal = {True: "causal; ", False: "not causal; ", None: ""}[proof.causal]
    return f"{construct(proof)}; {causal}{_schedules(proof)}"


def _schedules(proof: Proof) -> str:
    bad, good = proof.bad.how, proof.good.how
    return bad if bad == good else f"bad {bad}, good {good}"


def _rows(proof: Proof) -> list[tuple[str, str, str]]:
    """Observables and the harm, side by side."""
    bad, good = proof.bad.observed, proof.good.observed
    if proof.items:
        return [(f"{i.code:<7}{i.name}", value(i.before), value(i.after)) for i in proof.items]
    rows = [(name, value(bad.get(name)), value(good.get(name))) for name in {**bad, **good}]
    return [*rows, ("harm", _harm(proof.bad), _harm(proof.good))]


def _table(proof: Proof) -> list[str]:
    heads = ("", "before", "after") if proof.items else ("", "bad", "good")
    rows = [heads, *_rows(proof)]
    first, second = (max(len(row[i]) for row in rows) for i in (0, 1))
    return [f"{name:<{first}}  {bad:<{second}}  {good}" for name, bad, good in rows]


def _harm(shown: Shown) -> str:
    if shown.error:
        return "cannot be told"
    if shown.runs == 1:
        return "yes" if shown.harmful else "no"
    if not shown.harmful:
        return f"in none of {shown.runs}"
    return f"in every one of {shown.runs}" if shown.harmful == shown.runs else f"in {shown.harmful} of {shown.runs}"


def _told(shown: Shown) -> str:
    values: Mapping[str, object] = shown.observed
    return "; ".join([*(f"{name}: {value(seen)}" for name, seen in values.items()), f"harm: {_harm(shown)}"])


def value(seen: object) -> str:
    """An observable as people write it."""
    if isinstance(seen, bool):
        return "yes" if seen else "no"
    if isinstance(seen, (list, tuple)):
        return ", ".join(map(value, seen))
    return "-" if seen is None else str(seen)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
