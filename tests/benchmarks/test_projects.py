from __future__ import annotations

import ast
import sys
import zipfile
from pathlib import Path

import pytest

from benchmarks import projects
from benchmarks.projects import COMPARED, VERSIONS, BenchmarkError, edited, extent, pip, sources, staged, unpacked

TEXT = """\
class Short:
    def one(self):
        return 1


class Long:
    def __init__(self, a):
        self.a = a

    async def run(
        self,
        more,
    ) -> int:
        try:
            return 2

        finally:
            self.a = more
        return 3

    x = 1


def after():
        return 5
"""


def test_an_edit_adds_one_statement_to_the_longest_method() -> None:
    text = edited(TEXT, 17)
    ast.parse(text)
    before, after = TEXT.split("\n"), text.split("\n")
    assert after.index("        edit_of_the_benchmark = 17") == before.index("        return 3")
    assert [line for line in after if "edit_of_the_benchmark" not in line] == before


def test_each_edit_is_another_text() -> None:
    assert len({edited(TEXT, number) for number in range(5)}) == 5


@pytest.mark.parametrize("text", ["", "x = 1\n", "class A:\n    def f(self):\n        pass\n"])
def test_what_has_no_place_for_an_edit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no method"):
        edited(text, 1)


def test_staged_files_are_spread_over_the_project() -> None:
    paths = sorted([f"a/m{n:03}.py" for n in range(100)] + ["a/__init__.py", "a/tests/test_x.py"])
    chosen = staged(paths)
    assert chosen == [f"a/m{n:03}.py" for n in range(0, 100, 10)]
    assert staged(["a/one.py", "a/__init__.py"]) == ["a/one.py"]
    assert staged([]) == []


def test_the_extent_counts_python_only(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "a.py").write_bytes(b"x = 1\r\ny = 2\n")
    (tmp_path / "pkg" / "b.txt").write_text("no\n")
    assert sources(tmp_path) == ["pkg/a.py"]
    assert extent(tmp_path) == projects.Extent(1, 2)


def test_every_project_that_is_compared_has_a_release() -> None:
    assert set(COMPARED) <= set(VERSIONS)


def test_what_pip_cannot_get_is_named(tmp_path: Path) -> None:
    nowhere = ["download", "--no-index", "--dest", str(tmp_path)]
    with pytest.raises(BenchmarkError, match=r"pip cannot get no-such-thing==1\.0: .*no-such-thing") as caught:
        pip(Path(sys.executable), nowhere, ["no-such-thing==1.0"])
    assert "\n" not in str(caught.value)


def test_a_release_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def download(_: Path, command: list[str], packages: list[str]) -> None:
        asked.extend(packages)
        with zipfile.ZipFile(Path(command[command.index("--dest") + 1]) / "x.whl", "w") as wheel:
            wheel.writestr("pykka/__init__.py", "")

    monkeypatch.setattr(projects, "pip", download)
    folder = unpacked("pykka", tmp_path)
    assert (folder / "pykka" / "__init__.py").is_file()
    assert unpacked("pykka", tmp_path) == folder
    assert asked == [f"pykka=={VERSIONS['pykka']}"]


def test_a_broken_download_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(_: Path, command: list[str], __: list[str]) -> None:
        (Path(command[command.index("--dest") + 1]) / "x.whl").write_bytes(b"no archive")

    monkeypatch.setattr(projects, "pip", download)
    with pytest.raises(BenchmarkError, match=r"pykka-[\d.]+: the download cannot be unpacked"):
        unpacked("pykka", tmp_path)
    assert list((tmp_path / "projects").iterdir()) == []
