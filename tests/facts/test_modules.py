from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otplint.facts.index.modules import ModuleName, candidate_paths, index_names, module_name, source_root


@pytest.mark.parametrize(
    ("path", "packages", "expected"),
    [
        ("mod.py", (), ("mod", False, "")),
        ("pkg/mod.py", ("pkg",), ("pkg.mod", False, "")),
        ("pkg/__init__.py", ("pkg",), ("pkg", True, "")),
        ("pkg/sub/__init__.py", ("pkg", "pkg/sub"), ("pkg.sub", True, "")),
        ("src/pkg/mod.py", ("src/pkg",), ("pkg.mod", False, "src/")),
        ("src/mod.py", (), ("mod", False, "src/")),
        ("src/ns/pkg/mod.py", (), ("ns.pkg.mod", False, "src/")),
        ("src/mod.py", ("src",), ("src.mod", False, "")),
        ("services/billing/src/pkg/mod.py", ("services/billing/src/pkg",), ("pkg.mod", False, "services/billing/src/")),
        ("python/ray/actor.py", ("python/ray",), ("ray.actor", False, "python/")),
        ("app/actors/base.py", (), ("app.actors.base", False, "")),
        ("app/actors/base.py", ("app",), ("app.actors.base", False, "")),
        ("container/app/actors/base.py", ("container/app",), ("app.actors.base", False, "container/")),
        ("my-tools/run.py", (), ("run", False, "my-tools/")),
        ("my-tools/pkg/run.py", ("my-tools/pkg",), ("pkg.run", False, "my-tools/")),
        ("my-script.py", (), ("my-script", False, "")),
        ("pkg/__main__.py", ("pkg",), ("pkg.__main__", False, "")),
        ("__init__.py", (), ("__init__", False, "")),
        ("pkg/mod.pyi", ("pkg",), ("pkg.mod", False, "")),
    ],
)
def test_module_names(path: str, packages: tuple[str, ...], expected: tuple[str, bool, str]) -> None:
    name = module_name(path, packages.__contains__)
    assert name == ModuleName(*expected)
    assert source_root(path, name.module, is_package=name.is_package) == name.root


def test_names_from_the_list_of_files() -> None:
    names = index_names(["lib/pkg/__init__.py", "lib/pkg/a.py", "b.py"])
    assert {path: name.module for path, name in names.items()} == {
        "lib/pkg/__init__.py": "pkg",
        "lib/pkg/a.py": "pkg.a",
        "b.py": "b",
    }


def test_a_dotted_name_may_be_these_files() -> None:
    assert list(candidate_paths("a.b", ["", "src/"])) == [
        "a/b/__init__.py", "a/b.py", "src/a/b/__init__.py", "src/a/b.py",
    ]  # fmt: skip


_part = st.sampled_from(["a", "b", "src", "python", "my-x", "tests"])


@given(st.lists(st.tuples(st.lists(_part, max_size=4), st.sampled_from(["m.py", "n.py", "__init__.py"])), max_size=8))
def test_a_file_is_among_the_candidates_of_its_name(files: list[tuple[list[str], str]]) -> None:
    paths = {"/".join([*directories, file]) for directories, file in files}
    for path, name in index_names(paths).items():
        assert name.module
        assert path in candidate_paths(name.module, [name.root])
        assert source_root(path, name.module, is_package=name.is_package) == name.root
