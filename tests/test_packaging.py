"""What reaches the users: the wheel holds every module, rule, fixture and framework, and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import otplint
from otplint.config import _parse as parse_toml

ROOT = Path(__file__).resolve().parent.parent
MAPPED = {"otplint": "otplint", "otplint.rules": "rules", "otplint.fixtures": "fixtures"}
BUILD = "import sys, setuptools.build_meta as backend; backend.build_wheel(sys.argv[1])"


def settings() -> dict[str, Any]:
    return parse_toml((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def shipped(folder: Path) -> set[str]:
    """The files of a folder of the tree that belong into the wheel, relative to it."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without the network from a copy: a build folder in the tree would ship deleted rules."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for folder in MAPPED.values():
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(out)], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


def test_the_list_of_packages_is_that_of_the_tree() -> None:
    found = set()
    for package, folder in MAPPED.items():
        tops = (
            [ROOT / folder / "__init__.py"] if package == "otplint.fixtures" else (ROOT / folder).rglob("__init__.py")
        )
        for path in tops:
            below = path.parent.relative_to(ROOT / folder).parts
            found.add(".".join([package, *below]))
    assert sorted(found) == settings()["tool"]["setuptools"]["packages"]


def test_rules_are_one_flat_folder() -> None:
    assert {path.parent for path in (ROOT / "rules").rglob("*.py")} == {ROOT / "rules"}


def test_the_wheel_holds_the_tree_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {f"otplint/{name}" for name in shipped(ROOT / "otplint")}
    expected |= {f"otplint/rules/{name}" for name in shipped(ROOT / "rules")}
    expected |= {f"otplint/fixtures/{name}" for name in shipped(ROOT / "fixtures")}
    assert sorted(names) == sorted(expected)


def test_the_wheel_works_where_it_is_unpacked(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    # -S would lose the dependencies: put the wheel first, and make sure that it is the one that answers.
    program = (
        "import otplint, otplint.rules, otplint.fixtures, sys\n"
        "sys.stderr.write(repr([m.__file__ for m in (otplint, otplint.rules, otplint.fixtures)]))\n"
        "sys.argv = ['otplint', 'rules', '--format', 'json']\n"
        "from otplint.__main__ import main; main()"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(str(tmp_path / "site")) == 3
    assert {rule["code"] for rule in json.loads(done.stdout)} >= {"OTP901"}


def test_the_proofs_run_where_the_wheel_is_unpacked(wheel: Path, tmp_path: Path) -> None:
    """A rule's programs, and a system that is a package with a crash script."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "empty").mkdir()
    program = (
        "import sys; sys.argv = ['otplint', 'prove', '--format', 'json', 'OTP402', 'flaws_report3']\n"
        "from otplint.__main__ import main; main()"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "APP_ENV": "test"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path / "empty", env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("2 of 2 proofs hold")
    assert [proof["code"] for proof in json.loads(done.stdout)["proofs"]] == ["OTP402", "flaws_report3"]


def test_one_version_everywhere(wheel: Path) -> None:
    assert wheel.name.startswith(f"otplint-{otplint.__version__}-")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## (\d+\.\d+\.\d+)", changes, flags=re.MULTILINE)
    assert released[0] == otplint.__version__


def test_classifiers_and_the_floor_agree() -> None:
    project = settings()["project"]
    minors = [int(name.rpartition(".")[2]) for name in project["classifiers"] if re.search(r":: 3\.\d+$", name)]
    assert project["requires-python"] == f">=3.{min(minors)}"
    assert sys.version_info >= (3, min(minors))


def test_the_hook_scans_what_it_is_given() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    assert "id: otplint\n" in text
    assert "entry: otplint check\n" in text
    assert "require_serial: true" in text
