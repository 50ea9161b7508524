"""``otplint prove``: run the rules' programs on the reference runtime, and show what they do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from otplint.api import Rule
from otplint.cli.proofs import as_object, block, page
from otplint.cli.settings import catalogue, one_line_errors
from otplint.cli.terminal import put, say
from otplint.engine.packs import fixtures_of, load_packs
from otplint.engine.select import resolve

if TYPE_CHECKING:
    from otplint.proof.programs import Programs
    from otplint.proof.results import Proof


@click.command(name="prove")
@click.argument("rules", nargs=-1)
@click.option("--format", "style", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Draw the smallest harmful run as a sequence diagram.")
@click.option("--save", is_flag=True, help="Write what holds beside the programs, for explain and the rules' pages.")
def command(rules: tuple[str, ...], style: str, *, verbose: bool, save: bool) -> None:
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
    if save:
        for proof in proofs:
            _save(proof)
    for code in sorted(without) if rules else owed:
        say(f"{code}: has no proof")
    broken = [proof for proof in proofs if not proof.holds]
    for proof in broken:
        say(f"{proof.code}: {'; '.join(proof.problems)}")
    seconds = sum(proof.seconds or 0.0 for proof in proofs)
    say(f"{len(proofs) - len(broken)} of {len(proofs)} proofs hold; {seconds:.1f} s of processor time")
    click.get_current_context().exit(1 if broken or owed else 0)


def _proofs(names: Iterable[str]) -> tuple[list[Proof], dict[str, bool]]:
    """The proofs asked for, all without names; and the rules without one: whether they owe it, by code."""
    from otplint.engine.places import locator, reporter
    from otplint.proof.programs import all_systems
    from otplint.proof.prove import prove, prove_system

    names = list(names)
    known = {rule.code: rule for rule in catalogue()}
    systems = [system for system in all_systems() if not names or system.name in names]
    plain = [name for name in names if name not in {system.name for system in systems}]
    with one_line_errors():
        wanted = {rule.code for rule in resolve(plain, catalogue(), where="prove")} if plain else set()
        chosen = wanted if names else set(known)
        proofs = [prove(p, locator(known[p.code])) for p in programs() if p.code in chosen and p.code in known]
    proved = {proof.code for proof in proofs}
    proofs += [prove_system(system, reporter(list(known.values()))) for system in systems]
    return proofs, {code: _owes(known[code]) for code in chosen - proved}


def programs() -> Iterator[Programs]:
    """The programs of the rules of all packs, pack by pack.

    Raises:
        BrokenProof: naming the file and what is missing.
        PackError: a pack names a folder that is not there.
    """
    from otplint.proof.programs import all_programs

    for pack in load_packs():
        if (folder := pack.fixtures()) is not None:
            yield from all_programs(folder)


def _save(proof: Proof) -> None:
    """Record a proof; one that does not hold is not what the pages should say."""
    from otplint.proof.programs import fixtures
    from otplint.proof.record import FILE, record

    if not proof.holds:
        say(f"{proof.code}: not saved")
        return
    rule = next((rule for rule in catalogue() if rule.code == proof.code), None)
    folder = fixtures() if rule is None else fixtures_of(rule) or fixtures()
    place = folder / (proof.code if rule is None else f"{proof.code}-{proof.name}")
    try:
        (place / FILE).write_text(record(proof, place), encoding="utf-8", newline="\n")
    except OSError as error:
        raise click.ClickException(f"cannot write {place / FILE}: {error.strerror}") from error


def _owes(rule: type[Rule]) -> bool:
    """Whether the rule says that it has a proof."""
    return rule.proof in ("same construct", "analogue")


def _drawn(proof: Proof) -> str:
    from otplint.proof.diagram import diagram

    if proof.bad.worst is None:
        return ""
    schedule = ", ".join(str(choice) for choice in proof.bad.worst.schedule) or "plain order"
    head = f"\n{proof.code}: the smallest harmful run (schedule: {schedule})\n\n"
    return head + diagram(proof.bad.worst.events) + "\n"
