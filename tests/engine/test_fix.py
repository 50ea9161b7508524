"""Repairs: applied to a fixpoint, never at the cost of anything else in the file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from otplint.engine.fix import ROUNDS, Change, Repaired, repair, write
from otplint.findings import Confidence, Edit, Failure, Finding, Fix, Report, Severity, Span
from otplint.sources.decode import decode
from otplint.sources.positions import LineTable

Rule = Callable[[str], list[tuple[int, int, str]]]


def words(rules: Mapping[str, str]) -> Rule:
    """A rule that replaces words."""

    def found(text: str) -> list[tuple[int, int, str]]:
        return [(m.start(), m.end(), rules[m[0]]) for m in re.finditer("|".join(rules), text)] if rules else []

    return found


class Linter:
    """Reports what its rules find in some files, each with a fix."""

    def __init__(self, files: Mapping[str, bytes], safe: Rule | None = None, unsafe: Rule | None = None) -> None:
        self.files = dict(files)
        self.rules = [(rule, is_safe) for rule, is_safe in ((safe, True), (unsafe, False)) if rule is not None]
        self.looks = 0

    def look(self, contents: Mapping[str, bytes]) -> Report:
        self.looks += 1
        texts = {path: decode(data).text for path, data in {**self.files, **contents}.items()}
        findings = [finding for path in sorted(texts) for finding in self.findings(path, texts[path])]
        return Report("1", tuple(sorted(findings, key=lambda f: f.sort_key)), sources=texts)

    def findings(self, path: str, text: str) -> list[Finding]:
        table = LineTable(text)
        found = []
        for number, (rule, is_safe) in enumerate(self.rules, start=1):
            for start, end, new in rule(text):
                span = Span(path, *table.position(start), *table.position(end))
                fix = Fix("Mend it", (Edit(span, new),), safe=is_safe)
                code = f"ABC10{number}"
                found.append(Finding(code, "x-y", Severity.LOW, Confidence.HIGH, span, "It is wrong.", fix=fix))
        return found

    def read(self, path: str) -> bytes:
        return self.files[path]

    def repair(self, *, unsafe: bool = False) -> Repaired:
        return repair(self.look, self.read, unsafe=unsafe)


def mended(data: bytes, safe: Rule, unsafe: Rule | None = None, *, also: bool = False) -> bytes:
    done = Linter({"a.py": data}, safe, unsafe).repair(unsafe=also)
    assert not done.report.failures
    return done.changes[0].after if done.changes else data


BAD_TO_GOOD = words({"bad": "good"})


def test_what_is_fixed_is_not_reported() -> None:
    done = Linter({"a.py": b"bad = bad\n", "b.py": b"x = 1\n"}, BAD_TO_GOOD).repair()
    assert done.changes == (Change("a.py", b"bad = bad\n", b"good = good\n", 2),)
    assert (done.fixed, done.withheld, done.report.findings, done.report.failures) == (2, 0, (), ())


def test_without_fixes_one_look_is_enough() -> None:
    linter = Linter({"a.py": b"x = 1\n"}, BAD_TO_GOOD)
    assert linter.repair().changes == ()
    assert linter.looks == 1


def test_unsafe_ones_wait_until_they_are_asked_for() -> None:
    linter = Linter({"a.py": b"bad, worse\n"}, BAD_TO_GOOD, words({"worse": "better"}))
    done = linter.repair()
    assert (done.changes[0].after, done.fixed, done.withheld) == (b"good, worse\n", 1, 1)
    assert [finding.code for finding in done.report.findings] == ["ABC102"]
    done = linter.repair(unsafe=True)
    assert (done.changes[0].after, done.fixed, done.withheld) == (b"good, better\n", 2, 0)


def test_a_repair_may_make_another_one_possible() -> None:
    assert mended(b"worst\n", words({"worst": "worse"}), words({"worse": "good"}), also=True) == b"good\n"


def test_of_overlapping_ones_the_first_is_applied_and_the_file_looked_at_again() -> None:
    linter = Linter({"a.py": b"aab\n"}, words({"aa": "a"}), words({"ab": "b"}))
    assert linter.repair(unsafe=True).changes[0].after == b"b\n"
    assert linter.looks == 3


@pytest.mark.parametrize(
    ("one", "other", "rounds"),
    [((1, 2), (2, 3), 1), ((1, 3), (2, 4), 2), ((2, 2), (2, 2), 2), ((1, 2), (2, 2), 2), ((2, 2), (2, 3), 2)],
)
def test_what_touches_is_not_applied_at_once(one: tuple[int, int], other: tuple[int, int], rounds: int) -> None:
    """Neighbours may; beside an insertion the order would decide."""

    def rule(place: tuple[int, int], mark: str) -> Rule:
        return lambda text: [] if mark in text else [(*place, mark + text[slice(*place)])]

    linter = Linter({"a.py": b"#abcdefg\n"}, rule(one, "7"), rule(other, "8"))
    done = linter.repair(unsafe=True)
    assert (linter.looks, done.fixed) == (rounds + 1, 2)


def test_the_edits_of_one_fix_go_together() -> None:
    text = "first\nsecond\n"
    edits = tuple(Edit(Span("a.py", line, 1, line, 1), "x = ") for line in (1, 2))
    fix = Fix("Mend it", edits, safe=True)
    found = Finding("ABC101", "x-y", Severity.LOW, Confidence.HIGH, Span("a.py", 1, 1, 1, 2), "It is wrong.", fix=fix)

    def look(contents: Mapping[str, bytes]) -> Report:
        now = contents.get("a.py", text.encode()).decode()
        return Report("1", (found,) if now == text else (), sources={"a.py": now})

    assert repair(look, lambda _: text.encode(), unsafe=False).changes[0].after == b"x = first\nx = second\n"


@pytest.mark.parametrize(
    "spans",
    [
        [("b.py", 1, 1, 1, 2)],  # not the finding's own file
        [("a.py", 1, 1, 1, 2), ("b.py", 1, 1, 1, 2)],
        [("a.py", 1, 3, 1, 1)],  # ends before it begins
        [("a.py", 1, 1, 1, 4), ("a.py", 1, 2, 1, 3)],  # one within the other
    ],
)
def test_a_fix_that_is_none_is_left_alone(spans: list[tuple[str, int, int, int, int]]) -> None:
    fix = Fix("Mend it", tuple(Edit(Span(*span), "y") for span in spans), safe=True)
    found = Finding("ABC101", "x-y", Severity.LOW, Confidence.HIGH, Span("a.py", 1, 1, 1, 2), "It is wrong.", fix=fix)
    report = Report("1", (found,), sources={"a.py": "x = 1\n"})
    done = repair(lambda _: report, lambda _: b"x = 1\n", unsafe=True)
    assert (done.changes, done.report) == ((), report)


BROKEN = words({"bad": "def ("})


def test_what_no_longer_parses_is_never_written() -> None:
    done = Linter({"a.py": b"x = 1\nbad\n"}, BROKEN).repair()
    assert done.changes == ()
    [failure] = done.report.failures
    assert (failure.path, failure.line) == ("a.py", 2)
    assert failure.message.startswith("not fixed: the fix of ABC101 leaves a syntax error: ")
    assert "\n" not in failure.message
    assert len(done.report.findings) == 1


def test_one_broken_fix_does_not_keep_the_others_away() -> None:
    done = Linter({"a.py": b"bad\nworse\n", "b.py": b"worse\n"}, BROKEN, words({"worse": "good"})).repair(unsafe=True)
    assert [(c.path, c.after) for c in done.changes] == [("a.py", b"bad\ngood\n"), ("b.py", b"good\n")]
    assert [failure.path for failure in done.report.failures] == ["a.py"]
    assert done.fixed == 2


@pytest.mark.parametrize(
    "endless",
    [
        words({"bad": "good", "good": "bad"}),
        words({"bad": "bad, bad"}),
        lambda text: [(0, 0, "x\n")],
    ],
)
def test_repairs_that_never_end_are_taken_back(endless: Rule) -> None:
    linter = Linter({"a.py": b"bad\n", "b.py": b"worse\n"}, endless, words({"worse": "bettr"}))
    linter.rules[0] = (lambda text: endless(text) if "bettr" not in text and "worse" not in text else [], True)
    done = linter.repair(unsafe=True)
    assert [(change.path, change.after) for change in done.changes] == [("b.py", b"bettr\n")]
    assert done.report.failures == (Failure("a.py", 1, "not fixed: the fixes of ABC101 do not come to an end"),)
    assert done.fixed == 1
    assert linter.looks <= ROUNDS + 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_the_byte_order_mark_stay(end: str, mark: bytes) -> None:
    text = "x = 1\nbad\ny = '\u00e9'\n".replace("\n", end)
    expected = "x = 1\ntwo\nlines\ny = '\u00e9'\n".replace("\n", end)
    assert mended(mark + text.encode(), words({"bad": "two\nlines"})) == mark + expected.encode()


def test_a_line_end_is_that_of_the_line() -> None:
    assert mended(b"bad\nbad\r\nbad", words({"bad": "a\nb"})) == b"a\nb\na\r\nb\r\na\r\nb"
    assert mended(b"bad", words({"bad": "a\nb"})) == b"a\nb"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "shift_jis", "utf-8"])
def test_the_encoding_stays(encoding: str) -> None:
    word = "\u65e5\u672c" if encoding == "shift_jis" else "\u00e9"
    text = f"# coding: {encoding}\nbad = '{word}'\n"
    assert mended(text.encode(encoding), BAD_TO_GOOD) == text.replace("bad", "good").encode(encoding)


def test_a_character_that_the_encoding_does_not_have() -> None:
    done = Linter({"a.py": b"# coding: latin-1\nbad = '\xe9'\n"}, words({"bad": "b\u0101d"})).repair()
    assert done.changes == ()
    assert done.report.failures[0].message.endswith("leaves a character that iso8859-1 does not have") or (
        "a character that iso-8859-1 does not have" in done.report.failures[0].message
    )


def test_an_encoding_that_can_be_written_in_two_ways_is_not_touched() -> None:
    """``+AGI-ad`` is ``bad`` as well; it would come back as ``bad``."""
    done = Linter({"a.py": b"# coding: utf-7\n+AGI-ad = 1\n"}, BAD_TO_GOOD).repair()
    assert done.changes == ()
    assert "more than one way to write it" in done.report.failures[0].message


def test_a_file_that_changes_while_it_is_scanned_is_not_touched() -> None:
    linter = Linter({"a.py": b"bad\n"}, BAD_TO_GOOD)
    done = repair(linter.look, lambda _: b"other\n", unsafe=False)
    assert done.changes == ()
    assert done.report.failures == (Failure("a.py", 0, "not fixed: it has changed meanwhile; run otplint again"),)


TOKENS = ["bad", "good", "worse", "b", "a", "d", "x", " ", "\n", "\r\n", "(", ")", "\u00e9", "#"]


@given(st.lists(st.sampled_from(TOKENS), max_size=12).map("".join), st.booleans(), st.booleans())
def test_repairs_come_to_an_end_and_touch_nothing_else(text: str, also_unsafe: bool, mark: bool) -> None:
    """Whatever the text: no such finding is left, once more changes nothing, and without findings nothing changes."""
    data = (b"\xef\xbb\xbf" if mark else b"") + text.encode()
    safe, unsafe = words({"bad": "good", "ab": "b"}), words({"worse": "bad"})
    done = Linter({"a.py": data}, safe, unsafe).repair(unsafe=also_unsafe)
    after = done.changes[0].after if done.changes else data
    if not safe(text) and not (also_unsafe and unsafe(text)):
        assert after == data
        assert not done.report.failures
    assume(not done.report.failures)  # a text that is no Python
    assert not safe(after.decode("utf-8-sig"))
    assert not (also_unsafe and unsafe(after.decode("utf-8-sig")))
    assert Linter({"a.py": after}, safe, unsafe).repair(unsafe=also_unsafe).changes == ()
    assert after.startswith(b"\xef\xbb\xbf") == mark
    untouched = re.sub(r"bad|good|worse|[abd]", "", text)
    assert re.sub(r"bad|good|worse|[abd]", "", after.decode("utf-8-sig")) == untouched


class TestWrite:
    def test_the_mode_stays(self, tmp_path: Path) -> None:
        path = tmp_path / "a.py"
        path.write_bytes(b"bad\n")
        path.chmod(0o754)
        assert write([Change("a.py", b"bad\n", b"good\n")], tmp_path) == ()
        assert path.read_bytes() == b"good\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o754
        assert [entry.name for entry in tmp_path.iterdir()] == ["a.py"]

    def test_a_link_stays_one(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "real" / "a.py").write_bytes(b"bad\n")
        (tmp_path / "a.py").symlink_to(Path("real") / "a.py")
        assert write([Change("a.py", b"bad\n", b"good\n")], tmp_path) == ()
        assert (tmp_path / "a.py").is_symlink()
        assert (tmp_path / "real" / "a.py").read_bytes() == b"good\n"

    def test_under_two_names_it_is_written_once(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_bytes(b"bad\n")
        (tmp_path / "b.py").symlink_to("a.py")
        assert write([Change(name, b"bad\n", b"good\n") for name in ("a.py", "b.py")], tmp_path) == ()

    def test_what_somebody_else_has_written_is_not_lost(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_bytes(b"other\n")
        failures = write([Change("a.py", b"bad\n", b"good\n")], tmp_path)
        assert failures == (Failure("a.py", 0, "not fixed: it has changed meanwhile; run otplint again"),)
        assert (tmp_path / "a.py").read_bytes() == b"other\n"

    def test_what_cannot_be_written_is_named_and_the_others_are(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("a.py", "b.py"):
            (tmp_path / name).write_bytes(b"bad\n")
        monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "a.py")
        failures = write([Change(name, b"bad\n", b"good\n") for name in ("a.py", "b.py", "c.py")], tmp_path)
        assert [(failure.path, failure.message) for failure in failures] == [
            ("a.py", "not fixed: cannot be written: the file is read-only"),
            ("c.py", "not fixed: cannot be written: No such file or directory"),
        ]
        assert (tmp_path / "a.py").read_bytes() == b"bad\n"
        assert (tmp_path / "b.py").read_bytes() == b"good\n"

    def test_a_disk_that_is_full_leaves_the_old_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a.py").write_bytes(b"bad\n")

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        [failure] = write([Change("a.py", b"bad\n", b"good\n")], tmp_path)
        assert failure.message == "not fixed: cannot be written: No space left on device"
        assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("a.py", b"bad\n")]
