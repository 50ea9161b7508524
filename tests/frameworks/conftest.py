"""Which frameworks' programs run: those that are installed with the tests, or those that were asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HEAVY = ("distributed", "ray")
"""Hundreds of megabytes: `make test-frameworks` installs them and asks for them."""
SINCE: dict[str, tuple[int, int]] = {"triotp": (3, 13)}
"""Frameworks without a release for the older of our Python versions (see the markers in pyproject.toml)."""
_PROGRAMS = Path(__file__).resolve().parents[2] / "fixtures" / "frameworks"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests that ask for a ``program`` the names of the frameworks whose packages are there."""
    if "program" in metafunc.fixturenames:
        everything = sorted(path.parent.name for path in _PROGRAMS.glob("*/program.py"))
        asked = metafunc.config.getoption("--frameworks")
        wanted = asked.split(",") if asked else [name for name in everything if name not in HEAVY]
        unknown = sorted(set(wanted) - set(everything))
        if unknown:
            raise pytest.UsageError(f"--frameworks: no program for {', '.join(unknown)}")
        metafunc.parametrize("program", [n for n in wanted if sys.version_info >= SINCE.get(n, (3, 10))])
