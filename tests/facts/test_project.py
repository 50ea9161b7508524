from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otplint.facts.index.by_ast import index_module
from otplint.facts.index.entries import ModuleIndex
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


def base_of(files: Files, qualified: str) -> str:
    """The first base of a class, in a project where only its own file was named."""
    everything = project(files)
    found = everything.find_class(qualified)
    assert found is not None
    (base, *_) = everything.bases(found[0].module, found[1])
    alone = project(files, [found[0].path])
    again = alone.find_class(qualified)
    assert again is not None
    assert alone.bases(again[0].module, again[1])[0] == base
    return base


IMPL = {"pkg/impl.py": "class Base: ..."}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pkg/m.py": "from pkg.impl import Base\nclass C(Base): ..."}, "pkg.impl.Base"),
        ({"pkg/m.py": "from .impl import Base as B\nclass C(B): ..."}, "pkg.impl.Base"),
        ({"pkg/m.py": "from . import impl\nclass C(impl.Base): ..."}, "pkg.impl.Base"),
        ({"pkg/m.py": "import pkg.impl\nclass C(pkg.impl.Base): ..."}, "pkg.impl.Base"),
        ({"pkg/m.py": "import pkg.impl as i\nclass C(i.Base[int]): ..."}, "pkg.impl.Base"),
        ({"pkg/m.py": "from .impl import *\nclass C(Base): ..."}, "pkg.impl.Base"),
        ({"pkg/m.py": "from pkg import impl\nActor = impl.Base\nclass C(Actor): ..."}, "pkg.impl.Base"),
        ({"pkg/m.py": "import threading as t\nclass C(t.Thread): ..."}, "threading.Thread"),
        ({"pkg/m.py": "import pykka\nclass C(pykka.ThreadingActor): ..."}, "pykka.ThreadingActor"),
        ({"pkg/m.py": "from pykka import *\nclass C(ThreadingActor): ..."}, "pykka.ThreadingActor"),
        ({"pkg/m.py": "from pykka import *\nclass C(Exception): ..."}, "Exception"),
        ({"pkg/m.py": "from a import *\nfrom b import *\nclass C(Thing): ..."}, "Thing"),
        ({"pkg/m.py": "class C(Nowhere): ..."}, "Nowhere"),
        ({"pkg/m.py": "from .impl import make\nclass C(make()): ..."}, "pkg.impl.make()"),
        ({"pkg/m.py": "class C((lambda: 1)()): ..."}, "?()"),
        ({"pkg/m.py": "from pkg import Actor\nclass C(Actor): ...",
          "pkg/__init__.py": "from .impl import Base as Actor"}, "pkg.impl.Base"),
        ({"pkg/m.py": "import pkg\nclass C(pkg.Actor): ...", "pkg/__init__.py": "from .impl import *\nActor = Base"},
         "pkg.impl.Base"),
        ({"pkg/m.py": "if TYPE_CHECKING:\n    from .impl import Base\nclass C(Base): ..."}, "pkg.impl.Base"),
        ({"pkg/m.py": "try:\n    from .impl import Base\nexcept ImportError:\n    Base = object\nclass C(Base): ..."},
         "pkg.impl.Base"),
        ({"pkg/m.py": "from .impl import Base\nclass C(Base if new else object): ..."}, "pkg.impl.Base"),
        ({"pkg/m.py": "from .impl import Base\nclass C(six.with_metaclass(M, Base)): ..."}, "pkg.impl.Base"),
        ({"pkg/m.py": "from .impl import C\nclass C(C): ...", "pkg/impl.py": "class C: ..."}, "pkg.impl.C"),
        ({"pkg/m.py": "type Actor = Base\nfrom .impl import Base\nclass C(Actor): ..."}, "pkg.impl.Base"),
    ],
)  # fmt: skip
def test_forms_of_import(files: Files, expected: str) -> None:
    assert base_of(package(IMPL | dict(files), "pkg") | dict(files), "pkg.m.C") == expected


def test_star_imports_respect_all_and_underscores() -> None:
    files = package(
        {
            "pkg/impl.py": "class Base: ...\nclass _Hidden: ...\nclass Listed: ...\n",
            "pkg/listed.py": "__all__ = ['Listed', '_Private', 'sub']\nclass _Private: ...\nfrom .impl import *\n",
            "pkg/m.py": "from .impl import *\n",
            "pkg/n.py": "from .listed import *\n",
            "pkg/part/__init__.py": "__all__ = ['inner']\n",
            "pkg/part/inner.py": "class Deep: ...\n",
            "pkg/o.py": "from .part import *\n",
        },
        "pkg",
    )
    names = project(files)
    assert names.resolve("pkg.m", "Base") == "pkg.impl.Base"
    assert names.resolve("pkg.m", "_Hidden") == "_Hidden"
    assert names.resolve("pkg.n", "Listed") == "pkg.impl.Listed"
    assert names.resolve("pkg.n", "_Private") == "pkg.listed._Private"
    assert names.resolve("pkg.n", "Base") == "Base"
    assert names.resolve("pkg.o", "inner.Deep") == "pkg.part.inner.Deep"


def test_the_last_star_import_wins_and_a_definition_beats_it() -> None:
    files = {
        "a.py": "class X: ...\nclass Y: ...",
        "b.py": "class X: ...\nclass Y: ...",
        "m.py": "from a import *\nfrom b import *\nclass Y: ...",
    }
    assert project(files).resolve("m", "X") == "b.X"
    assert project(files).resolve("m", "Y") == "m.Y"


def test_a_name_that_hides_a_submodule() -> None:
    files = package(
        {
            "pkg/__init__.py": "from .client import client\n",
            "pkg/client.py": "class client: ...\nclass Other: ...\n",
            "m.py": "from pkg import client\nfrom pkg.client import Other\nimport pkg.client as c\n",
        }
    )
    names = project(files)
    assert names.resolve("m", "client") == "pkg.client.client"
    assert names.resolve("m", "Other") == "pkg.client.Other"
    assert names.resolve("m", "c.Other") == "pkg.client.Other"


def test_namespace_packages_and_source_layout() -> None:
    files = {
        "src/ns/core/base.py": "class Base: ...",
        "src/ns/app/actor.py": "from ns.core.base import Base\nfrom ..core import base\nclass C(Base): ...\n"
        "class D(base.Base): ...",
    }
    assert base_of(files, "ns.app.actor.C") == "ns.core.base.Base"
    assert base_of(files, "ns.app.actor.D") == "ns.core.base.Base"


def test_a_regular_package_in_a_namespace_answers_to_both_names() -> None:
    files = {
        "ns/one/__init__.py": "",
        "ns/one/base.py": "class Base: ...",
        "ns/two/__init__.py": "",
        "ns/two/actor.py": "from ns.one.base import Base\nfrom ..one import base\nclass C(Base): ...\n"
        "class D(base.Base): ...",
    }
    assert base_of(files, "ns.two.actor.C") == "one.base.Base"
    assert base_of(files, "two.actor.D") == "one.base.Base"


def test_scripts_import_their_neighbours() -> None:
    files = {
        "examples/helper.py": "class Base: ...",
        "examples/run.py": "from helper import Base\nclass C(Base): ...",
        "elsewhere/run.py": "from helper import Base\nclass C(Base): ...",
    }
    assert base_of(files, "examples.run.C") == "examples.helper.Base"
    assert base_of(files, "elsewhere.run.C") == "helper.Base"


def test_two_services_with_the_same_package_stay_apart() -> None:
    service = {
        "app/__init__.py": "",
        "app/base.py": "class Base: ...",
        "app/actor.py": "from app.base import Base\nfrom . import base\nclass C(Base, base.Base): ...",
    }
    files = {f"{name}/{path}": text for name in ("one-svc", "two-svc") for path, text in service.items()}
    names = project(files)
    bases = {}
    for index in names.modules:
        for entry in index.classes:
            if entry.name == "C":
                bases[index.path] = names.bases(index.module, entry)
    assert bases == {
        "one-svc/app/actor.py": ("app.base.Base", "app.base.Base"),
        "two-svc/app/actor.py": ("two-svc.app.base.Base", "two-svc.app.base.Base"),
    }
    second = names.find_class("two-svc.app.base.Base")
    assert second is not None
    assert second[0].path == "two-svc/app/base.py"
    assert names.subclasses("two-svc.app.base.Base") == ("two-svc.app.actor.C",)


def test_the_closest_of_several_packages_is_meant() -> None:
    files = {
        "one/py-libs/util/__init__.py": "class Base: ...",
        "two/py-libs/util/__init__.py": "class Base: ...",
        "one/app/actor.py": "from util import Base\nclass C(Base): ...",
        "two/app/actor.py": "from util import Base\nclass C(Base): ...",
    }
    names = project(files)
    assert names.resolve("one.app.actor", "Base") == "util.Base"
    assert names.resolve("two.app.actor", "Base") == "two.py-libs.util.Base"


def test_a_package_s_own_files_are_meant_even_if_others_were_named() -> None:
    files = {
        "one-svc/app/__init__.py": "",
        "one-svc/app/base.py": "class Base: ...",
        "two-svc/app/__init__.py": "",
        "two-svc/app/base.py": "class Other: ...",
        "two-svc/app/actor.py": "from app.base import Other\nclass C(Other): ...",
    }
    names = project(files, ["one-svc/app/base.py", "two-svc/app/actor.py"])
    found = names.find_class(names.resolve("app.actor", "Other"))
    assert found is not None
    assert found[0].path == "two-svc/app/base.py"


def test_relative_names_can_be_asked_for() -> None:
    files = package({"pkg/impl.py": "class Base: ...", "pkg/sub/m.py": ""}, "pkg", "pkg/sub")
    names = project(files)
    assert names.resolve("pkg.sub.m", "..impl.Base") == "pkg.impl.Base"
    assert names.resolve("pkg", ".impl.Base") == "pkg.impl.Base"


def test_nested_classes_see_their_scope() -> None:
    files = {
        "m.py": """\
            class A: ...
            class Outer:
                class A: ...
                class B(A): ...
                def method(self):
                    class C(A): ...
            def make():
                class A: ...
                class D(A):
                    class E(A): ...
                return D
            class F(Outer.B): ...
            """
    }
    names = project(files)
    expected = {
        "Outer.B": "m.Outer.A",
        "Outer.method.<locals>.C": "m.A",
        "make.<locals>.D": "m.make.<locals>.A",
        "make.<locals>.D.E": "m.make.<locals>.A",
        "F": "m.Outer.B",
    }
    for qualname, base in expected.items():
        found = names.find_class(f"m.{qualname}")
        assert found is not None
        assert names.bases("m", found[1]) == (base,)
    assert names.mro("m.F") == ("m.F", "m.Outer.B", "m.Outer.A")


def test_find_functions_and_constants_through_re_exports() -> None:
    files = package(
        {
            "pkg/impl.py": "LIMIT = 5\nLIMIT = 6\ndef work(): ...\nclass A: ...\napp = celery.Celery('x')\n",
            "pkg/__init__.py": "from .impl import LIMIT as CAP, work, A, app\n",
        }
    )
    names = project(files)
    constant = names.find_constant("pkg.CAP")
    assert constant is not None
    assert (constant[0].path, constant[1].line) == ("pkg/impl.py", 1)
    function = names.find_function("pkg.work")
    assert function is not None
    assert function[1].name == "work"
    application = names.find_constant("pkg.app")
    assert application is not None
    assert application[1].call == "celery.Celery"
    assert names.find_function("pkg.A") is None
    assert names.find_class("pkg.work") is None
    assert names.find_class("pykka.Actor") is None
    assert names.canonical("pkg.A") == "pkg.impl.A"


def test_import_circles_end() -> None:
    files = {
        "a.py": "from b import X, Y\nfrom b import *\nclass Y: ...\nP = Q\nQ = P\nR = R.s\n",
        "b.py": "from a import X\nfrom a import *\nfrom a import Y\n",
        "c.py": "from c import Z\nimport c\nclass Z(Z): ...\nclass V(W): ...\nclass W(V): ...\n",
    }
    names = project(files)
    assert names.resolve("a", "Y") == "a.Y"
    assert names.resolve("b", "Y") == "a.Y"
    for module in "ab":
        assert names.resolve(module, "X").endswith(".X")
        assert names.resolve(module, "Missing") == "Missing"
    for name in "PQR":
        assert names.resolve("a", name)
    assert names.mro("c.V") == ("c.V", "c.W")
    assert names.mro("c.W") == ("c.W", "c.V")
    assert names.mro("c.Z")[0] == "c.Z"


def test_long_chains_end() -> None:
    chain = "class A0: ...\n" + "".join(f"class A{n}(A{n - 1}): ...\n" for n in range(1, 1500))
    aliases = "class B0: ...\n" + "".join(f"B{n} = B{n - 1}\n" for n in range(1, 1500))
    names = project({"m.py": chain + aliases})
    assert len(names.mro("m.A1499")) == 1500
    assert names.resolve("m", "B9") == "m.B0"
    assert names.resolve("m", "B1499")


TANGLE: dict[str, str] = {
    "one/pkg/__init__.py": "from .a import *\nfrom .b import X as Y\n",
    "one/pkg/a.py": "from .b import *\nfrom pkg import Y\nclass A(Y): ...\nclass X: ...\n",
    "one/pkg/b.py": "from .a import X\nfrom . import Y\nfrom helper import H\nclass B(X, H): ...\nL = M\nM = L\n",
    "two/pkg/__init__.py": "from pkg.a import A\n",
    "two/pkg/a.py": "from pkg.b import B as A\nclass C(A): ...\n",
    "two/pkg/b.py": "from helper import H\nclass B(H): ...\n",
    "helper.py": "from pkg import A\nclass H(A): ...\n",
    "two/helper.py": "class H: ...\n",
    "loose/run.py": "from helper import *\nfrom pkg.b import *\nclass R(H, B): ...\n",
    "loose/helper.py": "from run import R as H\n",
}


def everything_about(names: Project, ask: Callable[[list[str]], None]) -> dict[tuple[str, ...], object]:
    """Every answer, the questions in an order of the caller's choice."""
    written = [f"{m} {n}" for m in sorted(TANGLE) for n in "ABCHLMRXY"]
    ask(written)
    answers: dict[tuple[str, ...], object] = {}
    for question in written:
        path, name = question.split()
        index = names.at(path)
        assert index is not None
        answers[path, name] = (index.module, names.resolve(index.module, name))
        answers["mro", path, name] = names.mro(f"{index.module}.{name}")
    return answers


@given(st.randoms(use_true_random=False), st.sets(st.sampled_from(sorted(TANGLE))))
def test_answers_do_not_depend_on_any_order(chance: random.Random, named: set[str]) -> None:
    expected = everything_about(project(TANGLE, sorted(named)), lambda questions: None)
    shuffled = list(named)
    chance.shuffle(shuffled)
    assert everything_about(project(TANGLE, shuffled), chance.shuffle) == expected
