"""``otplint prove``: run the rules' programs on the reference runtime, and show what they do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from otplint.api import Rule
from otplint.cli.proofs import as_object, block, locator, page, reporter
from otplint.cli.settings import catalogue, one_line_errors
from otplint.cli.terminal import put, say
from otplint.engine.select import resolve

if TYPE_CHECKING:
    from otplint.proof.prove import Proof


@click.command(name="prove")
@click.argument("rules", nargs=-1)
@click.option("--format", "style", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Draw the smallest harmful run as a sequence diagram.")
def command(rules: tuple[str, ...], style: str, verbose: bool) -> None:
    """Run the bad and the good program of each rule; exit 1 if one does not show what the rule claims.

    The report's own system, flaws_report3, is run before and after its repairs as well.
    """
    from otplint.proof.programs import BrokenProof

    try:
        proofs, without = _proofs(rules)
    except BrokenProof as error:
        raise click.ClickException(str(error)) from error
    owed = sorted(code for code, owes in without.items() if owes)
    if style == "json":
        put(json.dumps({"proofs": [as_object(p) for p in proofs], "missing": owed}, indent=2) + "\n")
    elif style == "markdown":
        put(page(proofs))
    else:
        put("\n".join(block(proof) for proof in proofs))
    if verbose and style == "text":
        put("".join(_drawn(proof) for proof in proofs))
    for code in sorted(without) if rules else owed:
        say(f"{code}: has no proof")
    broken = [proof for proof in proofs if not proof.holds]
    for proof in broken:
        say(f"{proof.code}: {'; '.join(proof.problems)}")
    seconds = sum(proof.seconds for proof in proofs)
    say(f"{len(proofs) - len(broken)} of {len(proofs)} proofs hold; {seconds:.1f} s of processor time")
    click.get_current_context().exit(1 if broken or owed else 0)


def _proofs(names: Iterable[str]) -> tuple[list[Proof], dict[str, bool]]:
    """The proofs asked for, all without names; and the rules without one: whether they owe it, by code."""
    from otplint.proof.programs import all_programs, all_systems
    from otplint.proof.prove import prove, prove_system

    names = list(names)
    known = {rule.code: rule for rule in catalogue()}
    systems = [system for system in all_systems() if not names or system.name in names]
    plain = [name for name in names if name not in {system.name for system in systems}]
    with one_line_errors():
        wanted = {rule.code for rule in resolve(plain, catalogue(), where="prove")} if plain else set()
    chosen = wanted if names else set(known)
    proofs = [prove(p, locator(known[p.code])) for p in all_programs() if p.code in chosen and p.code in known]
    proved = {proof.code for proof in proofs}
    proofs += [prove_system(system, reporter(list(known.values()))) for system in systems]
    return proofs, {code: _owes(known[code]) for code in chosen - proved}


def _owes(rule: type[Rule]) -> bool:
    """Whether the rule says that it has a proof."""
    return rule.proof in ("same construct", "analogue") and rule.pack == "otplint"


def _drawn(proof: Proof) -> str:
    from otplint.proof.diagram import diagram

    if proof.bad.worst is None:
        return ""
    schedule = ", ".join(str(choice) for choice in proof.bad.worst.schedule) or "plain order"
    head = f"\n{proof.code}: the smallest harmful run (schedule: {schedule})\n\n"
    return head + diagram(proof.bad.worst.events) + "\n"
