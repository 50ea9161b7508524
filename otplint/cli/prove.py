"""``otplint prove``: run the rules' programs on the reference runtime, and show what they do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otplint.api import Rule
from otplint.cli.settings import catalogue, one_line_errors
from otplint.cli.terminal import put, say, wants_colour
from otplint.engine.select import resolve

if TYPE_CHECKING:
    from otplint.proof.prove import Locate, Proof


@click.command(name="prove")
@click.argument("rules", nargs=-1)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Draw the smallest harmful run as a sequence diagram.")
def command(rules: tuple[str, ...], style: str, verbose: bool) -> None:
    """Run the bad and the good program of each rule; exit 1 if one does not show what the rule claims."""
    from otplint.proof.programs import BrokenProof, all_programs
    from otplint.proof.prove import prove

    with one_line_errors():
        wanted = {rule.code for rule in resolve(rules, catalogue(), where="prove")} if rules else None
    known = {rule.code: rule for rule in catalogue()}
    try:
        chosen = [p for p in all_programs() if p.code in known and (wanted is None or p.code in wanted)]
        proofs = [prove(programs, _locator(known[programs.code])) for programs in chosen]
    except BrokenProof as error:
        raise click.ClickException(str(error)) from error
    missing = _missing(known.values(), proofs, wanted)
    if style == "json":
        put(json.dumps({"proofs": [as_object(p) for p in proofs], "missing": missing}, indent=2) + "\n")
    else:
        put(_text(proofs))
        if verbose:
            put("".join(_drawn(proof) for proof in proofs))
    for code in missing:
        say(f"{code}: has no proof")
    broken = [proof for proof in proofs if not proof.holds]
    for proof in broken:
        say(f"{proof.programs.code}: {'; '.join(proof.problems)}")
    seconds = sum(proof.seconds for proof in proofs)
    say(f"{len(proofs) - len(broken)} of {len(proofs)} proofs hold; {seconds:.1f} s of processor time")
    sys.exit(1 if broken or missing else 0)


def as_object(proof: Proof) -> dict[str, object]:
    """One proof as scripts read it."""
    return {
        "code": proof.programs.code,
        "name": proof.programs.name,
        "claim": proof.programs.claim,
        "holds": proof.holds,
        "problems": proof.problems,
        "bad": {"observed": proof.bad.observed, "harmful": proof.bad.harmful, "runs": proof.bad.runs},
        "good": {"observed": proof.good.observed, "harmful": proof.good.harmful, "runs": proof.good.runs},
        "schedules": {"bad": proof.bad.how, "good": proof.good.how},
        "construct": _construct(proof),
        "causal": proof.causal,
        "smallest": list(proof.bad.worst.schedule) if proof.bad.worst is not None else None,
        "seconds": round(proof.seconds, 3),
    }


def _construct(proof: Proof) -> str:
    return "same construct" if proof.same_construct else "analogue"


def _locator(rule: type[Rule]) -> Locate:
    """Where the rule reports in a file, by a scan of that file alone."""
    from otplint.config import Config
    from otplint.engine.run import scan
    from otplint.sources.decode import decode
    from otplint.sources.positions import LineTable

    def locate(path: Path, code: str) -> tuple[int, int] | None:
        report = scan([path], Config(), [rule()], root=path.parent, jobs=1, suppressions=False)
        found = next((f for f in report.findings if f.code == code), None)
        if found is None:
            return None
        lines = LineTable(decode(path.read_bytes()).text)
        span = found.span
        return lines.offset(span.line, span.column), lines.offset(span.end_line, span.end_column)

    return locate


def _missing(rules: Iterable[type[Rule]], proofs: list[Proof], wanted: set[str] | None) -> list[str]:
    """Rules that ought to have a proof and have none."""
    proved = {proof.programs.code for proof in proofs}
    return sorted(
        rule.code
        for rule in rules
        if rule.proof in ("same construct", "analogue")
        and rule.pack == "otplint"
        and rule.code not in proved
        and (wanted is None or rule.code in wanted)
    )


def _text(proofs: list[Proof]) -> str:
    """One block a proof: verdict, claim, bad, good."""
    return "\n".join(_block(proof) for proof in proofs)


def _block(proof: Proof) -> str:
    verdict = "shown" if proof.holds else "NOT SHOWN"
    if wants_colour(sys.stdout):
        verdict = click.style(verdict, fg="green" if proof.holds else "red", bold=True)
    causal = {True: ", causal", False: ", not causal", None: ""}[proof.causal]
    how = proof.bad.how if proof.bad.how == proof.good.how else f"bad {proof.bad.how}, good {proof.good.how}"
    lines = [
        f"{proof.programs.code} {proof.programs.name}: {verdict} ({_construct(proof)}{causal}; {how})",
        f"  claim  {proof.programs.claim}",
        f"  bad    {proof.bad.observed} (harm in {proof.bad.harmful} of {proof.bad.runs})",
        f"  good   {proof.good.observed} (harm in {proof.good.harmful} of {proof.good.runs})",
    ]
    return "\n".join(lines) + "\n"


def _drawn(proof: Proof) -> str:
    from otplint.proof.diagram import diagram

    if proof.bad.worst is None:
        return ""
    schedule = ", ".join(str(choice) for choice in proof.bad.worst.schedule) or "plain order"
    head = f"\n{proof.programs.code}: the smallest harmful run (schedule: {schedule})\n"
    return head + diagram(proof.bad.worst.events) + "\n"
