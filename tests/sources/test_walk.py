from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from otplint.sources.patterns import BadPattern, Patterns
from otplint.sources.walk import DEFAULT_EXCLUDES, MissingPath, UnreadablePath, WalkError, relative_to, walk


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")


def found(root: Path, *paths: str | Path, exclude: Sequence[str] = (), respect_gitignore: bool = True) -> list[str]:
    starts = [root / path for path in paths or ("",)]
    files = list(walk(starts, root, exclude=exclude, respect_gitignore=respect_gitignore))
    assert all(file.path.is_absolute() and file.path.exists() for file in files)
    return [file.relative for file in files]


def test_python_files_sorted_and_once(tmp_path: Path) -> None:
    write(tmp_path, "b.py", "a/z.py", "a/b/c.py", "a.py", "stub.pyi", "note.txt", "a.pyc", "x.PY", "py", "d.py/e.py")
    assert found(tmp_path) == ["a.py", "a/b/c.py", "a/z.py", "b.py", "d.py/e.py"]
    assert found(tmp_path, "a", "b.py", "", "a/b/c.py", "a/../a/z.py") == found(tmp_path)


def test_files_given_by_name_need_no_suffix(tmp_path: Path) -> None:
    write(tmp_path, "script", "stub.pyi")
    assert found(tmp_path, "script", "stub.pyi") == ["script", "stub.pyi"]


def test_default_excludes(tmp_path: Path) -> None:
    write(
        tmp_path, "ok/a.py", "build.py", *(f"ok/{name}/a.py" for name in DEFAULT_EXCLUDES), "env/pyvenv.cfg", "env/x.py"
    )
    assert found(tmp_path) == ["build.py", "ok/a.py"]


def test_an_exclude_can_take_a_default_back(tmp_path: Path) -> None:
    write(tmp_path, "build/a.py", "dist/b.py")
    assert found(tmp_path, exclude=["!build/"]) == ["build/a.py"]


def test_excludes_start_at_the_root_whatever_is_given(tmp_path: Path) -> None:
    write(tmp_path, "a/gen/x.py", "a/x_pb2.py", "gen/y.py", "b/keep.py", "b/skip.py")
    exclude = ["/a/gen", "*_pb2.py", "b/*", "!b/keep.py"]
    everything = found(tmp_path, exclude=exclude)
    assert everything == ["b/keep.py", "gen/y.py"]
    assert found(tmp_path, "a", "gen", "b", exclude=exclude) == everything
    files = ["a/gen/x.py", "a/x_pb2.py", "gen/y.py", "b/keep.py", "b/skip.py"]
    assert found(tmp_path, *files, exclude=exclude) == everything
    assert found(tmp_path, "a/gen", exclude=exclude) == []


def test_everything_but(tmp_path: Path) -> None:
    write(tmp_path, "root/a.py", "root/keep.py", "keep.py")
    exclude = ["*", "!keep.py"]
    assert (
        found(tmp_path / "root", exclude=exclude)
        == found(tmp_path / "root", "keep.py", "a.py", exclude=exclude)
        == ["keep.py"]
    )
    assert found(tmp_path / "root", "../keep.py", exclude=exclude) == ["../keep.py"]


def test_files_given_by_name_honour_the_default_excludes(tmp_path: Path) -> None:
    write(tmp_path, "build/a.py", "x/node_modules/b.py", "c.py")
    assert found(tmp_path, "build/a.py", "x/node_modules/b.py", "c.py") == ["c.py"]
    assert found(tmp_path / "build", "a.py") == ["a.py"]


def test_a_directory_given_by_name_is_walked(tmp_path: Path) -> None:
    write(tmp_path, ".venv/lib/pykka/a.py", ".venv/lib/pykka/build/b.py", ".venv/pyvenv.cfg")
    assert found(tmp_path) == []
    assert found(tmp_path, ".venv/lib/pykka") == [".venv/lib/pykka/a.py"]
    assert found(tmp_path, ".venv") == [".venv/lib/pykka/a.py"]
    assert found(tmp_path, ".venv", exclude=[".venv"]) == []


def test_gitignore_files_nest(tmp_path: Path) -> None:
    write(
        tmp_path, "a.py", "gen_a.py", "sub/gen_b.py", "sub/gen_keep.py", "sub/deep/gen_c.py", "out/a.py", "x/out/b.py"
    )
    (tmp_path / ".gitignore").write_text("gen_*.py\n/out/\n")
    (tmp_path / "sub/.gitignore").write_text("!gen_keep.py\r\n# comment\r\ndeep/\r\n")
    assert found(tmp_path) == ["a.py", "sub/gen_keep.py", "x/out/b.py"]
    assert found(tmp_path, "sub") == ["sub/gen_keep.py"]
    assert len(found(tmp_path, respect_gitignore=False)) == 7


def test_what_git_ignores_can_be_asked_for_by_name(tmp_path: Path) -> None:
    write(tmp_path, "gen/a.py", "gen/inner/b.py", "gen/c.py")
    (tmp_path / ".gitignore").write_text("gen/\n")
    (tmp_path / "gen/.gitignore").write_text("c.py\n")
    assert found(tmp_path) == []
    assert found(tmp_path, "gen/a.py") == ["gen/a.py"]
    assert found(tmp_path, "gen") == ["gen/a.py", "gen/inner/b.py"]
    assert found(tmp_path, "gen/inner") == ["gen/inner/b.py"]


def test_excludes_of_the_repository(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "local.py", "sub/other.py", "nested/local.py", "nested/a.py")
    for top, text in ((tmp_path, "local.py\n/other.py\n"), (tmp_path / "nested", "a.py\n")):
        (top / ".git/info").mkdir(parents=True)
        (top / ".git/info/exclude").write_text(text)
    assert found(tmp_path) == ["a.py", "nested/local.py", "sub/other.py"]


def test_linked_work_tree(tmp_path: Path) -> None:
    write(tmp_path, "tree/a.py", "tree/local.py")
    (tmp_path / "main/.git/worktrees/tree").mkdir(parents=True)
    (tmp_path / "main/.git/worktrees/tree/commondir").write_text("../..\n")
    (tmp_path / "main/.git/info").mkdir()
    (tmp_path / "main/.git/info/exclude").write_text("local.py\n")
    (tmp_path / "tree/.git").write_text("gitdir: ../main/.git/worktrees/tree\n")
    assert found(tmp_path / "tree") == ["a.py"]


def test_rules_above_the_start_count_up_to_the_top_of_the_repository(tmp_path: Path) -> None:
    write(tmp_path, "repo/a/x.py", "repo/a/skip.py", "repo/a/b/skip.py", "repo/a/outer.py")
    (tmp_path / "repo/.git").mkdir()
    (tmp_path / ".gitignore").write_text("outer.py\n")
    (tmp_path / "repo/.gitignore").write_text("skip.py\n")
    (tmp_path / "repo/a/b/.gitignore").write_text("!skip.py\n")
    assert found(tmp_path / "repo", "a") == ["a/b/skip.py", "a/outer.py", "a/x.py"]
    assert [file.relative for file in walk([tmp_path / "repo/a"], tmp_path / "repo/a")] == [
        "b/skip.py",
        "outer.py",
        "x.py",
    ]


def test_ignores_what_git_ignores(tmp_path: Path) -> None:
    write(
        tmp_path, "a.py", "b.py", "pkg/a.py", "pkg/b.py", "pkg/c d.py", "pkg/sub/a.py", "pkg/sub/x.py", "doc/a.py",
        "doc/deep/er/a.py", "foo/bar/a.py", "foo/baz/a.py", "tmp1/a.py", "tmp2/a.py", "#hash.py", "é.py",
        "lib/keep/a.py", "lib/drop/a.py", "w/x/y.py", "w/y.py", "[br].py", "tmp[3]/a.py",
    )  # fmt: skip
    (tmp_path / ".gitignore").write_text(
        "/b.py\npkg/sub/\n!pkg/sub/x.py\ndoc/**/a.py\nfoo/*\n!foo/baz\ntmp[12]\n\\#hash.py\né.py\nlib/*\n!lib/keep/\n"
        "**/x/y.py\nc\\ d.py\n\\[br\\].py\n!\n[\n[z-a]\n trailing.py \n"
    )
    (tmp_path / "pkg/.gitignore").write_text("*\n!a.py\n!.gitignore\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}
    git = ["git", "-C", str(tmp_path), "-c", "core.excludesFile="]
    subprocess.run([*git, "init", "-q"], check=True, env=environment)
    listed = subprocess.run(
        [*git, "ls-files", "-z", "--others", "--exclude-standard", "*.py"],
        check=True,
        env=environment,
        capture_output=True,
    ).stdout.decode()
    assert found(tmp_path) == sorted(name for name in listed.split("\0") if name)


def test_links(tmp_path: Path) -> None:
    write(tmp_path, "p/real.py", "p/sub/x.py", "outside/o.py")
    (tmp_path / "p/loop").symlink_to(tmp_path / "p", target_is_directory=True)
    (tmp_path / "p/again.py").symlink_to("real.py")
    (tmp_path / "p/other.py").symlink_to(tmp_path / "outside/o.py")
    (tmp_path / "p/same.py").symlink_to(tmp_path / "outside/o.py")
    (tmp_path / "p/broken.py").symlink_to("nowhere.py")
    assert found(tmp_path / "p") == ["other.py", "real.py", "sub/x.py"]
    assert found(tmp_path / "p", "loop") == ["loop/other.py", "loop/real.py", "loop/sub/x.py"]
    assert found(tmp_path / "p", "again.py") == ["again.py"]
    assert found(tmp_path / "p", "again.py", "real.py") == found(tmp_path / "p", "real.py", "again.py") == ["real.py"]


def test_paths_outside_of_the_root(tmp_path: Path) -> None:
    write(tmp_path, "here/a.py", "there/build/b.py", "there/b_pb2.py")
    root = tmp_path / "here"
    assert [file.relative for file in walk([tmp_path / "there", root], root)] == ["../there/b_pb2.py", "a.py"]
    assert [file.relative for file in walk([tmp_path / "there/build/b.py"], root)] == ["../there/build/b.py"]
    assert list(walk([tmp_path / "there"], root, exclude=["*_pb2.py"])) == []
    assert relative_to("/one/a.py", "/two") == "/one/a.py"
    assert relative_to("/two/a.py", "/") == "two/a.py"
    assert relative_to("/two", "/two") == "."
    assert relative_to("/twofold/a.py", "/two") == "/twofold/a.py"


def test_relative_paths_start_at_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a/b.py")
    monkeypatch.chdir(tmp_path / "a")
    assert [file.relative for file in walk([Path()], tmp_path)] == ["a/b.py"]
    assert [file.relative for file in walk([Path("b.py")], Path(".."))] == ["a/b.py"]


@pytest.mark.parametrize("name", ["nowhere", "a.py/b.py", "nul\0.py", "x" * 5000])
def test_missing_path(tmp_path: Path, name: str) -> None:
    write(tmp_path, "a.py")
    with pytest.raises(MissingPath, match="no such file or directory") as caught:
        walk([tmp_path / "a.py", tmp_path / name], tmp_path)  # raised by the call, not by the first file
    assert "\n" not in str(caught.value)


def test_file_names_that_are_not_unicode(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.py")
    try:
        Path(path).write_text("")
    except OSError:  # macOS has none
        return
    (file,) = walk([tmp_path], tmp_path)
    assert file.relative == "a\\xff.py"
    assert str(file.path) == path


def test_unreadable_directories_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.py", "closed/b.py")
    scandir = os.scandir

    def closed(path: str) -> object:  # modes do not stop root
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    told: list[tuple[str, str]] = []
    files = walk([tmp_path], tmp_path, on_error=lambda path, message: told.append((path, message)))
    assert [file.relative for file in files] == ["a.py"]
    assert told == [("closed", "directory cannot be read: Permission denied")]
    with pytest.raises(UnreadablePath, match="closed: directory cannot be read"):
        walk([tmp_path], tmp_path)


def test_bad_patterns(tmp_path: Path) -> None:
    with pytest.raises(WalkError, match=r"^exclude: .*'\[z-a\]'"):
        walk([tmp_path], tmp_path, exclude=["ok", "[z-a]"])
    with pytest.raises(BadPattern, match="'!'"):
        Patterns(["!"])
    assert Patterns(["!", "[z-a]", "a"], forgiving=True).matches("x/a")
    assert not Patterns(["!"], forgiving=True)


def test_no_pattern_no_pathspec(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    code = (
        "import sys; from pathlib import Path; from otplint.sources.walk import walk; from otplint.sources.root import "
        f"is_test_file; list(walk([Path({str(tmp_path)!r})], Path({str(tmp_path)!r}))); is_test_file('a'); "
        "sys.exit('pathspec' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
