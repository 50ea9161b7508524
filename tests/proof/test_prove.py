"""A proof must be able to fail: swapped programs, a broken runtime, a repair that repairs nothing."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from otplint.cli import prove as command
from otplint.engine.packs import load_rules
from otplint.proof.diagram import diagram
from otplint.proof.programs import BrokenProof, Programs, all_programs, fixtures, scenario_of
from otplint.proof.prove import prove, show
from otplint.runtime import System
from otplint.runtime.testing import run

PROGRAMS = list(all_programs())


def nowhere(_path: Path, _code: str) -> None:
    return None


@pytest.fixture(scope="module", params=PROGRAMS, ids=lambda p: p.code)
def programs(request: pytest.FixtureRequest) -> Programs:
    found: Programs = request.param
    return found


def test_bad_does_harm_and_good_does_not(programs: Programs) -> None:
    proof = prove(programs, nowhere)
    assert proof.problems == []


def test_swapped_programs_prove_nothing(programs: Programs, tmp_path: Path) -> None:
    swapped = tmp_path / programs.folder.name
    swapped.mkdir()
    for source, target in ((programs.bad, "good.py"), (programs.good, "bad.py")):
        (swapped / target).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    proof = prove(dataclasses.replace(programs, folder=swapped), nowhere)
    assert not proof.holds


def test_every_rule_with_fixtures_has_a_proof() -> None:
    wanted = {r.code for r in load_rules() if r.proof in ("same construct", "analogue") and r.pack == "otplint"}
    assert {p.code for p in PROGRAMS} == wanted


def test_a_runtime_that_forgets_to_demonitor_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_op(self: System, ref: object, *, flush: bool = False) -> bool:
        return True

    monkeypatch.setattr(System, "demonitor", no_op)
    watches = [p for p in PROGRAMS if p.code == "OTP101"]
    assert watches
    assert not prove(watches[0], nowhere).holds


def test_the_command_tells_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command.command, ["--format", "json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["missing"] == []
    assert {p["code"] for p in told["proofs"]} == {p.code for p in PROGRAMS}
    assert all(p["holds"] for p in told["proofs"])
    assert all(p["construct"] == "same construct" for p in told["proofs"])
    assert [p["code"] for p in told["proofs"] if p["causal"] is False] == []


def test_a_broken_proof_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    first = PROGRAMS[0]
    harmless = dataclasses.replace(first, harm=lambda observed: False)
    monkeypatch.setattr("otplint.proof.programs.all_programs", lambda: iter([harmless]))
    result = CliRunner().invoke(command.command, [first.code])
    assert result.exit_code == 1
    assert "the bad program does no harm" in result.output


def test_an_unknown_rule_ends_with_2() -> None:
    result = CliRunner().invoke(command.command, ["OTP999"], standalone_mode=True)
    assert result.exit_code != 0
    assert "OTP999" in result.output


def test_a_repair_that_leaves_the_harm_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("async def scenario(system):\n    return {'n': 1}\n")
    (tmp_path / "good.py").write_text("async def scenario(system):\n    return {'n': 0}\n")
    programs = Programs("X001", "x", tmp_path, "n.", lambda seen: bool(seen["n"]), "", False, "1")
    text = (tmp_path / "bad.py").read_text()

    def locate(path: Path, _code: str) -> tuple[int, int] | None:
        return (text.index("1"), text.index("1") + 1) if path.name == "bad.py" else None

    assert prove(programs, locate).problems == ["the repair of the reported span leaves the harm"]
    assert prove(dataclasses.replace(programs, repair="0"), locate).problems == []


def test_a_scenario_that_raises_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("async def scenario(system):\n    raise ValueError('no')\n")
    (tmp_path / "good.py").write_text("async def scenario(system):\n    return {}\n")
    programs = Programs("X001", "x", tmp_path, "n.", bool, "", False, None)
    assert prove(programs, nowhere).problems == ["bad: ValueError: no"]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("proof.py", "CLAIM = 'x.'\n", "needs CLAIM"),
        ("proof.py", "CLAIM = 'x.'\ndef harm(o): ...\n", "bad.py is missing"),
    ],
)
def test_a_folder_without_what_a_proof_needs(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    folder = tmp_path / "OTP999-some-thing"
    folder.mkdir()
    (folder / name).write_text(text)
    with pytest.raises(BrokenProof, match=complaint):
        list(all_programs(tmp_path))


def test_the_diagram_has_a_column_for_each_process() -> None:
    done: Any = run(scenario_of(PROGRAMS[0].bad))
    drawn = diagram(done.events)
    head, *rows = drawn.splitlines()
    assert rows
    assert "<" in head


def test_fixtures_are_found_in_the_package() -> None:
    assert (fixtures() / "__init__.py").is_file()
    assert show(scenario_of(PROGRAMS[0].good), PROGRAMS[0]).harmful == 0
