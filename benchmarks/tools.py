"""The tools that are compared: how each is installed, what it is asked, and how it starts in each mode."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.projects import BenchmarkError, pip

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MEASURING = ("psutil==7.2.2", "matplotlib==3.11.2")
"""What the benchmark itself needs, in an environment of its own."""
PYLINT_CHECKS = "broad-exception-caught,bare-except,magic-value-comparison,too-many-instance-attributes"
RUFF_RULES = "BLE,ASYNC,PLR2004,RUF006,S110,S112,E722,TRY"
BANDIT_TESTS = "B110,B112"


@dataclass(frozen=True)
class Tool:
    """One tool in its own environment."""

    name: str
    packages: tuple[str, ...]
    """As pip takes them, pinned."""
    command: tuple[str, ...]
    """The program in the environment's ``bin`` and its arguments; ``{peers}`` is the folder of our settings for it."""
    everything: tuple[str, ...] = (".",)
    """What it is given to scan the current directory."""
    uncached: tuple[str, ...] = ()
    """What makes it do without its cache."""
    cached: bool = False
    """Whether it has a cache at all: the others take as long the second time as the first."""
    fine: frozenset[int] = frozenset({0, 1})
    """The exit statuses of a run that did its work."""
    asked: str = ""
    """What it looks for, for readers."""

    def run(self, folder: Path, mode: str, files: Sequence[str]) -> list[str]:
        """The whole command of one run in ``mode``, with the environment in ``folder``."""
        program, *arguments = self.command
        arguments = [argument.replace("{peers}", str(HERE / "peers")) for argument in arguments]
        targets = files if mode == "staged" else self.everything
        return [str(binary(folder, program)), *arguments, *(self.uncached if mode == "cold" else ()), *targets]


OTPLINT = Tool(
    "otplint",
    (),
    ("otplint", "check", "--isolated", "--quiet", "--format", "concise"),
    uncached=("--no-cache",),
    cached=True,
    asked="all its rules",
)
PEERS = (
    Tool(
        "ruff",
        ("ruff==0.17.6",),
        ("ruff", "check", "--isolated", "--quiet", "--output-format", "concise", "--select", RUFF_RULES),
        uncached=("--no-cache",),
        cached=True,
        asked=f"`--select {RUFF_RULES}`",
    ),
    Tool(
        "bandit",
        ("bandit==1.9.4",),
        (
            *("bandit", "--quiet", "--tests", BANDIT_TESTS),
            *("--format", "custom", "--msg-template", "{relpath}:{line}:{col}: {test_id}"),
        ),
        everything=("--recursive", "."),
        asked=f"`--tests {BANDIT_TESTS}`",
    ),
    Tool(
        "semgrep",
        ("semgrep==1.180.0",),
        (
            *("semgrep", "scan", "--config", "{peers}/semgrep.yaml", "--metrics", "off", "--disable-version-check"),
            *("--no-git-ignore", "--quiet", "--emacs"),
        ),
        asked="six local rules, `benchmarks/peers/semgrep.yaml`",
    ),
    Tool(
        "pylint",
        ("pylint==4.1.4",),
        (
            *("pylint", "--rcfile=/dev/null", "--persistent=n", "--recursive=y", "--score=n"),
            *("--load-plugins=pylint.extensions.magic_value", "--disable=all", f"--enable={PYLINT_CHECKS}"),
        ),
        fine=frozenset(status for status in range(32) if not status & 1),  # bits: 1 is fatal, 32 wrong usage
        asked=f"`--enable={PYLINT_CHECKS}`",
    ),
    Tool(
        "fixit",
        ("fixit==2.2.1",),
        ("fixit", "--quiet", "lint"),
        fine=frozenset({0, 1, 2, 3}),  # bits: 1 findings, 2 files it cannot parse
        asked="four local rules, `benchmarks/peers/actor_rules.py`",
    ),
    Tool(
        "flake8-async",
        ("flake8-async==26.8.1", "flake8==7.5.0"),
        ("flake8", "--isolated", "--select", "ASYNC"),
        asked="`flake8 --select ASYNC`",
    ),
)
ENVIRONMENT = {
    "SEMGREP_SEND_METRICS": "off",
    "SEMGREP_ENABLE_VERSION_CHECK": "0",
    "PYTHONDONTWRITEBYTECODE": "",  # as users have it: compiled modules are kept
    "NO_COLOR": "1",
}


def binary(folder: Path, program: str) -> Path:
    """A program of an environment."""
    return folder / ("Scripts" if sys.platform == "win32" else "bin") / program


def environment(name: str, packages: Sequence[str], cache: Path) -> Path:
    """The folder of an environment with these packages, made on first use.

    Raises:
        BenchmarkError: they cannot be installed.
    """
    versions = "-".join(package.replace("==", "-") for package in packages)
    folder = cache / "tools" / f"{name}-py{sys.version_info[0]}.{sys.version_info[1]}-{versions}"
    done = folder / "done"
    if not done.exists():
        _make(folder)
        pip(binary(folder, "python"), ["install"], packages)
        done.touch()
    return folder


def otplint_itself(cache: Path) -> Path:
    """An environment with this checkout installed as users install it: an editable one would start slower."""
    folder = cache / "tools" / f"otplint-py{sys.version_info[0]}.{sys.version_info[1]}"
    if not binary(folder, "python").exists():
        _make(folder)
    with tempfile.TemporaryDirectory() as scratch:  # building in the checkout would leave a `build` there
        for name in ("otplint", "rules", "fixtures"):
            shutil.copytree(ROOT / name, Path(scratch) / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, scratch)
        pip(binary(folder, "python"), ["install"], [scratch])
        pip(binary(folder, "python"), ["install", "--force-reinstall", "--no-deps"], [scratch])
    return folder


def _make(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", folder], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchmarkError(f"cannot make an environment in {folder}: {(done.stderr or done.stdout).strip()}")


def knows(folder: Path, flag: str) -> bool:
    """Whether the installed ``otplint check`` has a flag."""
    done = subprocess.run([binary(folder, "otplint"), "check", "--help"], capture_output=True, text=True, check=False)
    return flag in done.stdout


def place_settings(projects: Path) -> None:
    """Put what Fixit reads above the projects."""
    for name in ("fixit.toml", "actor_rules.py"):
        shutil.copy(HERE / "peers" / name, projects)
