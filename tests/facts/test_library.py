"""Sources that are forgotten to save memory, and what is said of places in them."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from otplint.config import Config
from otplint.engine.packs import load_rules
from otplint.engine.run import scan
from otplint.engine.select import build
from otplint.facts import library
from otplint.facts.source import Source
from otplint.findings import Confidence, Report

RULES = build(load_rules())
FIXTURES = Path(__file__).parents[2] / "fixtures"
LOOSE = replace(Config(), min_confidence=Confidence.LOW)


def look(root: Path) -> Report:
    return scan([root], LOOSE, RULES, root=root, jobs=1)


@pytest.mark.parametrize("name", ["flaws_report3", "frameworks/pykka", "frameworks/xoscar", "rq", "xoscar"])
def test_what_is_forgotten_is_found_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan that keeps one file at a time says what one says that keeps them all, and parses some files again."""
    root = FIXTURES / name
    if not root.is_dir():
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        root = Path(spec.origin).parent
    made: list[str] = []
    begin = Source.__init__

    def counted(source: Source, *given: object) -> None:
        begin(source, *given)  # type: ignore[arg-type]  # whatever it takes
        made.append(source.path)

    monkeypatch.setattr(Source, "__init__", counted)
    kept = look(root)
    once = len(made)
    monkeypatch.setattr(library, "_MOST", 0)
    assert look(root) == kept
    assert kept.findings
    assert once == len(set(made))
    assert len(made) - once >= once


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("comment", ["# otplint: ignore[OTP203] - known", ""])
def test_a_comment_at_the_head_of_a_statement_hides_what_is_found_by_all_together(
    tmp_path: Path, jobs: int, comment: str
) -> None:
    """Such a finding is made when no file need be open any more."""
    (tmp_path / "tools.py").write_text(
        f"def careful(step):\n    try:\n        return step()\n    except (\n        Exception\n    ):  {comment}\n"
        "        return None\n"
    )
    for i in range(24):
        (tmp_path / f"bank{i}.py").write_text(
            "import pykka\nfrom tools import careful\n\nclass Bank(pykka.ThreadingActor):\n"
            "    def on_receive(self, message):\n        self.state = careful(lambda: 1 / message)\n"
        )
    found = scan([tmp_path], LOOSE, [r for r in RULES if r.code == "OTP203"], root=tmp_path, jobs=jobs)
    assert [f.code for f in found.findings] == ([] if comment else ["OTP203"])
    assert found.suppressed == (1 if comment else 0)
