from __future__ import annotations

from collections.abc import Iterable, Mapping
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otplint.facts.index.by_ast import index_module
from otplint.facts.index.entries import ModuleIndex
from otplint.facts.index.linearise import linearise
from otplint.facts.index.modules import index_names
from otplint.facts.index.project import Project

Files = Mapping[str, str]


def indexed(files: Files) -> dict[str, ModuleIndex]:
    names = index_names(files)
    return {
        path: index_module(dedent(text), path, names[path].module, names[path].is_package)
        for path, text in files.items()
    }


def project(files: Files, given: Iterable[str] | None = None) -> Project:
    """A project of which ``given`` files (by default all) were named, and the others are found when needed."""
    indexes = indexed(files)
    return Project([indexes[path] for path in (files if given is None else given)], indexes.get)


def package(files: Files, *names: str) -> dict[str, str]:
    return {**{f"{name}/__init__.py": "" for name in names}, **files}


def hierarchy(text: str) -> Project:
    return project({"m.py": text})


@pytest.mark.parametrize(
    "text",
    [
        "class A: ...\nclass B(A): ...\nclass C(A): ...\nclass D(B, C): ...",
        """class O: ...
class A(O): ...
class B(O): ...
class C(O): ...
class D(O): ...
class E(O): ...
class K1(A, B, C): ...
class K2(D, B, E): ...
class K3(D, A): ...
class Z(K1, K2, K3): ...""",
        "class M: ...\nclass A: ...\nclass B(M, A): ...\nclass C(B, A): ...",
    ],
)
def test_mro_is_python_s(text: str) -> None:
    namespace: dict[str, type] = {}
    exec(text, {"__name__": "m"}, namespace)
    names = hierarchy(text)
    for name, kind in namespace.items():
        expected = tuple(f"m.{each.__name__}" for each in kind.__mro__ if each is not object)
        assert names.mro(f"m.{name}") == expected


@given(st.lists(st.lists(st.integers(0, 7), max_size=3, unique=True), min_size=1, max_size=8))
def test_mro_is_python_s_wherever_python_allows_it(bases: list[list[int]]) -> None:
    table = {str(n): tuple(str(b) for b in row if b < n) for n, row in enumerate(bases)}
    kinds: dict[str, type | None] = {}
    for name, row in table.items():
        parents = [kinds[base] for base in row]
        try:
            kinds[name] = None if None in parents else type(name, tuple(p for p in parents if p), {})
        except TypeError:
            kinds[name] = None
    known: dict[str, tuple[str, ...]] = {}
    for name, kind in kinds.items():
        order = linearise(name, lambda each: table.get(each, ()), known)
        assert order[0] == name
        assert len(set(order)) == len(order)
        above = [linearise(base, lambda each: table.get(each, ()), {}) for base in table[name]]
        assert set(order) == {name}.union(*above)
        if kind is not None:
            assert order == tuple(each.__name__ for each in kind.__mro__ if each is not object)


def test_contradicting_bases_still_have_an_order() -> None:
    names = hierarchy("class A: ...\nclass B(A): ...\nclass C(A, B): ...\nclass D(C, C): ...\nclass E(E): ...")
    assert set(names.mro("m.C")) == {"m.A", "m.B", "m.C"}
    assert names.mro("m.D")[:2] == ("m.D", "m.C")
    assert names.mro("m.E") == ("m.E",)


FRAMEWORK = package(
    {
        "app/base.py": "import pykka\nclass Base(pykka.ThreadingActor): ...\nclass Mixin: ...\n",
        "app/__init__.py": "from .base import Base\n",
        "app/player.py": "from app import Base\nfrom .base import Mixin\nclass Player(Mixin, Base): ...\n",
        "app/more.py": "import app.player\nclass Louder(app.player.Player): ...\nclass Plain: ...\n",
    }
)


def test_which_known_root_is_reached() -> None:
    names = project(FRAMEWORK, ["app/more.py"])
    roots = ["pykka.ThreadingActor", "pykka.Actor", "threading.Thread"]
    assert names.derives_from("app.more.Louder", roots) == "pykka.ThreadingActor"
    assert names.derives_from("app.more.Plain", roots) is None
    assert names.derives_from("app.more.Louder", ["app.Base"]) == "app.Base"
    assert names.derives_from("pykka.Actor", roots) == "pykka.Actor"
    assert names.mro("app.more.Louder") == (
        "app.more.Louder",
        "app.player.Player",
        "app.base.Mixin",
        "app.base.Base",
        "pykka.ThreadingActor",
    )


def test_subclasses_near_and_far() -> None:
    names = project(FRAMEWORK)
    assert names.subclasses("pykka.ThreadingActor") == ("app.base.Base", "app.more.Louder", "app.player.Player")
    assert names.subclasses("app.Base") == ("app.more.Louder", "app.player.Player")
    assert names.subclasses("app.more.Louder") == ()
    through_others = project(FRAMEWORK, ["app/more.py"])
    assert through_others.subclasses("app.Base") == ("app.more.Louder",)


def test_each_file_is_asked_for_once() -> None:
    indexes = indexed(FRAMEWORK)
    asked: list[str] = []

    def load(path: str) -> ModuleIndex | None:
        asked.append(path)
        return indexes.get(path)

    names = Project([indexes["app/more.py"]], load)
    for _ in range(2):
        names.mro("app.more.Louder")
    assert len(asked) == len(set(asked))
    assert "app/player.py" in asked
    assert "app/more.py" not in asked


def test_recorded_questions_can_be_asked_again() -> None:
    names = project(FRAMEWORK)
    with names.recording() as trace:
        names.resolve("app.player", "Base")
        names.resolve("app.player", "Missing")
        names.find_class("app.player.Player")
        names.find_class("app.player.Missing")
        names.derives_from("app.player.Player", ["pykka.ThreadingActor"])
    names.resolve("app.player", "Mixin")
    assert trace.pop(("entry", "app/player.py")) is None  # who keeps the trace knows what the file's entries are
    assert trace == {
        ("resolve", "app.player", "Base"): "app.base.Base",
        ("resolve", "app.player", "Missing"): "Missing",
        ("find_class", "app.player.Player"): "app/player.py",
        ("find_class", "app.player.Missing"): None,
        ("mro", "app.player.Player"): names.mro("app.player.Player"),
    }
    again = project(FRAMEWORK, ["app/player.py"])
    assert {question: again.ask(question) for question in trace} == trace
    changed = project(FRAMEWORK | {"app/base.py": "class Base: ...\nclass Mixin: ...\n"})
    assert changed.ask(("mro", "app.player.Player")) != trace["mro", "app.player.Player"]


def test_subclasses_do_not_depend_on_what_was_asked_before() -> None:
    asked = project(FRAMEWORK, ["app/more.py"])
    asked.mro("app.player.Player")
    assert asked.subclasses("app.Base") == project(FRAMEWORK, ["app/more.py"]).subclasses("app.Base")
