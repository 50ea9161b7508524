"""``otplint new-rule``: the files of a new rule, in a checkout of otplint or in a pack of one's own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from otplint import __version__
from otplint.cli.scaffold import NewRule, is_package, pack_files, programs, rule_file, test_file, with_change
from otplint.cli.settings import catalogue, one_line_errors
from otplint.cli.terminal import put, say
from otplint.config import read_toml
from otplint.engine.discovery import BUILT_IN, GROUP

_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)+")
_FIX = re.compile(r"(no|avoid|disallow|dont|forbid|prefer|require)-")
_CODE = re.compile(r"([A-Z]{3,})(\d{3,4})")
_FAMILY = re.compile(r"([A-Z]{3,}?)(?:(\d)(?:XX)?)?")
_SAID = re.compile(r"^    code = [\"']([A-Z]{3,}\d{3,4})[\"']", re.MULTILINE)

# The code of a checkout, whatever is installed; `otplint.rules` and `otplint.fixtures` are folders beside the package.
_CHECKOUT = """\
import importlib.util, pathlib, sys
root = pathlib.Path(sys.argv[1])
for name, folder in (("otplint", "otplint"), ("otplint.rules", "rules"), ("otplint.fixtures", "fixtures")):
    path = root / folder
    spec = importlib.util.spec_from_file_location(name, path / "__init__.py", submodule_search_locations=[str(path)])
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    setattr(sys.modules["otplint"], folder, module)
"""
_PACK = "import sys\nsys.path.insert(0, sys.argv[1])\n"
_FINISH = """\
from otplint.testkit import checks
for check in checks(sys.argv[2]):
    if check.subject == sys.argv[3]:
        try:
            check(update=True)
        except AssertionError as error:
            sys.exit(f"{check}: {error}")
"""
_PAGES = "import runpy\nrunpy.run_path(str(root / 'docs' / 'generate.py'), run_name='__main__')\n"


@dataclass(frozen=True, slots=True)
class Home:
    """Where a rule goes."""

    root: Path
    """The checkout, or the pack's folder."""
    module: str
    """The pack's, dotted."""
    rules: Path
    """The folder of the rules' files."""
    fixtures: Path
    prefix: str
    """That codes begin with; empty for a new pack whose name gives none."""
    more: Mapping[str, str]
    """Further files by their path from the root: those of a new pack."""

    @property
    def is_checkout(self) -> bool:
        """Whether this is otplint itself."""
        return self.module == GROUP

    @property
    def above(self) -> Path:
        """The folder on sys.path that the pack's module is in."""
        return self.rules.parents[self.module.count(".")]


@click.command(name="new-rule")
@click.argument("name")
@click.option("--code", metavar="CODE|FAMILY", help="OTP606, or OTP6xx for the next free one; default: the next free.")
@click.option("--pack", metavar="DIR", type=click.Path(path_type=Path), help="A pack of your own, new or not.")
def command(name: str, code: str | None, pack: Path | None) -> None:
    """Write the files of a new rule NAME: the rule, programs, a proof, tests.

    NAME is the bad pattern, sleep-in-handler or sleep_in_handler. What is written holds to the house rules at once and
    is there to be replaced. Without --pack the rule goes into the checkout of otplint around the current folder.
    """
    if not _NAME.fullmatch(name):
        raise click.UsageError(f"{name!r}: write the name of a rule as two or more words: sleep-in-handler")
    kebab = name.replace("_", "-")
    if _FIX.match(kebab):
        raise click.UsageError(f"{name!r}: name the bad pattern, not the fix: {_FIX.sub('', kebab)}")
    home = _checkout(Path.cwd()) if pack is None else _pack(pack)
    taken = _taken(home)
    rule = NewRule(_code(code, home, taken), kebab)
    files = _files(rule, home)
    _refuse_collisions(rule, files, taken)
    changed = _written(files, home, rule)
    put("".join(f"{path}\n" for path in changed))
    _finish(home, rule)
    put("".join(f"{_shown(path)}\n" for path in _made_by_finish(home, rule) if path.is_file()))
    _say_what_next(home, rule)


def _checkout(start: Path) -> Home:
    """The checkout of otplint that a folder is in."""
    for folder in (start, *start.parents):
        if (folder / "rules" / "__init__.py").is_file() and (folder / "otplint" / "__init__.py").is_file():
            return Home(folder, GROUP, folder / "rules", folder / "fixtures", "OTP", {})
    raise click.ClickException("not in a checkout of otplint; --pack DIR makes a pack of your own")


def _pack(folder: Path) -> Home:
    """A pack that is there, or one to make."""
    root = folder.absolute()
    if not (root / "pyproject.toml").exists():
        return _new_pack(root, folder)
    with one_line_errors():
        document = read_toml(root / "pyproject.toml")
    points = document.get("project", {}).get("entry-points", {}).get(GROUP, {})
    if not points:
        raise click.ClickException(
            f'{folder}/pyproject.toml offers no rules: it has no [project.entry-points."{GROUP}"]'
        )
    module = str(next(iter(points.values())))
    for above in (root, root / "src"):
        rules = above.joinpath(*module.split("."))
        if (rules / "__init__.py").is_file():
            codes = [code for _, code in _said(rules)]
            prefix = codes[0].rstrip("0123456789") if codes else _prefix(root.name)
            return Home(root, module, rules, rules / "fixtures", prefix, {})
    raise click.ClickException(f"{folder}: the package {module} of its entry point is not there")


def _new_pack(root: Path, shown: Path) -> Home:
    distribution = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-")
    package = distribution.replace("-", "_")
    if not is_package(package) or package in (BUILT_IN, *sys.stdlib_module_names):
        raise click.ClickException(f"{shown}: no package can be called {package!r}; name the folder like acme-rules")
    there = [path for path in pack_files(distribution, package, __version__) if (root / path).exists()]
    if there:
        raise click.ClickException(f"{shown}/{there[0]} exists, and pyproject.toml does not: is this a pack?")
    rules = root / package
    more = pack_files(distribution, package, __version__)
    return Home(root, package, rules, rules / "fixtures", _prefix(root.name), more)


def _prefix(name: str) -> str:
    """Capitals from the name of a pack: ``ACME`` for acme-rules; empty where it has too few letters."""
    words = [re.sub(r"[^A-Z]", "", word) for word in re.split(r"[^A-Z0-9]+", name.upper())]
    for found in (words[0] if words else "", "".join(words)[:6]):
        if len(found) >= 3 and found != "OTP":
            return found
    return ""


def _said(folder: Path) -> Iterator[tuple[Path, str]]:
    """The codes that a folder's rules state, with their files; nothing is imported."""
    for path in sorted(folder.glob("*.py")):
        for code in _SAID.findall(path.read_text(encoding="utf-8")):
            yield path, code


def _taken(home: Home) -> dict[str, str]:
    """Who has each code and name that is not free: rules that are installed, those of the pack, and former ones."""
    found: dict[str, str] = {}
    changelog = home.root / "CHANGELOG.md"
    if home.is_checkout and changelog.is_file():
        found |= dict.fromkeys(re.findall(r"\bOTP\d{3}\b", changelog.read_text(encoding="utf-8")), "CHANGELOG.md")
    for rule in catalogue():
        found |= {rule.code: f"{rule.code} {rule.name} of {rule.pack}", rule.name: f"{rule.code} of {rule.pack}"}
    for path, code in _said(home.rules):
        found |= {
            code: f"{path.parent.name}/{path.name}",
            path.stem.replace("_", "-"): f"{path.parent.name}/{path.name}",
        }
    return found


def _code(wanted: str | None, home: Home, taken: Mapping[str, str]) -> str:
    """The code that was asked for, or the next free one of a family."""
    upper = None if wanted is None else wanted.upper()
    code = upper if upper is not None and _CODE.fullmatch(upper) else _free(upper, home, taken)
    prefix = code.rstrip("0123456789")
    if home.is_checkout and (prefix != "OTP" or len(code) != 6 or code.startswith("OTP9")):
        raise click.UsageError(f"--code: otplint's own codes are OTP and three digits, up to OTP8: not {code}")
    if not home.is_checkout and prefix == "OTP":
        raise click.UsageError("--code: OTP is the prefix of otplint's own rules; choose three or more other capitals")
    if home.prefix not in ("", prefix) and any(True for _ in _said(home.rules)):
        raise click.UsageError(f"--code: the codes of this pack begin with {home.prefix}, not {prefix}")
    return code


def _free(family: str | None, home: Home, taken: Mapping[str, str]) -> str:
    """The lowest code of a family that is above all that are taken there."""
    match = _FAMILY.fullmatch(family) if family is not None else None
    if family is not None and match is None:
        raise click.UsageError(f"--code: {family!r} is no code (ABC101) and no family (ABC1xx)")
    prefix = match[1] if match else home.prefix
    if not prefix:
        raise click.UsageError("the pack's name gives no prefix for its codes; choose one: --code ABC101")
    digit = (match[2] or "") if match else ""
    numbers = [int(code[len(prefix) :]) for code in taken if re.fullmatch(rf"{prefix}\d{{3}}", code)]
    top = 900 if prefix == "OTP" else 1000
    if digit:
        low, high = int(digit) * 100, min(int(digit) * 100 + 100, 1000)
    else:
        low, high = 100, top
    number = max([number for number in numbers if low <= number < high], default=low) + 1
    if number >= high:
        raise click.UsageError(f"--code: no code is free from {prefix}{low + 1} to {prefix}{high - 1}")
    return f"{prefix}{number}"


def _files(rule: NewRule, home: Home) -> dict[Path, str]:
    """What is written, by path."""
    found = {home.rules / f"{rule.snake}.py": rule_file(rule)}
    found |= {home.fixtures / rule.folder / name: text for name, text in programs(rule).items()}
    if home.is_checkout:
        found[home.root / "tests" / "rules" / f"test_{rule.snake}.py"] = test_file(rule)
    return found | {home.root / path: text for path, text in home.more.items()}


def _refuse_collisions(rule: NewRule, files: Mapping[Path, str], taken: Mapping[str, str]) -> None:
    for key in (rule.name, rule.code):
        if key in taken:
            raise click.ClickException(f"{key} is taken: {taken[key]}")
    for path in files:
        if path.exists():
            raise click.ClickException(f"{_shown(path)} exists; choose another name or remove it")


def _written(files: Mapping[Path, str], home: Home, rule: NewRule) -> list[str]:
    """Write them, and the line in the changelog; the paths, as people see them."""
    changed = []
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            changed.append(_shown(path))
        changelog = home.root / "CHANGELOG.md"
        if home.is_checkout and changelog.is_file():
            text = with_change(changelog.read_text(encoding="utf-8"), rule)
            changelog.write_text(text, encoding="utf-8", newline="\n")
            changed.append(_shown(changelog))
    except OSError as error:
        raise click.ClickException(f"cannot write {error.filename}: {error.strerror}") from error
    return changed


def _finish(home: Home, rule: NewRule) -> None:
    """Snapshots and records of the new rule, and in a checkout its page: by the code of that place, in a process."""
    start = _CHECKOUT if home.is_checkout else _PACK
    end = _PAGES if home.is_checkout and (home.root / "docs" / "generate.py").is_file() else ""
    place = home.root if home.is_checkout else home.above
    arguments = [sys.executable, "-c", start + _FINISH + end, str(place), home.module, rule.folder]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise click.ClickException(f"the files are there, their snapshots are not: {why}")


def _made_by_finish(home: Home, rule: NewRule) -> Iterator[Path]:
    for name in ("bad.txt", "measured.json"):
        yield home.fixtures / rule.folder / name
    if home.is_checkout:
        yield home.root / "docs" / "rules" / f"{rule.folder}.md"


def _say_what_next(home: Home, rule: NewRule) -> None:
    tests = f"pytest tests/test_house.py -k {rule.code}" if home.is_checkout else "pytest"
    pages = ", then `make docs`" if home.is_checkout else ""
    say(f"{rule.code} {rule.name}: replace the rule's text and question, then its programs; `{tests}` holds{pages}")


def _shown(path: Path) -> str:
    """From the current folder where it is below, else absolute."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
