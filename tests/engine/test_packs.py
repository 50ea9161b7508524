"""Packs by entry point: found where a distribution offers one, refused by name where it cannot be used."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import otplint.rules
from otplint.api import API_VERSION
from otplint.engine.discovery import BUILT_IN
from otplint.engine.packs import PackError, load_packs, load_rules, rules_in

RULE = '''
from otplint.api import Confidence, Rule, Severity

class {name}(Rule):
    """Tills must be shut.

    Why: thieves.
    Harm: money is gone.
    Bad:
        open_till()
    Good:
        shut_till()
    Limits: none.
    Report: none.
    """

    code = "{code}"
    severity = Severity.LOW
    confidence = Confidence.HIGH

    def check(self, actor):
        return iter(())
'''


class Site:
    """A folder on sys.path with distributions in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def distribution(self, name: str, *, value: str, files: dict[str, str]) -> None:
        for path, text in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(dedent(text))
        info = self.folder / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[otplint.rules]\n{name} = {value}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield Site(tmp_path)
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_the_built_in_pack_comes_first() -> None:
    first = load_packs()[0]
    assert first.name == BUILT_IN
    assert first.rules == tuple(sorted(rules_in(otplint.rules), key=lambda rule: rule.code))
    assert all(rule.pack == BUILT_IN for rule in first.rules)


def test_a_pack_is_walked_for_rules(site: Site) -> None:
    site.distribution(
        "till-rules",
        value="till_pack",
        files={
            "till_pack/__init__.py": f"API_VERSION = {API_VERSION}\n",
            "till_pack/till_left_open.py": RULE.format(name="Open", code="TILL101"),
            "till_pack/deeper/__init__.py": "from till_pack.till_left_open import Open\n",
            "till_pack/deeper/till_never_shut.py": RULE.format(name="Shut", code="TILL102"),
        },
    )
    pack = load_packs()[-1]
    assert pack.name == "till-rules"
    assert [(rule.code, rule.name, rule.pack) for rule in pack.rules] == [
        ("TILL101", "till-left-open", "till-rules"),
        ("TILL102", "till-never-shut", "till-rules"),
    ]
    assert {rule.code for rule in load_rules()} >= {"TILL101", "TILL102"}


def test_a_pack_may_be_one_module(site: Site) -> None:
    site.distribution(
        "one-file",
        value="one_till_open",
        files={"one_till_open.py": f"API_VERSION = {API_VERSION}\n{RULE.format(name='Open', code='ONE101')}"},
    )
    assert [rule.code for rule in load_packs()[-1].rules] == ["ONE101"]


def test_an_alias_in_a_rule_s_file_is_no_rule(site: Site) -> None:
    text = f"API_VERSION = {API_VERSION}\nPair = tuple[str, int]\n{RULE.format(name='Open', code='ALS101')}"
    site.distribution("alias", value="alias_till_open", files={"alias_till_open.py": text})
    assert [rule.code for rule in load_packs()[-1].rules] == ["ALS101"]


@pytest.mark.parametrize(
    ("module", "says"),
    [
        ("import nothing_of_this_name\n", "cannot be imported: ModuleNotFoundError: No module named 'nothing_of_this"),
        ("def f(:\n", "cannot be imported: SyntaxError"),
        ("1 / 0\n", "cannot be imported: ZeroDivisionError: division by zero"),
        ("API_VERSION = 99\n", f"states API_VERSION = 99, this otplint needs {API_VERSION}"),
        ("x = 1\n", "states API_VERSION = None"),
        (f"API_VERSION = {API_VERSION}\n", "holds no rule"),
        (
            f"API_VERSION = {API_VERSION}\nfrom otplint.api import Rule\nclass Bad(Rule):\n    code = 'X'\n",
            "broken_pack.Bad: code is 'X'",
        ),
    ],
)
def test_a_broken_pack_is_named(site: Site, module: str, says: str) -> None:
    site.distribution("broken-rules", value="broken_pack", files={"broken_pack.py": module})
    with pytest.raises(PackError) as error:
        load_packs()
    assert "'broken-rules'" in str(error.value)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_code_belongs_to_one_rule(site: Site) -> None:
    for name in ("first", "second"):
        body = RULE.format(name="Open", code="TWICE101")
        module = f"{name}_till_open"
        site.distribution(f"{name}-rules", value=module, files={f"{module}.py": f"API_VERSION = {API_VERSION}\n{body}"})
    with pytest.raises(PackError) as error:
        load_packs()
    assert str(error.value) == (
        "rule pack 'second-rules': second_till_open.Open uses TWICE101, "
        "which is first_till_open.Open of pack 'first-rules'"
    )


def test_rules_are_not_imported_under_a_second_name(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(repository))
    with pytest.raises(ImportError, match=r"otplint\.rules"):
        __import__("rules")


TAKES_LONG = """
import subprocess
import sys
import zipfile
from otplint.engine.packs import load_packs
packs = [pack.name for pack in load_packs()]
print(*packs, "importlib.metadata" in sys.modules)
"""


def loaded(folder: Path) -> list[str]:
    """The packs that a fresh process finds, and whether it needed ``importlib.metadata``."""
    path = f"import sys; sys.path.insert(0, {str(folder)!r})"
    done = subprocess.run([sys.executable, "-c", path + TAKES_LONG], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).split()


def test_where_there_is_no_other_pack_nothing_slow_is_imported(tmp_path: Path) -> None:
    (tmp_path / "other-1.0.dist-info").mkdir()
    (tmp_path / "other-1.0.dist-info" / "entry_points.txt").write_text("[console_scripts]\nx = x:main\n")
    assert loaded(tmp_path) == [BUILT_IN, "False"]


@pytest.mark.parametrize("info", ["till_rules-1.0.dist-info", "till_rules.egg-info", "Otplint_till-1.dist-info"])
def test_another_pack_is_found_wherever_it_is_described(info: str, tmp_path: Path) -> None:
    module = f"API_VERSION = {API_VERSION}\n{RULE.format(name='Open', code='TILL101')}"
    (tmp_path / "till_open.py").write_text(module)
    (tmp_path / info).mkdir()
    for name in ("METADATA", "PKG-INFO"):
        (tmp_path / info / name).write_text("Metadata-Version: 2.1\nName: till-rules\nVersion: 1.0\n")
    (tmp_path / info / "entry_points.txt").write_text("[otplint.rules]\ntill-rules = till_open\n")
    assert loaded(tmp_path) == [BUILT_IN, "till-rules", "True"]


def test_a_pack_in_an_archive_is_found(tmp_path: Path) -> None:
    module = f"API_VERSION = {API_VERSION}\n{RULE.format(name='Open', code='TILL101')}"
    with zipfile.ZipFile(tmp_path / "till.zip", "w") as archive:
        archive.writestr("till_open.py", module)
        archive.writestr("till_rules-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: till-rules\nVersion: 1.0\n")
        archive.writestr("till_rules-1.0.dist-info/entry_points.txt", "[otplint.rules]\ntill-rules = till_open\n")
    assert loaded(tmp_path / "till.zip") == [BUILT_IN, "till-rules", "True"]
