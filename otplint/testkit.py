"""What every rule owes, as checks that a pack's tests run; otplint's own tests run the same.

    import pytest
    from otplint.testkit import Check, checks

    @pytest.mark.parametrize("check", checks("acme_rules"), ids=str)
    def test_rule(check: Check, request: pytest.FixtureRequest) -> None:
        check(update=request.config.getoption("--snapshot-update", False))

A check raises :class:`AssertionError` with a line for people. With ``update`` it writes what can be written anew: the
rendered findings of bad programs (``bad.txt``), what a fix makes of them (``bad.fixed.py``) and what a proof measured
(``measured.json``).
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from otplint.api import Rule
from otplint.config import Config
from otplint.engine.discovery import BUILT_IN, GROUP
from otplint.engine.fix import repair
from otplint.engine.housekeeping import RULES
from otplint.engine.packs import load_pack, load_packs
from otplint.engine.places import locator
from otplint.engine.run import scan
from otplint.engine.select import build
from otplint.findings import Confidence, Finding, Report
from otplint.output import render
from otplint.output.diff import unified
from otplint.proof.programs import BrokenProof, Programs, programs_of, scenario_of
from otplint.proof.prove import prove, show
from otplint.proof.quiet import quietly
from otplint.proof.record import FILE, record
from otplint.proof.results import Proof

__all__ = ["LONGEST", "Check", "checks"]

LONGEST = 200
"""Lines of a rule's file."""
_CASE = re.compile(r"(bad|good)(_[a-z0-9_]+)?")
_FIXED = ".fixed.py"


@dataclass(frozen=True)
class Check:
    """One thing that a rule, a program of a rule, or a pack must hold to."""

    subject: str
    """``ACME101-sleep-in-handler``, or the pack."""
    what: str
    run: Callable[[bool], None]

    def __str__(self) -> str:
        """The name of the test."""
        return f"{self.subject}-{self.what}"

    def __call__(self, *, update: bool = False) -> None:
        """Do it; ``update`` writes snapshots and records anew.

        Raises:
            AssertionError: it does not hold; the text says what and where.
        """
        self.run(update)


def checks(module: str, *, proofs: bool = True) -> list[Check]:
    """All checks of a pack, in a fixed order.

    Args:
        module: the pack's, as its entry point names it; it need not be installed.
        proofs: whether programs are run as well; that takes seconds.

    Raises:
        PackError: the pack cannot be used at all.
    """
    packs = load_packs()
    built_in = packs[0]
    own = next((pack for pack in packs if pack.module == module), None) or load_pack(module, module)
    everything = sorted({*RULES, *built_in.rules, *own.rules}, key=lambda rule: rule.code)
    folder = own.fixtures()
    found: list[Check] = []
    for rule in own.rules:
        found += _Of(rule, folder, everything).checks(proofs=proofs)
    return [*found, *_of_folder(module, folder, own.rules)]


class _Of:
    """The checks of one rule."""

    def __init__(self, rule: type[Rule], fixtures: Path | None, everything: Sequence[type[Rule]]) -> None:
        self.rule = rule
        self.name = f"{rule.code}-{rule.name}"
        self.folder = (fixtures or Path("fixtures")) / self.name
        self.everything = everything

    def checks(self, *, proofs: bool) -> Iterator[Check]:
        for section in ("Bad", "Good"):
            yield Check(self.name, f"docstring-{section.lower()}", self._later(self.docstring, section))
        yield Check(self.name, "file", lambda _: self.file())
        yield Check(self.name, "programs", lambda _: self.programs())
        for path in cases(self.folder):
            yield Check(self.name, path.stem, self._later(self.case, path))
            if self.rule.fix and path.stem.startswith("bad"):
                yield Check(self.name, f"{path.stem}-fixed", self._later(self.fixed, path))
        if self.rule.fix:
            yield Check(self.name, "fixes", lambda _: self.fixes())
        if proofs and self.rule.proof in ("same construct", "analogue"):
            yield Check(self.name, "proof", self.proof)
        if proofs and self.rule.fix and (self.folder / "proof.py").is_file():
            yield Check(self.name, "fixed-program", lambda _: self.fixed_program())

    @staticmethod
    def _later(check: Callable[..., None], what: object) -> Callable[[bool], None]:
        return lambda update: check(what, update)

    def docstring(self, section: str, _: bool) -> None:
        """The snippet under Bad fires this rule and no other, the one under Good none."""
        text = f"{self.rule.sections[section]}\n"
        report = scan([], Config(min_confidence=Confidence.LOW), build(self.everything), root=Path("/nowhere"),
                      stdin=("snippet.py", text.encode()))  # fmt: skip
        assert not report.failures, f"{self.name}: {section}: {report.failures[0].message}"
        wanted = {self.rule.code} if section == "Bad" else set()
        found = {finding.code for finding in report.findings}
        assert found == wanted, f"{self.name}: the code under {section}: fires {_codes(found)}, not {_codes(wanted)}"

    def file(self) -> None:
        """One rule in a file, short, importing the API only."""
        path = Path(inspect.getfile(self.rule))
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        assert text.count("\n") <= LONGEST, f"{path.name}: longer than {LONGEST} lines"
        names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
        rules = [n for n in names if any(rule.__name__ == n and rule.__module__ == self.rule.__module__
                                         for rule in self.everything)]  # fmt: skip
        assert rules == [self.rule.__name__], f"{path.name}: holds the rules {', '.join(rules)}; one file, one rule"
        for node in ast.walk(tree):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            wrong = [name for name in names if name.split(".")[0] == "otplint" and name != "otplint.api"]
            assert not wrong, f"{path.name}: imports {wrong[0]}; otplint.api is the door for rules"

    def programs(self) -> None:
        """A bad and a good program are there, and each file says which it is."""
        for name in ("bad.py", "good.py"):
            assert (self.folder / name).is_file(), f"{self.folder.name}: {name} is missing"
        for path in cases(self.folder):
            assert _CASE.fullmatch(path.stem), f"{self.folder.name}/{path.name}: begin its name with bad_ or good_"

    def case(self, path: Path, update: bool) -> None:
        """A bad program shows the rule, as its snapshot has it; a good one is clean of all rules."""
        report = self.scanned(path, self.everything)
        if path.stem.startswith("good"):
            said = render("concise", report)
            assert not said, f"a good program is clean of all rules:\n{said}"
            return
        found = {finding.code for finding in report.findings}
        assert self.rule.code in found, f"{self.folder.name}/{path.name}: {self.rule.code} finds nothing"
        _same(path.with_suffix(".txt"), render("text", report, width=100), update)

    def fixed(self, path: Path, update: bool) -> None:
        """What the rule's fixes make of a bad program: nothing is left to fix, as the snapshot has it."""
        text = self.mended(path)
        snapshot = path.with_name(f"{path.stem}{_FIXED}")
        if text is None:
            assert not snapshot.exists(), f"{self.folder.name}/{snapshot.name}: nothing is fixed in {path.name}"
            return
        _same(snapshot, text, update)

    def fixes(self) -> None:
        """Some bad program has something to fix, and a fix is as safe as the rule says."""
        found = [f for path in cases(self.folder) if path.stem.startswith("bad") for f in self.fixable(path)]
        assert found, f"{self.name}: says fix = {self.rule.fix!r}, and no bad program has anything to fix"
        safe = {finding.fix.safe for finding in found if finding.fix is not None}
        wanted = self.rule.fix == "safe"
        assert wanted in safe, f"{self.name}: says fix = {self.rule.fix!r}, and no bad program shows it"
        assert wanted or True not in safe, f"{self.name}: says fix = 'unsafe', and a fix says that it is safe"

    def proof(self, update: bool) -> None:
        """The programs show what the rule claims, with the label that the rule gives, and as it was recorded."""
        proof = self.proved()
        assert not proof.problems, f"{self.name}: {'; '.join(proof.problems)}"
        label = "same construct" if proof.same_construct else "analogue"
        assert label == self.rule.proof, f"{self.name}: says proof = {self.rule.proof!r}, its programs are {label}"
        _same(self.folder / FILE, record(proof, self.folder), update)

    def fixed_program(self) -> None:
        """What the fix makes of the bad program does no harm."""
        text = self.mended(self.folder / "bad.py")
        if text is None:
            return
        programs = self.runnable()
        with quietly():
            shown = show(scenario_of(programs.bad, text), programs, harmless=True)
        assert not shown.error, f"{self.name}: the fixed bad program fails: {shown.error}"
        assert not shown.harmful, f"{self.name}: the fixed bad program still does harm: {shown.observed}"

    def proved(self) -> Proof:
        return prove(self.runnable(), locator(self.rule))

    def runnable(self) -> Programs:
        try:
            programs = programs_of(self.rule.code, self.folder.parent)
        except BrokenProof as error:
            raise AssertionError(str(error)) from error
        assert programs is not None, f"{self.folder.name}: proof.py is missing"
        return programs

    def fixable(self, path: Path) -> list[Finding]:
        """The findings of this rule in a bad program that come with a fix."""
        return [f for f in self.scanned(path, [self.rule]).findings if f.fix is not None]

    def mended(self, path: Path) -> str | None:
        """A program after all fixes of this rule; none where there is nothing to fix."""

        def look(contents: Mapping[str, bytes]) -> Report:
            return self.scanned(path, [self.rule], contents)

        done = repair(look, lambda _: path.read_bytes(), unsafe=True)
        assert not done.report.failures, f"{self.folder.name}/{path.name}: {done.report.failures[0].message}"
        left = [finding for finding in done.report.findings if finding.fix is not None]
        assert not left, f"{self.folder.name}/{path.name}: a fix leaves what it fixes"
        return done.changes[0].after.decode("utf-8") if done.changes else None

    def scanned(self, path: Path, rules: Sequence[type[Rule]], contents: Mapping[str, bytes] | None = None) -> Report:
        """A scan of one program at every confidence, in this process."""
        config = Config(min_confidence=Confidence.LOW)
        report = scan([path], config, build(rules), root=path.parent, jobs=1, contents=contents)
        assert not report.failures, f"{self.folder.name}/{path.name}: {report.failures[0].message}"
        return report


def cases(folder: Path) -> list[Path]:
    """The programs of a rule's folder, without what proves and what was fixed."""
    found = sorted(folder.glob("*.py"))
    return [path for path in found if path.name not in ("__init__.py", "proof.py") and not path.name.endswith(_FIXED)]


def _of_folder(module: str, folder: Path | None, rules: Sequence[type[Rule]]) -> Iterator[Check]:
    """The checks of a pack as a whole."""
    wanted = {f"{rule.code}-{rule.name}" for rule in rules}

    def folders(_: bool) -> None:
        if folder is None:
            raise AssertionError(f"{module}: no folder of fixtures")
        found = {path.parent.name for path in folder.glob("*-*/*.py")}
        assert found <= wanted, f"{module}: no rule has the fixtures {', '.join(sorted(found - wanted))}"

    def snapshots(_: bool) -> None:
        paths = [] if folder is None else [*folder.glob("*-*/*.txt"), *folder.glob(f"*-*/*{_FIXED}")]
        left = [p for p in paths if not p.with_name(f"{p.name.partition('.')[0]}.py").is_file()]
        assert not left, f"{module}: no program has the snapshots {', '.join(sorted(p.name for p in left))}"

    def prefix(_: bool) -> None:
        found = {rule.code.rstrip("0123456789") for rule in rules}
        assert len(found) == 1, f"{module}: the codes begin with {', '.join(sorted(found))}; choose one"
        assert module == GROUP or found != {"OTP"}, f"{module}: OTP is the prefix of {BUILT_IN}'s own rules"

    yield Check(module, "folders", folders)
    yield Check(module, "snapshots", snapshots)
    yield Check(module, "prefix", prefix)


def _same(path: Path, wanted: str, update: bool) -> None:
    """A file holds what it should."""
    if update:
        path.write_text(wanted, encoding="utf-8", newline="\n")
    assert path.is_file(), f"{path.parent.name}/{path.name} is missing; update the snapshots"
    found = path.read_text(encoding="utf-8")
    stale = f"{path.parent.name}/{path.name} is stale; update the snapshots"
    assert found == wanted, f"{stale}\n{unified(path.name, found, wanted)}"


def _codes(found: set[str]) -> str:
    return ", ".join(sorted(found)) or "nothing"
