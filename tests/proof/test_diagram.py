"""Runs as pictures: one is compared letter by letter, and all keep to what a terminal can show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from otplint.proof.diagram import SCENARIO, WIDTH, diagram
from otplint.proof.programs import Programs, all_programs, scenario_of
from otplint.runtime import Call, Server, System
from otplint.runtime.testing import run

PROGRAMS = {programs.code: programs for programs in all_programs()}


def drawn(code: str) -> list[str]:
    outcome: Any = run(scenario_of(PROGRAMS[code].bad))
    return diagram(outcome.events).splitlines()


@pytest.mark.parametrize("code", ["OTP401", "OTP402", "OTP501"])
def test_as_it_was_drawn(code: str, snapshot: Any) -> None:
    """A request that is lost; one that is done twice, with times; a supervisor that gives up."""
    snapshot.snapshot_dir = Path(__file__).parent / "diagrams"
    snapshot.assert_match("\n".join(drawn(code)) + "\n", f"{code}.txt")


@pytest.mark.parametrize("programs", PROGRAMS.values(), ids=lambda p: p.code)
def test_it_fits_a_terminal(programs: Programs) -> None:
    lines = drawn(programs.code)
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) <= 62
    assert lines[0].split()[0] == SCENARIO


class Ask(Call[str]):
    pass


class Peer(Server):
    async def handle_call(self, req: object, frm: object) -> str:
        return "yes"


async def two_of_a_kind(system: System) -> None:
    first, second = system.spawn(Peer), system.spawn(Peer)
    await system.call(second, Ask())
    system.exit(first, "gone")
    await system.wait(first)
    system.send(first, Ask())


def test_direction_labels_and_losses() -> None:
    head, *rows = diagram(run(two_of_a_kind).events).splitlines()
    assert head.split() == [SCENARIO, "Peer", "1", "Peer", "2"]
    at = {name: head.index(name) for name in (SCENARIO, "Peer 1", "Peer 2")}
    call, reply, end, loss = rows[2:6]
    assert "call Ask" in call
    assert call.rstrip().endswith(">|")
    assert at["Peer 2"] <= len(call.rstrip()) <= at["Peer 2"] + 6
    assert reply.lstrip().startswith("|<")
    assert "reply yes" in reply
    assert "exit: gone" in end
    assert at["Peer 1"] <= end.index(">|") < at["Peer 2"]
    lost = rows[-1]
    assert "dead letter Ask" in lost
    assert lost.index("x") < at["Peer 2"]
    assert "* ends: gone" in loss


def test_what_happens_again_is_drawn_once() -> None:
    async def scenario(system: System) -> None:
        peer = system.spawn(Peer)
        for _ in range(200):
            await system.call(peer, Ask())

    rows = diagram(run(scenario).events).splitlines()
    assert rows[-1] == "... these 2 lines 199 times more"
    assert len(rows) == 5


def test_a_long_run_is_cut_and_counted() -> None:
    async def scenario(system: System) -> None:
        peer = system.spawn(Peer)
        for number in range(100):
            system.send(peer, f"{number}")

    rows = diagram(run(scenario).events, most=10).splitlines()
    assert rows[-1] == "... 96 more"
