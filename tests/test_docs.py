"""The documentation says what is so: generated pages are not stale, and links lead somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from otplint.engine.packs import load_rules
from otplint.findings import RuleInfo
from otplint.output.pages import page_name, page_url

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
INFOS = [rule().info() for rule in load_rules() if rule.pack == "otplint"]
HINT = "`make docs` brings these up to date"


@pytest.fixture(scope="module")
def generator() -> Iterator[ModuleType]:
    """``docs/generate.py``, which is a script."""
    spec = importlib.util.spec_from_file_location("otplint_docs", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_no_generated_page_is_stale(generator: ModuleType, request: pytest.FixtureRequest) -> None:
    """Rules' pages, tables of rules and proofs, the README's example, the walk through the report's system."""
    if request.config.getoption("--snapshot-update"):
        generator.write()
    assert generator.stale() == [], HINT


def test_a_stale_page_is_found(generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator on a copy where a page was changed by hand, one is gone, and one is of a rule that is gone."""
    pages = generator.documents()
    monkeypatch.setattr(generator, "documents", lambda: pages)
    monkeypatch.setattr(generator, "ROOT", tmp_path)
    assert set(generator.write()) == set(pages)
    assert generator.stale() == []
    first, second, *_ = sorted(path for path in pages if path.startswith("docs/rules/OTP"))
    (tmp_path / first).write_text(pages[first].replace("**Severity:**", "**Severity:** very"), encoding="utf-8")
    (tmp_path / second).unlink()
    (tmp_path / "docs/rules/OTP999-some-thing.md").write_text("x\n", encoding="utf-8")
    assert generator.stale() == sorted([first, second, "docs/rules/OTP999-some-thing.md"])
    generator.write()
    assert generator.stale() == []


def test_a_figure_that_changes_makes_pages_stale(generator: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages are made of what was recorded: its rule's page, the table of proofs, the walk through the system."""

    def wrong_stale() -> set[str]:
        return {path for path, text in generator.documents().items() if generator.current(path) != text}

    measured = json.loads((ROOT / "fixtures/OTP402-raw-send-fallback/measured.json").read_text(encoding="utf-8"))
    assert measured["bad"]["observed"]["times executed"] == 2
    true = generator.recorded

    def false(folder: Path) -> object:
        proof = true(folder)
        proof.bad.observed["times executed"] = 3
        return type(proof)(**{**vars(proof), "items": tuple(_harmless(item) for item in proof.items)})

    def _harmless(item: object) -> object:
        return type(item)(**{**vars(item), "before": "nothing"})

    before = wrong_stale()
    monkeypatch.setattr(generator, "recorded", false)
    monkeypatch.setattr("otplint.proof.record.recorded", false)
    assert wrong_stale() - before >= {
        "docs/rules/OTP402-raw-send-fallback.md",
        "docs/proofs.md",
        "docs/before-and-after.md",
    }


@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.code)
def test_the_address_of_a_rule_leads_to_its_page(info: RuleInfo) -> None:
    """SARIF's ``helpUri`` names a file of the tag."""
    path = page_url(info, "1.0.0").partition("/blob/v1.0.0/")[2]
    assert path == f"docs/rules/{page_name(info)}"


def anchors(text: str) -> set[str]:
    """The names of a page's headings, as code forges make them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        assert place.exists(), target
        if place.suffix == ".md" and anchor:
            assert anchor in anchors(place.read_text(encoding="utf-8")), target
        if re.fullmatch(r"L\d+", anchor):
            assert int(anchor[1:]) <= place.read_text(encoding="utf-8").count("\n"), target


class TestTheWalkThroughTheSystem:
    """What docs/before-and-after.md promises of itself."""

    TEXT = (ROOT / "docs" / "before-and-after.md").read_text(encoding="utf-8")

    def test_each_finding_is_there_with_its_line(self, generator: ModuleType) -> None:
        for finding in generator.report_of("before").findings:
            file = finding.span.path.partition("/before/")[2]
            assert f"[before/{file}:{finding.span.line}]" in self.TEXT
            assert finding.problem.split()[0] in self.TEXT

    def test_each_figure_is_there(self, generator: ModuleType) -> None:
        for item in generator.proof_of_system().items:
            assert f"| {item.name} | " in self.TEXT

    def test_each_item_of_the_report_is_there(self, generator: ModuleType) -> None:
        wanted = ["Flaw 13", "Smell 6", "Smell 7", "Bug 4", *(f"Recommendation {n}" for n in (1, 2, 3, 4))]
        assert [re.sub(r":.*", "", line[3:]) for line in self.TEXT.splitlines() if line.startswith("## ")][:8] == wanted
