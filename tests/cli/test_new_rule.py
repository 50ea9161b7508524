"""``otplint new-rule``: what it writes holds to the house rules at once, and what it cannot write is refused."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otplint.cli.new_rule import _CHECKOUT
from otplint.cli.scaffold import NewRule, with_change
from otplint.engine.packs import load_rules

COPIED = ("otplint", "rules", "fixtures", "docs", "tests/rules", "tests/conftest.py", "tests/test_house.py",
          "tests/test_docs.py", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "pyproject.toml")  # fmt: skip
NAME = "till-left-open"
HIGHEST = max(rule.code for rule in load_rules() if rule.code < "OTP900")
NEXT = f"OTP{int(HIGHEST[3:]) + 1}"


@pytest.fixture
def checkout(repository: Path, tmp_path: Path) -> Path:
    """A copy of what a rule's author has; generated pages are up to date."""
    root = tmp_path / "checkout"
    for name in COPIED:
        source, target = repository / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    inside(root, "import runpy; runpy.run_path('docs/generate.py', run_name='__main__')")
    return root


def inside(root: Path, program: str) -> str:
    """Run a program with the code of a checkout."""
    done = subprocess.run(
        [sys.executable, "-c", _CHECKOUT + program, str(root)], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_in_a_checkout_the_house_tests_hold_at_once(otplint: Any, checkout: Path) -> None:
    answer = otplint(["new-rule", "till_left_open"], checkout)
    assert answer.status == 0, answer.err
    folder = f"fixtures/{NEXT}-{NAME}"
    made = [f"rules/{NAME.replace('-', '_')}.py", *(f"{folder}/{name}.py" for name in ("bad", "good", "proof"))]
    made += ["tests/rules/test_till_left_open.py", "CHANGELOG.md", f"{folder}/bad.txt", f"{folder}/measured.json"]
    made += [f"docs/rules/{NEXT}-{NAME}.md"]
    assert answer.out.splitlines() == made
    assert answer.err.startswith(f"{NEXT} {NAME}: ")
    tests = ["tests/rules/test_till_left_open.py", "tests/test_house.py", "tests/test_docs.py"]
    wanted = f"{NEXT} or stale or till_left_open or named_after or folder_is_a_rule or shaped"
    arguments = ["-q", "-p", "no:cacheprovider", "-k", wanted, *tests]
    said = inside(checkout, f"import pytest; sys.exit(pytest.main({arguments!r}))")
    assert int(re.findall(r"(\d+) passed", said)[0]) >= 15
    holds = f"from otplint.testkit import checks\nfor c in checks('otplint.rules'):\n    '{NEXT}' in str(c) and c()"
    inside(checkout, holds)


def test_the_changelog_is_where_codes_are_kept(otplint: Any, checkout: Path) -> None:
    """Also those of rules that are gone."""
    text = (checkout / "CHANGELOG.md").read_text(encoding="utf-8")
    (checkout / "CHANGELOG.md").write_text(f"{text}\n* OTP870 gone-for-ever is gone.\n", encoding="utf-8")
    answer = otplint(["new-rule", NAME, "--code", "OTP870"], checkout / "docs" / "rules")
    assert (answer.status, answer.err) == (2, "otplint: error: OTP870 is taken: CHANGELOG.md\n")
    assert otplint(["new-rule", NAME, "--code", "otp8xx"], checkout).err.startswith(f"OTP871 {NAME}: ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["raw-send"], "raw-send is taken: OTP401 of otplint"),
        (["raw_send"], "raw-send is taken: OTP401 of otplint"),
        ([NAME, "--code", "OTP401"], "OTP401 is taken: OTP401 raw-send of otplint"),
        ([NAME, "--code", "OTP901"], "up to OTP8: not OTP901"),
        ([NAME, "--code", "ACME101"], "otplint's own codes are OTP and three digits"),
        ([NAME, "--code", "6"], "'6' is no code (ABC101) and no family (ABC1xx)"),
        (["till"], "'till': write the name of a rule as two or more words: sleep-in-handler"),
        (["Till-Left-Open"], "write the name of a rule as two or more words"),
        (["no-open-till"], "name the bad pattern, not the fix: open-till"),
        ([], "Missing argument 'NAME'"),
    ],
)
def test_what_cannot_be_made_is_one_line_and_2(otplint: Any, tmp_path: Path, arguments: list[str], says: str) -> None:
    for name in ("otplint", "rules", "fixtures"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    before = sorted(tmp_path.rglob("*"))
    answer = otplint(["new-rule", *arguments])
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert says in answer.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_of_that_name_is_not_written_over(otplint: Any, tmp_path: Path) -> None:
    for name in ("otplint", "rules"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / "tests" / "rules").mkdir(parents=True)
    (tmp_path / "tests" / "rules" / "test_till_left_open.py").write_text("mine")
    answer = otplint(["new-rule", NAME])
    assert answer.status == 2
    assert "tests/rules/test_till_left_open.py exists; choose another name or remove it" in answer.err
    assert not (tmp_path / "rules" / "till_left_open.py").exists()


def test_elsewhere_it_asks_for_a_pack(otplint: Any, tmp_path: Path) -> None:
    answer = otplint(["new-rule", NAME])
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == "otplint: error: not in a checkout of otplint; --pack DIR makes a pack of your own\n"
    assert list(tmp_path.iterdir()) == []


class TestPack:
    def test_a_new_one_and_then_another_rule(self, otplint: Any, tmp_path: Path) -> None:
        answer = otplint(["new-rule", NAME, "--pack", "beta-rules"])
        assert answer.status == 0, answer.err
        folder = f"beta-rules/beta_rules/fixtures/BETA101-{NAME}"
        assert answer.out.splitlines() == [
            "beta-rules/beta_rules/till_left_open.py",
            *(f"{folder}/{name}.py" for name in ("bad", "good", "proof")),
            "beta-rules/pyproject.toml",
            "beta-rules/beta_rules/__init__.py",
            "beta-rules/tests/test_rules.py",
            f"{folder}/bad.txt",
            f"{folder}/measured.json",
        ]
        answer = otplint(["new-rule", "till_never_shut", "--pack", "."], tmp_path / "beta-rules")
        assert answer.err.startswith("BETA102 till-never-shut: ")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
            cwd=tmp_path / "beta-rules", capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        assert "17 passed" in done.stdout
        self.refusals(otplint, tmp_path)

    def refusals(self, otplint: Any, tmp_path: Path) -> None:
        """In the pack that is there now."""
        before = sorted(tmp_path.rglob("*"))
        for arguments, says in (
            ([NAME], f"{NAME} is taken: beta_rules/till_left_open.py"),
            (["raw-send"], "raw-send is taken: OTP401 of otplint"),
            (["till-upside-down", "--code", "BETA101"], "BETA101 is taken: beta_rules/till_left_open.py"),
            (["till-upside-down", "--code", "GAMMA101"], "the codes of this pack begin with BETA, not GAMMA"),
            (["till-upside-down", "--code", "OTP101"], "OTP is the prefix of otplint's own rules"),
        ):
            answer = otplint(["new-rule", *arguments, "--pack", "beta-rules"], tmp_path)
            assert answer.status == 2
            assert says in answer.err
            assert answer.err.count("\n") == 1
        assert sorted(tmp_path.rglob("*")) == before

    @pytest.mark.parametrize(
        ("folder", "files", "says"),
        [
            ("os", {}, "no package can be called 'os'; name the folder like acme-rules"),
            ("3com-rules", {}, "no package can be called '3com_rules'"),
            ("xy", {}, "the pack's name gives no prefix for its codes; choose one: --code ABC101"),
            ("acme", {"acme/__init__.py": ""}, "acme/acme/__init__.py exists, and pyproject.toml does not"),
            ("acme", {"pyproject.toml": "[project]\n"}, "acme/pyproject.toml offers no rules"),
            ("acme", {"pyproject.toml": "project"}, "acme/pyproject.toml:1: not valid TOML"),
            (
                "acme",
                {"pyproject.toml": '[project.entry-points."otplint.rules"]\nacme = "acme.rules"\n'},
                "acme: the package acme.rules of its entry point is not there",
            ),
        ],
    )
    def test_a_folder_that_cannot_be_one(
        self, otplint: Any, tmp_path: Path, folder: str, files: dict[str, str], says: str
    ) -> None:
        for name, text in files.items():
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_text(text)
        answer = otplint(["new-rule", NAME, "--pack", folder])
        assert (answer.status, answer.out) == (2, "")
        assert says in answer.err
        assert answer.err.count("\n") == 1

    def test_one_below_src_that_is_a_part_of_a_package(self, otplint: Any, tmp_path: Path) -> None:
        points = '[project.entry-points."otplint.rules"]\nzeta = "zeta.rules"\n'
        (tmp_path / "zeta").mkdir()
        (tmp_path / "zeta" / "pyproject.toml").write_text(points)
        rules = tmp_path / "zeta" / "src" / "zeta" / "rules"
        rules.mkdir(parents=True)
        (rules.parent / "__init__.py").write_text("")
        (rules / "__init__.py").write_text("API_VERSION = 1\n")
        answer = otplint(["new-rule", NAME, "--pack", "zeta"])
        assert answer.status == 0, answer.err
        assert (rules / "till_left_open.py").is_file()
        assert (rules / "fixtures" / f"ZETA101-{NAME}" / "measured.json").is_file()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# Changes\n\nFor users.\n\n## 0.1.0\n\n* It.\n",
            "# Changes\n\nFor users.\n\n## Unreleased\n\n* LINE\n\n## 0.1.0\n\n* It.\n",
        ),
        (
            "# Changes\n\n## Unreleased\n\n* More.\n\n## 0.1.0\n\n* It.\n",
            "# Changes\n\n## Unreleased\n\n* More.\n* LINE\n\n## 0.1.0\n\n* It.\n",
        ),
        ("# Changes\n\n## Unreleased\n\n## 0.1.0\n", "# Changes\n\n## Unreleased\n\n* LINE\n\n## 0.1.0\n"),
        ("# Changes\n\n## Unreleased\n\n* More.\n", "# Changes\n\n## Unreleased\n\n* More.\n* LINE\n"),
    ],
)
def test_the_line_in_the_changelog(before: str, after: str) -> None:
    line = "OTP801 till-left-open (preview): replace this by what it finds."
    assert with_change(before, NewRule("OTP801", NAME)) == after.replace("LINE", line)
