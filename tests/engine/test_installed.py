"""Base classes of installed packages: found where the user says so, read and never imported, and no others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otplint.config import Config
from otplint.engine.collect import Files
from otplint.engine.installed import Installed
from otplint.engine.packs import load_rules
from otplint.engine.run import scan
from otplint.facts.frameworks import Vocabulary, shipped
from otplint.facts.index.entries import ModuleIndex
from otplint.findings import Report
from otplint.sources.installed import NoSearchPath, search_roots

PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "house-actors"
version = "1"
[tool.setuptools]
packages = ["house", "house.impl"]
"""
HOUSE = {
    "pyproject.toml": PYPROJECT,
    "house/__init__.py": "from house.impl import *\nfrom house.plain import Plain\nraise SystemExit('imported')\n",
    "house/plain.py": "class Plain: ...\nclass Strange(Plain): ...\n",
    "house/impl/__init__.py": "from ._agent import Agent as HouseAgent\n",
    "house/impl/_agent.py": "import pykka as p\n_Root = p.ThreadingActor\nclass Agent(_Root): ...\n",
}
BODY = """\
    def play(self, track):
        try:
            self.now = track.load()
        except Exception:
            pass
"""
PROJECT = {
    "radio/__init__.py": "",
    "radio/compat.py": "try:\n    from house import HouseAgent as Base\nexcept ImportError:\n    Base = object\n",
    "radio/player.py": "from radio.compat import Base\nclass Player(Base):\n" + BODY,
    "radio/tuner.py": "import house\nclass Tuner(house.HouseAgent):\n" + BODY,
    "radio/plain.py": "import house\nclass Plain(house.Plain):\n" + BODY,
    "radio/other.py": "class Other:\n" + BODY,
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def check(root: Path, *search_paths: str) -> Report:
    rules = [rule() for rule in load_rules() if rule.code == "OTP201"]
    return scan([root], Config(search_paths=search_paths), rules, root=root, jobs=1)


def paths(report: Report) -> list[str]:
    assert report.failures == ()
    return sorted({finding.span.path for finding in report.findings})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a virtual environment of its own, in which a small distribution is installed."""
    root = write(tmp_path_factory.mktemp("project"), PROJECT)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / ".venv")], check=True)
    site = next((root / ".venv").glob("[Ll]ib/**/site-packages"))
    source = write(tmp_path_factory.mktemp("house"), HOUSE)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--no-index"]
    done = subprocess.run([*pip, "--target", str(site), str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root


def test_bases_of_a_virtual_environment_are_found_where_it_is_named(project: Path) -> None:
    assert paths(check(project)) == []
    assert paths(check(project, ".venv")) == ["radio/player.py", "radio/tuner.py"]


def test_a_directory_of_packages_does_as_well(project: Path) -> None:
    site = next((project / ".venv").glob("[Ll]ib/**/site-packages"))
    assert paths(check(project, str(site))) == ["radio/player.py", "radio/tuner.py"]
    assert paths(check(project, "radio", site.relative_to(project).as_posix())) == ["radio/player.py", "radio/tuner.py"]


def test_packages_installed_to_be_edited_are_found_by_their_path_files(tmp_path: Path) -> None:
    write(tmp_path / "app", PROJECT)
    write(tmp_path / "house", HOUSE)
    write(
        tmp_path / "env", {"pyvenv.cfg": "", "lib/python3.12/site-packages/house.pth": "import os\n../../../../house\n"}
    )
    assert paths(check(tmp_path / "app", "../env")) == ["radio/player.py", "radio/tuner.py"]


def test_only_what_the_project_derives_from_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "app", PROJECT)
    site = write(
        tmp_path / "site", {**HOUSE, "big/__init__.py": "class Big: ...\n", "threading.py": "class Thread: ...\n"}
    )
    read: list[str] = []
    load = Installed._load

    def noted(self: Installed, path: str) -> ModuleIndex | None:
        read.append(path)
        return load(self, path)

    monkeypatch.setattr(Installed, "_load", noted)
    assert paths(check(tmp_path / "app", str(site))) == ["radio/player.py", "radio/tuner.py"]
    there = {path for path in read if Path(path).is_file()}
    assert {Path(path).relative_to(site).as_posix() for path in there} == {
        "house/__init__.py", "house/impl/__init__.py", "house/impl/_agent.py", "house/plain.py"
    }  # fmt: skip
    assert len(read) == len(set(read))


def test_a_broken_installed_file_is_somebody_else_s_business(tmp_path: Path) -> None:
    write(tmp_path / "app", PROJECT)
    site = write(tmp_path / "site", {**HOUSE, "house/impl/_agent.py": "class Agent(:\n"})
    assert paths(check(tmp_path / "app", str(site))) == []


def test_a_framework_s_own_source_does_not_hide_its_names(tmp_path: Path) -> None:
    """pykka itself is installed: ``pykka.ThreadingActor`` is what its data calls so, wherever its source has it."""
    write(tmp_path / "app", PROJECT)
    inner = "class Actor: ...\n"
    outer = "from pykka._actor import Actor\nclass ThreadingActor(Actor): ...\n"
    pykka = {"pykka/__init__.py": "from pykka._t import ThreadingActor\nfrom pykka._actor import Actor\n"}
    pykka |= {"pykka/_t.py": outer, "pykka/_actor.py": inner}
    site = write(tmp_path / "site", HOUSE | pykka)
    assert paths(check(tmp_path / "app", str(site))) == ["radio/player.py", "radio/tuner.py"]
    installed = Installed(search_roots([str(site)], tmp_path), Vocabulary(shipped()), Files(tmp_path))
    assert installed.bases("house.HouseAgent") == ("pykka.ThreadingActor",)
    assert installed.root("house.HouseAgent") == "pykka.ThreadingActor"
    assert installed.root("house.Plain") == installed.root("house.Missing") == installed.root("os.PathLike") == ""


def test_real_pykka_answers_for_what_derives_from_it(tmp_path: Path) -> None:
    import pykka

    site = str(Path(pykka.__file__).parent.parent)
    installed = Installed(search_roots([site], tmp_path), Vocabulary(shipped()), Files(tmp_path))
    assert installed.bases("pykka.ThreadingActor") == ("pykka.Actor",)


def test_a_directory_that_does_not_exist_is_one_line(tmp_path: Path, otplint: Callable[..., Any]) -> None:
    write(tmp_path, {**PROJECT, "otplint.toml": 'search-paths = [".env"]\n'})
    answer = otplint(["check", "."])
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.strip().splitlines() == ["otplint: error: otplint.toml: search-paths: no such directory: .env"]
    answer = otplint(["check", ".", "--config", "search-paths=['nowhere']"])
    assert answer.status == 2
    assert answer.err.strip().splitlines() == ["otplint: error: --config: search-paths: no such directory: nowhere"]
    with pytest.raises(NoSearchPath):
        search_roots(["radio/player.py"], tmp_path)


def test_a_string_in_the_place_of_the_list_is_one_line(tmp_path: Path, otplint: Callable[..., Any]) -> None:
    write(tmp_path, {"otplint.toml": 'search-paths = ".venv"\n'})
    answer = otplint(["check", "."])
    assert answer.status == 2
    assert "otplint.toml: search-paths: expected a list of strings, found a string" in answer.err
