"""A proof must be able to fail: swapped programs, a broken runtime, a repair that repairs nothing."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from otplint.cli import prove as command
from otplint.cli.proofs import as_object, block, page, verdict
from otplint.engine.packs import Pack, load_rules
from otplint.proof.programs import BrokenProof, Programs, all_programs, fixtures, scenario_of
from otplint.proof.prove import prove, show
from otplint.proof.record import FILE, record, recorded
from otplint.testkit import Check, checks

PROGRAMS = list(all_programs())


def nowhere(_path: Path, _code: str) -> None:
    return None


@pytest.mark.parametrize("programs", PROGRAMS, ids=lambda p: p.code)
def test_swapped_programs_prove_nothing(programs: Programs, tmp_path: Path) -> None:
    swapped = tmp_path / programs.folder.name
    swapped.mkdir()
    for source, target in ((programs.bad, "good.py"), (programs.good, "bad.py")):
        (swapped / target).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    kept = recorded(programs.folder)
    plain = kept is None or kept.bad.harmful == kept.bad.runs  # else only some schedule shows the harm
    every = programs.every_schedule and not plain
    proof = prove(dataclasses.replace(programs, folder=swapped, every_schedule=every), nowhere)
    assert proof.problems[:2] == ["the bad program does no harm", "the good program does harm"]


def test_every_rule_with_fixtures_has_a_proof() -> None:
    wanted = {r.code for r in load_rules() if r.proof in ("same construct", "analogue") and r.pack == "otplint"}
    assert {p.code for p in PROGRAMS} == wanted


@pytest.fixture(scope="module")
def everything() -> Any:
    """All proofs, run once."""
    return command._proofs(())


def test_the_command_tells_all(everything: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_proofs", lambda names: everything)
    result = CliRunner().invoke(command.command, ["--format", "json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["missing"] == []
    assert {p["code"] for p in told["proofs"]} == {p.code for p in PROGRAMS} | {"flaws_report3"}
    assert all(p["holds"] for p in told["proofs"])
    labels = {rule.code: rule.proof for rule in load_rules()} | {"flaws_report3": "same construct"}
    assert all(p["construct"] == labels[p["code"]] for p in told["proofs"])
    assert {p["code"] for p in told["proofs"] if p["causal"]} == {p.code for p in PROGRAMS if p.repair}


def test_what_is_recorded_is_what_is_measured(everything: Any, request: pytest.FixtureRequest) -> None:
    """``measured.json`` beside each rule's programs; ``pytest --snapshot-update`` and ``make docs`` write it anew."""
    stale = []
    for proof in everything[0]:
        folder = fixtures() / f"{proof.code}-{proof.name}".rstrip("-")
        wanted, path = record(proof, folder), folder / FILE
        if request.config.getoption("--snapshot-update"):
            path.write_text(wanted, encoding="utf-8", newline="\n")
        if not path.is_file() or path.read_text(encoding="utf-8") != wanted:
            stale.append(folder.name)
    assert stale == [], "`otplint prove --save` measures them anew, `make docs` the pages as well"


@pytest.mark.parametrize("check", [c for c in checks("otplint.rules") if c.what == "fixed-program"], ids=str)
def test_what_a_fix_makes_of_the_bad_program_does_no_harm(check: Check) -> None:
    check()


def test_a_broken_proof_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    first = PROGRAMS[0]
    harmless = dataclasses.replace(first, harm=lambda observed: False)
    monkeypatch.setattr("otplint.proof.programs.all_programs", lambda folder: iter([harmless]))
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
    programs = Programs("X001", "x", tmp_path, "n.", lambda seen: bool(seen["n"]), repair="1")
    text = (tmp_path / "bad.py").read_text()

    def locate(path: Path, _code: str) -> tuple[int, int] | None:
        return (text.index("1"), text.index("1") + 1) if path.name == "bad.py" else None

    assert prove(programs, locate).problems == ["the repair of the reported span leaves the harm"]
    assert prove(dataclasses.replace(programs, repair="0"), locate).problems == []


def test_a_scenario_that_raises_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("async def scenario(system):\n    raise ValueError('no')\n")
    (tmp_path / "good.py").write_text("async def scenario(system):\n    return {}\n")
    programs = Programs("X001", "x", tmp_path, "n.", bool)
    assert prove(programs, nowhere).problems == ["bad: ValueError: no"]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("proof.py", "CLAIM = 'x.'\n", "needs CLAIM"),
        ("proof.py", "CLAIM = 'x.'\ndef harm(o): ...\n", "bad.py is missing"),
        ("proof.py", "import nowhere_at_all\n", "OTP999-some-thing/proof.py: ModuleNotFoundError"),
    ],
)
def test_a_folder_without_what_a_proof_needs(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    folder = tmp_path / "OTP999-some-thing"
    folder.mkdir()
    (folder / name).write_text(text)
    with pytest.raises(BrokenProof, match=complaint):
        list(all_programs(tmp_path))


def test_fixtures_are_found_in_the_package() -> None:
    assert (fixtures() / "__init__.py").is_file()
    assert show(scenario_of(PROGRAMS[0].good), PROGRAMS[0]).harmful == 0


def test_an_error_in_any_schedule_is_found(tmp_path: Path) -> None:
    """The plain order is fine; another one raises."""
    (tmp_path / "bad.py").write_text(
        "from otplint.runtime import Server\n"
        "class First(Server):\n"
        "    async def handle_info(self, msg): order.append(msg)\n"
        "async def scenario(system):\n"
        "    global order\n"
        "    order = []\n"
        "    pids = [system.spawn(First) for _ in range(2)]\n"
        "    for n, pid in enumerate(pids): system.send(pid, n)\n"
        "    for pid in pids: await system.stop(pid)\n"
        "    if order[0]: raise ValueError('the other way round')\n"
        "    return {'n': 1}\n"
    )
    (tmp_path / "good.py").write_text("async def scenario(system):\n    return {'n': 0}\n")
    programs = Programs("X001", "x", tmp_path, "n.", lambda seen: bool(seen["n"]), every_schedule=True)
    assert prove(programs, nowhere).problems == ["bad: ValueError: the other way round"]
    assert prove(dataclasses.replace(programs, every_schedule=False), nowhere).holds


def test_observables_that_cannot_be_judged_are_said(tmp_path: Path) -> None:
    for name in ("bad.py", "good.py"):
        (tmp_path / name).write_text("async def scenario(system):\n    return {'m': 0}\n")
    programs = Programs("X001", "x", tmp_path, "n.", lambda seen: bool(seen["n"]))
    assert prove(programs, nowhere).problems[0] == "bad: proof.py cannot judge {'m': 0}: KeyError: 'n'"


def test_a_good_program_that_does_nothing_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("async def scenario(system):\n    return {'n': 1}\n")
    (tmp_path / "good.py").write_text("async def scenario(system):\n    return {'n': 0}\n")
    programs = Programs("X001", "x", tmp_path, "n.", lambda seen: seen["n"] > 0, works=lambda seen: seen["n"] < 0)
    assert prove(programs, nowhere).problems == ["the good program does not show the mechanism at work"]


def test_a_sample_is_never_called_proved(tmp_path: Path) -> None:
    raw_send = next(p for p in PROGRAMS if p.code == "OTP401")
    all_of_them = prove(raw_send, nowhere)
    some = prove(dataclasses.replace(raw_send, sample=20), nowhere)
    assert (verdict(all_of_them), verdict(some)) == ("proved", "shown")
    assert "exhausted" not in some.bad.how
    assert "sampled" not in all_of_them.bad.how


def test_what_programs_say_and_set_stays_inside(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loud = (
        "import logging, os\n"
        "print('loaded')\n"
        "async def scenario(system):\n"
        "    print('runs'); logging.getLogger('x').error('logs')\n"
        "    seen = len(os.environ); os.environ['OTPLINT_LEAK'] = '1'\n"
        "    return {'variables': seen, 'n': NUMBER}\n"
    )
    for name, number in (("bad.py", "1"), ("good.py", "0")):
        (tmp_path / name).write_text(loud.replace("NUMBER", number))
    before = dict(os.environ)
    proof = prove(Programs("X001", "x", tmp_path, "n.", lambda seen: bool(seen["n"])), nowhere)
    assert proof.holds
    assert proof.bad.observed["variables"] == 0
    assert dict(os.environ) == before
    assert logging.root.manager.disable == logging.NOTSET
    assert capfd.readouterr() == ("", "")


def test_floats_are_written_as_people_do(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("async def scenario(system):\n    return {'a': 5.300000000000004, 'b': [0.0]}\n")
    (tmp_path / "good.py").write_text("async def scenario(system):\n    return {'a': 0.1 + 0.2, 'b': None}\n")
    proof = prove(Programs("X001", "x", tmp_path, "n.", lambda seen: seen["a"] > 1), nowhere)
    lines = [line.split() for line in block(proof).splitlines()]
    assert ["a", "5.3", "0.3"] in lines
    assert ["b", "0", "-"] in lines


class TestRecord:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """The programs and the record of a rule."""
        return Path(shutil.copytree(fixtures() / "OTP402-raw-send-fallback", tmp_path / "OTP402-raw-send-fallback"))

    @pytest.mark.parametrize("number", range(len(PROGRAMS) + 1))
    def test_what_is_read_says_what_was_measured(self, everything: Any, number: int, tmp_path: Path) -> None:
        proof = everything[0][number]
        (tmp_path / FILE).write_text(record(proof, tmp_path), encoding="utf-8")
        found = recorded(tmp_path)
        assert found is not None
        assert page([found]) == page([proof])
        assert block(found) == block(proof)
        assert as_object(found) == {**as_object(proof), "seconds": None}

    def test_other_programs_have_no_record(self, folder: Path) -> None:
        assert recorded(folder) is not None
        good = folder / "good.py"
        good.write_bytes(good.read_bytes().replace(b"\n", b"\r\n"))
        assert recorded(folder) is not None
        good.write_bytes(good.read_bytes() + b"# more\r\n")
        assert recorded(folder) is None
        (folder / FILE).unlink()
        assert recorded(folder) is None

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"programs": 1}', "null"])
    def test_a_broken_record_is_named(self, folder: Path, text: str) -> None:
        (folder / FILE).write_text(text)
        if text == '{"programs": 1}':
            assert recorded(folder) is None
            return
        with pytest.raises(ValueError, match=r"OTP402-raw-send-fallback/measured.json: not a record of a proof"):
            recorded(folder)

    def test_save_writes_what_holds(self, otplint: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        before = (folder / FILE).read_text()
        (folder / FILE).unlink()
        monkeypatch.setattr(Pack, "fixtures", lambda self: folder.parent)
        assert otplint(["prove", "OTP402", "--save"]).status == 0
        assert (folder / FILE).read_text() == before
        (folder / FILE).unlink()
        (folder / "good.py").write_bytes((folder / "bad.py").read_bytes())
        answer = otplint(["prove", "OTP402", "--save"])
        assert answer.status == 1
        assert "OTP402: not saved" in answer.err
        assert not (folder / FILE).exists()


def test_a_rule_without_a_proof_is_named(otplint: Any) -> None:
    answer = otplint(["prove", "OTP901"])
    assert (answer.status, answer.out) == (0, "")
    assert answer.err.startswith("OTP901: has no proof\n0 of 0 proofs hold")


class TestExplain:
    def test_text(self, otplint: Any) -> None:
        answer = otplint(["explain", "OTP402"])
        assert answer.status == 0
        assert "Measured:\n    proved (same construct; causal; " in answer.out
        assert ["times", "executed", "2", "1"] in [line.split() for line in answer.out.splitlines()]

    def test_markdown(self, otplint: Any) -> None:
        assert "\n| times executed | 2 | 1 |\n" in otplint(["explain", "OTP402", "--format", "markdown"]).out

    def test_nothing_is_run_where_it_was_recorded(self, otplint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("otplint.proof.prove.prove", lambda *_: pytest.fail("it was run"))
        assert "proved" in otplint(["explain", "OTP402"]).out

    def test_what_was_not_recorded_is_run(self, otplint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("otplint.proof.record.recorded", lambda folder: None)
        assert "proved" in otplint(["explain", "OTP402"]).out

    def test_json(self, otplint: Any) -> None:
        measured = json.loads(otplint(["explain", "OTP402", "--format", "json"]).out)["measured"]
        assert (measured["holds"], measured["causal"], measured["construct"]) == (True, True, "same construct")
        assert measured["bad"]["observed"]["times executed"] == 2

    @pytest.mark.parametrize("style", ["text", "markdown"])
    def test_without_a_proof_it_says_so(self, otplint: Any, style: str) -> None:
        assert "There is no proof of this rule" in otplint(["explain", "OTP901", "--format", style]).out

    def test_without_a_proof_in_json(self, otplint: Any) -> None:
        assert json.loads(otplint(["explain", "OTP901", "--format", "json"]).out)["measured"] is None
