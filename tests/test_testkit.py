"""The test kit finds what a pack does not owe up to: each check is broken once."""

from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from otplint.testkit import checks

PACK = Path(__file__).resolve().parent / "packs" / "acme" / "acme_rules"
NUMBERS = itertools.count(1)
RULE = "print_in_handler.py"
NAME = "ACME101-print-in-handler"
FIXABLE = """\
                        remedy="Log it.",
                        fix=Fix("Log it", (Edit(method.span(call.func), "NEW"),), safe=SAFE),
"""


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A copy of the pack under a name of its own, which tests may spoil before they ask for its checks."""
    module = f"acme_{next(NUMBERS)}"
    folder = Path(shutil.copytree(PACK, tmp_path / module, ignore=shutil.ignore_patterns("__pycache__")))
    monkeypatch.syspath_prepend(str(tmp_path))

    def edit(name: str, old: str, new: str) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    def failed(only: str = "", *, update: bool = False, proofs: bool = True) -> dict[str, str]:
        """What does not hold, by the name of the check."""
        found = {}
        for check in checks(module, proofs=proofs):
            if only not in ("", check.what):
                continue
            try:
                check(update=update)
            except AssertionError as error:
                found[check.what] = str(error).splitlines()[0]
        return found

    yield SimpleNamespace(folder=folder, programs=folder / "fixtures" / NAME, edit=edit, failed=failed, module=module)
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        del sys.modules[name]


def fixable(pack: SimpleNamespace, *, new: str = "max", safe: bool = False, says: str = "unsafe") -> None:
    """Give the rule a fix that calls another function."""
    pack.edit(RULE, "Confidence, Finding,", "Confidence, Edit, Finding, Fix,")
    text = FIXABLE.replace("NEW", new).replace("SAFE", str(safe))
    pack.edit(RULE, '                        remedy="Log it.",\n', text)
    pack.edit(RULE, '    proof = "same construct"\n', f'    proof = "same construct"\n    fix = "{says}"\n')


def test_a_pack_as_it_should_be(pack: SimpleNamespace) -> None:
    assert pack.failed() == {}
    assert [str(check) for check in checks(pack.module)] == [
        *(f"{NAME}-{what}" for what in ("docstring-bad", "docstring-good", "file", "programs", "bad", "good", "proof")),
        *(f"{pack.module}-{what}" for what in ("folders", "snapshots", "prefix")),
    ]


Spoil = Callable[[SimpleNamespace], None]
SPOILT: list[tuple[str, Spoil, str]] = [
    ("docstring-bad", lambda p: p.edit(RULE, 'print("sold", req)', "pass"), "fires nothing, not ACME101"),
    (
        "docstring-good",
        lambda p: p.edit(RULE, 'logging.info("sold %s", req)', "print(req)"),
        "the code under Good: fires ACME101, not nothing",
    ),
    ("file", lambda p: p.edit(RULE, "\n\nclass", "\n" * 200 + "class"), "longer than 200 lines"),
    (
        "file",
        lambda p: p.edit(RULE, "from otplint.api import Actor", "import otplint.engine\nfrom otplint.api import Actor"),
        "imports otplint.engine; otplint.api is the door for rules",
    ),
    ("programs", lambda p: (p.programs / "good.py").unlink(), "good.py is missing"),
    ("programs", lambda p: shutil.copy(p.programs / "good.py", p.programs / "fine.py"), "begin its name with bad_ or"),
    ("bad", lambda p: (p.programs / "bad.txt").unlink(), "bad.txt is missing; update the snapshots"),
    ("bad", lambda p: p.edit(f"fixtures/{NAME}/bad.txt", "Till", "Tall"), "bad.txt is stale; update the snapshots"),
    ("bad", lambda p: p.edit(f"fixtures/{NAME}/bad.py", "print(", "repr("), "bad.py: ACME101 finds nothing"),
    ("good", lambda p: p.edit(f"fixtures/{NAME}/good.py", "logger.info(", "print("), "clean of all rules:"),
    ("proof", lambda p: (p.programs / "measured.json").unlink(), "measured.json is missing"),
    ("proof", lambda p: p.edit(f"fixtures/{NAME}/measured.json", '"harmful": 1', '"harmful": 2'), "is stale"),
    ("proof", lambda p: p.edit(RULE, '"same construct"', '"analogue"'), "its programs are same construct"),
    ("proof", lambda p: p.edit(f"fixtures/{NAME}/proof.py", "> 0", "> 9"), "the bad program does no harm"),
    ("proof", lambda p: (p.programs / "proof.py").unlink(), "proof.py is missing"),
    ("folders", lambda p: shutil.copytree(p.programs, p.programs.with_name("ACME102-x-y")), "fixtures ACME102-x-y"),
    ("snapshots", lambda p: (p.programs / "bad_gone.txt").write_text(""), "no program has the snapshots bad_gone.txt"),
    ("prefix", lambda p: p.edit(RULE, "ACME101", "OTP199"), "OTP is the prefix of otplint's own rules"),
    (
        "fixes",
        lambda p: p.edit(RULE, "    proof =", '    fix = "safe"\n    proof ='),
        "no bad program has anything to fix",
    ),
    ("fixes", lambda p: fixable(p, says="safe"), "says fix = 'safe', and no bad program shows it"),
    ("fixes", lambda p: fixable(p, safe=True), "says fix = 'unsafe', and"),
    ("bad-fixed", fixable, "bad.fixed.py is missing; update the snapshots"),
    ("bad-fixed", lambda p: fixable(p, new="print "), "the fixes of ACME101 do not come to an end"),
    ("bad-fixed", lambda p: fixable(p, new="def"), "the fix of ACME101 leaves a syntax error"),
    ("fixed-program", lambda p: fixable(p, new="nowhere"), "the fixed bad program fails: "),
    ("fixed-program", lambda p: fixable(p, new="globals().get('x', print)"), "the fixed bad program still does harm: "),
]


@pytest.mark.parametrize(("what", "spoil", "says"), SPOILT, ids=[f"{what}-{says}" for what, _, says in SPOILT])
def test_what_is_not_as_it_should_be(pack: SimpleNamespace, what: str, spoil: Spoil, says: str) -> None:
    spoil(pack)
    assert says in pack.failed(what)[what]


def test_an_update_writes_what_can_be_written(pack: SimpleNamespace) -> None:
    fixable(pack)
    for name in ("bad.txt", "measured.json"):
        (pack.programs / name).unlink()
    assert set(pack.failed()) == {"bad", "bad-fixed", "proof"}
    assert pack.failed(update=True) == {}
    assert pack.failed() == {}
    assert '        max("sold", req.what)\n' in (pack.programs / "bad.fixed.py").read_text()


def test_without_proofs_nothing_is_run(pack: SimpleNamespace) -> None:
    (pack.programs / "proof.py").unlink()
    assert pack.failed(proofs=False) == {}


def test_a_snapshot_of_what_is_no_longer_fixed(pack: SimpleNamespace) -> None:
    fixable(pack)
    pack.failed(update=True)
    shutil.copy(pack.programs / "bad.py", pack.programs / "bad_more.py")
    pack.failed(update=True)
    pack.edit(f"fixtures/{NAME}/bad_more.py", "print(", "repr(")
    assert "bad_more.fixed.py: nothing is fixed in bad_more.py" in pack.failed("bad_more-fixed")["bad_more-fixed"]
