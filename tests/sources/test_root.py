from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from otplint.sources.patterns import BadPattern, Patterns
from otplint.sources.root import DEFAULT_TEST_FILES, common_start, is_test_file, project_root


def test_the_configuration_file_decides(tmp_path: Path) -> None:
    (tmp_path / "repo/.git").mkdir(parents=True)
    start = tmp_path / "repo/pkg"
    start.mkdir()
    assert project_root(start, tmp_path / "settings/otplint.toml") == tmp_path / "settings"
    assert project_root(start, cwd=tmp_path) == tmp_path / "repo"


def test_then_git_then_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = tmp_path / "a/b"
    start.mkdir(parents=True)
    assert project_root(start, cwd=tmp_path) == tmp_path
    monkeypatch.chdir(tmp_path)
    assert project_root(start) == tmp_path
    (tmp_path / "a/.git").write_text("gitdir: elsewhere\n")  # a linked work tree
    assert project_root(start) == tmp_path / "a"
    assert project_root(tmp_path / "a") == tmp_path / "a"


def test_agrees_with_git(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    start = tmp_path / "x/y"
    start.mkdir(parents=True)
    top = subprocess.run(
        ["git", "-C", str(start), "rev-parse", "--show-toplevel"], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert project_root(start).samefile(top)


def test_the_search_starts_at_what_is_scanned(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/x.py").write_text("")
    assert common_start([Path("a/x.py")], cwd=tmp_path) == tmp_path / "a"
    assert common_start([Path("a/x.py"), tmp_path / "a/b"], cwd=tmp_path) == tmp_path / "a"
    assert common_start([Path("a"), Path()], cwd=tmp_path) == tmp_path
    assert common_start([], cwd=tmp_path) == tmp_path


NAMES = [
    "tests/x.py", "pkg/tests/deep/x.py", "test/x.py", "a/test_x.py", "x_test.py", "conftest.py", "a/conftest.py",
    "benchmarks/load.py", "a/benchmark/x.py", "a/api_test_utils.py", "send_benchmark.py", "microbenchmark.py",
    "io_perf.py",
    "testing/x.py", "latest.py", "tests.py", "contest.py", "a/test_x.txt", "attest/x.py", "test_dir/x.py", "mytest.py",
    "benchmarks.py", "test_utils/x.py", "perf.py",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_short_way_agrees_with_the_patterns(name: str) -> None:
    assert is_test_file(name) == Patterns(DEFAULT_TEST_FILES).matches(name) == (NAMES.index(name) < 13)


def test_other_patterns_replace_the_default() -> None:
    assert is_test_file("spec/a.py", ["spec/"])
    assert not is_test_file("tests/a.py", ["spec/"])
    assert not is_test_file("tests/a.py", [])
    with pytest.raises(BadPattern):
        is_test_file("a.py", ["!"])
