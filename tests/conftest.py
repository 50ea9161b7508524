"""What the tests of several rooms share: paths, hypothesis profiles, and a command line to call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Fixed examples: the same run twice gives the same answer. `make soak` looks further.
settings.register_profile("default", deadline=None, derandomize=True, max_examples=50, database=None)
settings.register_profile(
    "soak", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which frameworks' programs run; see ``tests/frameworks``."""
    parser.addoption(
        "--frameworks", help="run the programs of these frameworks (ray,distributed), not of the small ones"
    )


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    status: int
    out: str
    err: str


Command = Callable[..., Answer]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's top folder."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture
def otplint(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[Sequence[str]], Answer]:
    """Run the command line in this process, in an empty folder unless told otherwise."""

    def call(arguments: Sequence[str], cwd: Path | None = None) -> Answer:
        from otplint.cli import run

        monkeypatch.chdir(cwd or tmp_path)
        capsys.readouterr()
        status = run(arguments)
        captured = capsys.readouterr()
        return Answer(status, captured.out, captured.err)

    return call
