"""A pack of somebody else, installed as users do: listed, chosen, explained, proved; refused where it does not fit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PACK = Path(__file__).resolve().parent / "packs" / "acme"
RULE = "ACME101-print-in-handler"
PROGRAMS = PACK / "acme_rules" / "fixtures" / RULE
PLACE = "bad.py:21:9"

Run = Callable[..., subprocess.CompletedProcess[str]]


def install(source: Path, site: Path) -> None:
    """As ``pip install`` does, without the network; from a copy, where its build may leave what it likes."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--no-index"]
    done = subprocess.run([*pip, "--target", str(site), str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def copied(source: Path, target: Path, **changes: str) -> Path:
    """A copy of a pack with other texts in all its files, also in their names."""
    shutil.copytree(
        source, target, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache", "build", "*.egg-info")
    )
    for path in [path for path in target.rglob("*") if path.is_file()]:
        text = path.read_text(encoding="utf-8")
        for old, new in changes.items():
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    for path in sorted(target.rglob("*"), reverse=True):
        name = path.name
        for old, new in changes.items():
            name = name.replace(old, new)
        path.rename(path.with_name(name))
    return target


def command(*sites: Path, cwd: Path) -> Run:
    """The command line with some folders of installed packages."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sites))}
        return subprocess.run(
            [sys.executable, "-m", "otplint", *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the pack is installed in."""
    folder = tmp_path_factory.mktemp("acme")
    install(copied(PACK, folder / "source"), folder / "site")
    return folder / "site"


@pytest.fixture(scope="module")
def run(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The command line in a folder with the pack's bad program."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "otplint.toml").write_text("")
    shutil.copy(PROGRAMS / "bad.py", folder)
    return command(site, cwd=folder)


def test_it_is_listed(run: Run) -> None:
    listed = json.loads(run("rules", "--format", "json").stdout)
    [rule] = [rule for rule in listed if rule["pack"] != "otplint"]
    assert (rule["code"], rule["name"], rule["pack"]) == ("ACME101", "print-in-handler", "acme-rules")
    assert len(listed) > 10
    assert "ACME101  print-in-handler" in run("rules").stdout


@pytest.mark.parametrize("selector", ["ACME101", "ACME1", "ACME", "print-in-handler", "ALL"])
def test_it_is_chosen_as_any_other(run: Run, selector: str) -> None:
    done = run("check", "--select", selector)
    assert (done.returncode, done.stdout.split(" ")[:2]) == (1, [f"{PLACE}:", "ACME101"])


def test_it_is_left_out_as_any_other(run: Run) -> None:
    assert run("check").stdout.startswith(f"{PLACE}: ACME101 print-in-handler")
    assert run("check", "--ignore", "ACME").stdout == ""
    assert run("check", "--config", "severity.print-in-handler='off'").stdout == ""
    assert run("check", "--config", "options.ACME101.functions=['log']").stdout == ""
    assert run("check", "--config", "per-file-ignores.'bad.py'=['ACME101']").stdout == ""
    assert "unknown rule 'ACME102'; did you mean ACME101?" in run("check", "--select", "ACME102").stderr


def test_a_comment_accepts_it(run: Run, site: Path, tmp_path: Path) -> None:
    text = (PROGRAMS / "bad.py").read_text(encoding="utf-8")
    accepted = text.replace(
        '("sold", req.what)', '("sold", req.what)  # otplint: ignore[ACME101] the till has a display'
    )
    (tmp_path / "bad.py").write_text(accepted)
    done = command(site, cwd=tmp_path)("check")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    without = command(cwd=tmp_path)("check")
    assert "OTP903 unknown-code-in-suppression There is no rule ACME101." in without.stdout


def test_its_findings_carry_its_name(run: Run) -> None:
    [found] = json.loads(run("check", "--format", "json").stdout)["findings"]
    assert (found["code"], found["pack"]) == ("ACME101", "acme-rules")
    tool = json.loads(run("check", "--format", "sarif").stdout)["runs"][0]
    assert [extension["name"] for extension in tool["tool"]["extensions"]] == ["acme-rules"]
    assert tool["results"][0]["rule"] == {"id": "ACME101", "index": 0, "toolComponent": {"index": 0}}


def test_it_is_explained(run: Run) -> None:
    page = run("explain", "ACME101", "--format", "markdown").stdout
    assert page.startswith("# print-in-handler (ACME101)\n")
    assert "**Pack:** acme-rules." in page
    assert "\n| lines in the protocol | 3 | 0 |\n" in page
    assert "Measured:\n    shown (same construct; causal; " in run("explain", "print-in-handler").stdout
    assert "ACME101 print-in-handler" in run("explain", "bad.py:21").stdout


def test_it_is_proved(run: Run) -> None:
    done = run("prove", "ACME101")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ACME101 print-in-handler: shown (same construct; causal; ")
    assert done.stderr.startswith("1 of 1 proofs hold")


def test_its_own_tests_hold(tmp_path: Path) -> None:
    """They need otplint and pytest, and no installation of the pack."""
    copied(PACK, tmp_path / "acme")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "acme", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "10 passed" in done.stdout


FIRST = "acme_rules.print_in_handler.PrintInHandler of pack 'acme-rules'"
BUILT_IN = "otplint.rules.broad_except_in_handler.BroadExceptInHandler of pack 'otplint'"
WRITE = {"acme": "zeta", "ACME101": "OTP201", "print-in": "write-in", "print_in": "write_in"}
SECOND = "rule pack 'zeta-rules': zeta_rules.print_in_handler.PrintInHandler uses"
TOO_NEW = "rule pack 'zeta-rules' (zeta_rules) states API_VERSION = 2, this otplint needs 1: update the pack or otplint"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"acme": "zeta"}, f"{SECOND} ACME101, which is {FIRST}"),
        ({"acme": "zeta", "ACME": "ZETA"}, f"{SECOND} print-in-handler, which is {FIRST}"),
        (WRITE, f"{SECOND.replace('print_in', 'write_in')} OTP201, which is {BUILT_IN}"),
        ({"acme": "zeta", "ACME": "ZETA", "API_VERSION = 1": "API_VERSION = 2"}, TOO_NEW),
    ],
)
def test_a_pack_that_does_not_fit_is_refused_by_name(
    site: Path, tmp_path: Path, changes: dict[str, str], says: str
) -> None:
    """Beside the first one, and whatever is asked for: nobody should believe that its rules ran."""
    install(copied(PACK, tmp_path / "source", **changes), tmp_path / "site")
    run = command(site, tmp_path / "site", cwd=tmp_path)
    others = (["rules"], ["explain", "OTP201"], ["prove", "OTP402"]) if says is TOO_NEW else ()
    for arguments in (["check"], *others):
        done = run(*arguments)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"otplint: error: {says}\n")
