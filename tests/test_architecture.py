"""The house: which room may import which, how long a file may be, what must not be imported early or committed.

Imports are read from the source with ``ast``: also those inside functions, and those for type checkers only.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The import column of the design: what each room may import of ours, itself aside. Data flows one way:
# sources -> facts -> rules -> engine -> output -> cli. A module of otplint/ that is no folder is a room of its own.
MAY_IMPORT = {
    "findings": set(),
    "sources": set(),
    "config": {"findings", "sources"},
    "config_schema": {"config", "findings"},
    "facts": {"findings", "sources"},
    "api": {"facts", "findings"},
    "rules": {"api"},
    "engine": {"api", "config", "facts", "findings", "sources"},
    "output": {"findings"},
    "topology": {"facts", "findings"},
    "runtime": set(),
    "proof": {"runtime"},
    "lsp": {"engine", "config", "findings", "output"},
    "testkit": {"api", "config", "engine", "findings", "output", "proof"},
    "cli": {"api", "config", "config_schema", "engine", "facts", "findings", "lsp", "output", "proof", "sources"},
    "__main__": {"cli"},
}
LONGEST = 400
"""Lines of a file, blank ones aside."""


def modules() -> Iterator[tuple[str, Path]]:
    """Every module that ships, by its dotted name."""
    for top, prefix in (("otplint", "otplint"), ("rules", "otplint.rules")):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT / top).with_suffix("").parts
            yield ".".join([prefix, *(parts[:-1] if parts[-1] == "__init__" else parts)]), path


MODULES = dict(modules())


def imports(name: str) -> Iterator[str]:
    """The dotted names of ours that a module imports, at any depth; modules where that can be told."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            targets = [f"{start}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            if target.split(".")[0] == "rules":
                yield target
            if target.split(".")[0] == "otplint":
                yield target if target in MODULES else target.rpartition(".")[0]


def room(module: str) -> str:
    """``facts`` for ``otplint.facts.index.by_ast``; ``otplint`` for the package itself."""
    return module.split(".")[1] if "." in module else module


def test_every_room_is_in_the_plan() -> None:
    assert {room(name) for name in MODULES} - {"otplint"} <= set(MAY_IMPORT)


@pytest.mark.parametrize("name", [name for name in MODULES if name != "otplint"])
def test_a_room_imports_only_what_it_may(name: str) -> None:
    allowed = MAY_IMPORT[room(name)] | {room(name), "otplint"}  # the package itself holds the version only
    wrong = sorted(target for target in imports(name) if room(target) not in allowed)
    assert not wrong, f"{name} imports {', '.join(wrong)}"


def test_the_package_itself_imports_nothing() -> None:
    assert not list(imports("otplint"))


def test_rules_come_through_one_door_and_do_not_know_each_other() -> None:
    for name, path in MODULES.items():
        if room(name) == "rules":
            assert set(imports(name)) <= {"otplint.api"}, name
            roots = {
                (node.module or "").split(".")[0]
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.ImportFrom)
            }
            assert roots <= {*sys.stdlib_module_names, "otplint"}, name


def test_no_concrete_rule_is_imported_by_name() -> None:
    for name in MODULES:
        assert not [target for target in imports(name) if target.startswith("otplint.rules.")], name


def test_no_imports_go_round() -> None:
    """Imports for type checkers aside: those are how two records may name each other."""
    edges = {name: sorted(_at_run_time(name)) for name in MODULES}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            for target in edges[name]:
                visit(target, (*path, name))
            done.add(name)

    for name in MODULES:
        visit(name, ())


def _at_run_time(name: str) -> set[str]:
    """Modules that importing ``name`` imports: top-level statements, without ``if TYPE_CHECKING``."""
    path = MODULES[name]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for stmt in tree.body:
        if isinstance(stmt, ast.ImportFrom) and stmt.module:
            for alias in stmt.names:
                target = f"{stmt.module}.{alias.name}"
                found.add(target if target in MODULES else stmt.module)
        elif isinstance(stmt, ast.Import):
            found.update(alias.name for alias in stmt.names)
    return {target for target in found if target in MODULES and target != name}


@pytest.mark.parametrize("name", MODULES)
def test_a_file_can_be_read_in_one_sitting(name: str) -> None:
    lines = sum(bool(line.strip()) for line in MODULES[name].read_text(encoding="utf-8").split("\n"))
    assert lines <= LONGEST, f"{name} has {lines} lines, {LONGEST} are allowed: split it by what it is about"


def test_there_is_no_room_for_odds_and_ends() -> None:
    assert not [name for name in MODULES if name.rpartition(".")[2] in ("utils", "util", "helpers", "common", "misc")]


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        ("import otplint", "click libcst rich pathspec asyncio"),
        ("import otplint.findings, otplint.config", "click libcst rich pathspec"),
        ("import otplint.api", "click libcst rich pathspec"),
        ("import otplint.engine.packs; otplint.engine.packs.load_rules()", "click libcst rich pathspec"),
        ("import otplint.cli.check", "libcst rich pathspec otplint.runtime"),
        ("import otplint.output.concise, otplint.output.sarif, otplint.output.json_object", "click libcst rich"),
        ("import otplint.runtime", "click libcst rich otplint.findings otplint.facts otplint.api"),
    ],
)
def test_heavy_things_are_imported_when_they_are_needed(program: str, unwanted: str) -> None:
    check = f"{program}\nimport sys; print(*sorted(set({unwanted.split()!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--version"], "click dataclasses inspect libcst rich pathspec otplint.cli otplint.findings"),
        (["check", "--isolated", "--quiet"], "libcst rich pathspec otplint.runtime importlib.metadata multiprocessing"),
        (["rules", "--format", "json"], "libcst rich pathspec otplint.runtime importlib.metadata multiprocessing"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_command_imports_no_more_than_it_uses(arguments: list[str], unwanted: str, tmp_path: Path) -> None:
    """The commands as they run, in a folder without any file."""
    program = f"import sys; sys.argv[1:] = {arguments!r}; import otplint.__main__ as entry"
    check = f"""{program}
try:
    entry.main()
except SystemExit as left:
    assert not left.code
sys.stderr.write(" ".join(sorted(set({unwanted.split()!r}) & set(sys.modules))))"""
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def tracked() -> list[Path]:
    """The files of the commit, as git has them; without git, of the tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else []
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


MACHINE = re.compile(
    r"(?<![\w./])/(?:work|root|home/(?!me/)\w+|Users/\w+|opt/(?:wheels|pypi))/"  # somebody's folders
    r"|/tmp/(?!\$)\w"
    r"|\b(?:files\.pythonhosted|pypi|registry\.npmjs)\.org\b"  # a lock file's hosts
    r"|\bextra-index-url\b"
)


@pytest.mark.parametrize("path", tracked(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_machine_gets_into_a_commit(path: Path) -> None:
    if path == Path(__file__):
        return
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return  # a fixture with a wrong encoding on purpose
    found = [f"{number}: {line.strip()}" for number, line in enumerate(text.split("\n"), 1) if MACHINE.search(line)]
    assert not found
