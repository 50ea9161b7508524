from __future__ import annotations

import gc
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import click
import libcst
import pytest
import rich

from otplint.facts.index.by_ast import index_module
from otplint.facts.index.by_libcst import index_with_libcst
from otplint.facts.index.entries import ModuleIndex, Unparsable

REFUSED = Unparsable(1, 1, "refused")


def by_ast(text: str, module: str = "pkg.mod", *, is_package: bool = False) -> ModuleIndex:
    return index_module(text, "pkg/mod.py", module, is_package)


def by_libcst(text: str, module: str = "pkg.mod", *, is_package: bool = False) -> ModuleIndex:
    return index_with_libcst(text, "pkg/mod.py", module, is_package, REFUSED)


def both(text: str, module: str = "pkg.mod", *, is_package: bool = False) -> ModuleIndex:
    """The record, which must be the same whoever made it."""
    record = by_ast(text, module, is_package=is_package)
    assert by_libcst(text, module, is_package=is_package) == record
    return record


def test_imports_become_absolute() -> None:
    record = both(
        dedent("""\
        import os, a.b.c
        import x.y as z
        from m import one, two as deux
        from . import sibling
        from .sub import thing
        from .. import above
        from ..other.deep import far as f
        from star import *
        from .rel import *
        """),
        "top.pkg.mod",
    )
    assert record.imports == {
        "os": "os",
        "a": "a",
        "z": "x.y",
        "one": "m.one",
        "deux": "m.two",
        "sibling": "top.pkg.sibling",
        "thing": "top.pkg.sub.thing",
        "above": "top.above",
        "f": "top.other.deep.far",
    }
    assert record.stars == ("star", "top.pkg.rel")


def test_relative_imports_of_a_package_start_in_the_package() -> None:
    record = both("from .impl import Actor\nfrom .. import other\n", "top.pkg", is_package=True)
    assert record.imports == {"Actor": "top.pkg.impl.Actor", "other": "top.other"}


def test_relative_imports_above_the_top_are_kept_as_far_as_they_go() -> None:
    assert both("from ...x import y\nfrom .... import z", "a.b").imports == {"y": "x.y", "z": "z"}


def test_a_class_with_everything() -> None:
    text = dedent("""\
        import ray

        @ray.remote(num_cpus=1)
        @other.mark
        class Player(Base[int], pkg.Mixin, metaclass=abc.ABCMeta):
            limit = size = 5
            name: str
            kind: str = "x"
            a, (b, *c) = rest

            async def on_start(self): ...

            @property
            def state(self): ...

            if sys.platform == "win32":
                def conditional(self): ...
                extra = 1

            class Inner(Player2): ...
        """)
    player, inner = both(text).classes
    assert (player.name, player.qualname, player.nested_in) == ("Player", "Player", "")
    assert player.bases == ("Base", "pkg.Mixin")
    assert player.keywords == {"metaclass": "abc.ABCMeta"}
    assert player.decorators == ("ray.remote", "other.mark")
    assert text[player.start : player.end].startswith("@ray.remote")
    assert text[player.start : player.end].endswith("class Inner(Player2): ...")
    assert player.line == 5
    assert player.methods == (
        ("on_start", True, (), 11),
        ("state", False, ("property",), 14),
        ("conditional", False, (), 17),
    )
    assert player.assigned == ("limit", "size", "kind", "a", "b", "c", "extra")
    assert (inner.qualname, inner.nested_in, inner.bases) == ("Player.Inner", "Player", ("Player2",))


@pytest.mark.parametrize(
    ("written", "bases", "keywords"),
    [
        ("Base[T]", ("Base",), {}),
        ("a.Base[int, 'str'].Inner", ("a.Base.Inner",), {}),
        ("make_base()", ("make_base()",), {}),
        ("orm.base(x)(y)", ("orm.base()()",), {}),
        ("six.with_metaclass(Meta, Base, Other)", ("Base", "Other"), {"metaclass": "Meta"}),
        ("with_metaclass()", ("with_metaclass()",), {}),
        ("Fast if fast else Slow", ("Fast", "Slow"), {}),
        ("*bases", ("?",), {}),
        ("(lambda: X)()", ("?()",), {}),
        ("bases[0]", ("bases",), {}),
        ("Base, total=False", ("Base",), {"total": "?"}),
        ("Base, **options", ("Base",), {}),
        ("", (), {}),
    ],
)
def test_bases_are_said_as_far_as_names_can(written: str, bases: tuple[str, ...], keywords: dict[str, str]) -> None:
    (entry,) = both(f"class C({written}): pass\n").classes
    assert (entry.bases, entry.keywords) == (bases, keywords)


def test_classes_in_functions_have_python_s_qualname() -> None:
    record = both(
        dedent("""\
        def outer():
            if x:
                class A: ...
            def inner():
                class B(A):
                    class C: ...
        class K:
            async def method(self):
                class D: ...
        """)
    )
    assert [(entry.qualname, entry.nested_in) for entry in record.classes] == [
        ("outer.<locals>.A", "outer"),
        ("outer.<locals>.inner.<locals>.B", "outer.<locals>.inner"),
        ("outer.<locals>.inner.<locals>.B.C", "outer.<locals>.inner.<locals>.B"),
        ("K", ""),
        ("K.method.<locals>.D", "K.method"),
    ]
    assert [entry.name for entry in record.functions] == ["outer"]


def test_functions_constants_and_aliases() -> None:
    text = dedent("""\
        LIMIT = 5
        LIMIT += 1
        TIMEOUT: float = 2.5
        unbound: int
        app = Celery("x", broker=b)
        low, (mid, *high) = 1, (2, 3)
        Actor = pykka.ThreadingActor
        Typed: TypeAlias = base.Base
        Generic = base.Base[int]
        x = y = z
        @app.task(bind=True)
        async def work(): ...
        if debug:
            LEVEL = 1
        else:
            LEVEL = 2
    """)
    record = both(text)
    spans = [(c.name, text[c.start : c.end], c.call) for c in record.constants]
    assert spans == [
        ("LIMIT", "LIMIT = 5", ""),
        ("LIMIT", "LIMIT += 1", ""),
        ("TIMEOUT", "TIMEOUT: float = 2.5", ""),
        ("app", 'app = Celery("x", broker=b)', "Celery"),
        ("low", "low, (mid, *high) = 1, (2, 3)", ""),
        ("mid", "low, (mid, *high) = 1, (2, 3)", ""),
        ("high", "low, (mid, *high) = 1, (2, 3)", ""),
        ("Actor", "Actor = pykka.ThreadingActor", ""),
        ("Typed", "Typed: TypeAlias = base.Base", ""),
        ("Generic", "Generic = base.Base[int]", ""),
        ("x", "x = y = z", ""),
        ("y", "x = y = z", ""),
        ("LEVEL", "LEVEL = 1", ""),
        ("LEVEL", "LEVEL = 2", ""),
    ]
    assert record.aliases == {
        "Actor": "pykka.ThreadingActor",
        "Typed": "base.Base",
        "Generic": "base.Base",
        "x": "z",
        "y": "z",
    }
    (work,) = record.functions
    assert (work.decorators, work.is_async, work.line) == (("app.task",), True, 12)
    assert text[work.start : work.end] == "@app.task(bind=True)\nasync def work(): ..."


@pytest.mark.parametrize(
    ("text", "imports", "shadowed", "aliases"),
    [
        ("try:\n from fast import A\nexcept ImportError:\n from slow import A", {"A": "fast.A"}, {"A": "slow.A"}, {}),
        ("try:\n from fast import A\nexcept ImportError:\n A = object", {"A": "fast.A"}, {}, {}),
        ("try:\n A = x.Y\nexcept E:\n from slow import A", {}, {"A": "slow.A"}, {"A": "x.Y"}),
        ("try:\n A = object\nexcept E:\n from slow import A", {"A": "slow.A"}, {}, {}),
        ("A = None\nif new:\n from n import A", {"A": "n.A"}, {}, {}),
        ("if old:\n A = None\nelse:\n A = x.Y", {}, {}, {"A": "x.Y"}),
        ("if TYPE_CHECKING:\n from t import A\nelse:\n A = object", {}, {"A": "t.A"}, {"A": "object"}),
        ("if new:\n from n import A\nelif old:\n from o import A\nelse:\n from p import A", {"A": "n.A"}, None, {}),
        ("from m import A\nclass A(A): ...", {}, {"A": "m.A"}, {}),
        ("from m import A\nfrom n import A", {"A": "n.A"}, {}, {}),
        ("A = b.B\nclass A: ...", {}, {}, {}),
        ("if TYPE_CHECKING:\n from t import A\nelse:\n A = x.Y", {}, {"A": "t.A"}, {"A": "x.Y"}),
        ("if TYPE_CHECKING:\n from t import A\nelif new:\n from n import A", {"A": "n.A"}, None, {}),
        ("if typing.TYPE_CHECKING:\n from t import A", {"A": "t.A"}, {}, {}),
        ("if not TYPE_CHECKING:\n from n import A\nelse:\n from t import A", {"A": "n.A"}, {"A": "t.A"}, {}),
        ("with suppress(ImportError):\n from m import A", {"A": "m.A"}, {}, {}),
        ("try:\n pass\nexcept E:\n from a import A\nexcept F:\n from b import A", {"A": "a.A"}, {"A": "b.A"}, {}),
        ("A = A", {}, {}, {}),
    ],
)
def test_which_of_several_bindings_counts(
    text: str, imports: dict[str, str], shadowed: dict[str, str] | None, aliases: dict[str, str]
) -> None:
    record = both(text)
    assert (record.imports, record.aliases) == (imports, aliases)
    if shadowed is not None:
        assert record.shadowed == shadowed


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("__all__ = ['a', 'b']", ("a", "b")),
        ("__all__ = ('a',)", ("a",)),
        ("__all__: list[str] = []", ()),
        ("__all__ = ['a'] + ['b']", ("a", "b")),
        ("__all__ = ['a']\n__all__ += ['b']\n__all__.extend(('c',))\n__all__.append('d')", ("a", "b", "c", "d")),
        ("__all__ = ['a'] + other.__all__", None),
        ("__all__ = ['a']\n__all__ += names", None),
        ("__all__ += ['a']", None),
        ("__all__ = names\n__all__ = ['a']", ("a",)),
        ("x = 1", None),
    ],
)
def test_dunder_all(text: str, names: tuple[str, ...] | None) -> None:
    assert both(text).dunder_all == names


def test_remaining_statements() -> None:
    text = dedent('''\
        """Docstring."""
        import a
        run(); stop()
        X = 1
        if __name__ == "__main__":
            Y = 2
            main()
        try:
            class A: ...
            setup()
            for x in y:
                work(x)
        except E:
            fail()
        ''')
    spans = [text[start:end] for start, end in both(text).statements]
    assert spans == [
        "run()",
        "stop()",
        'if __name__ == "__main__":\n    Y = 2\n    main()',
        "setup()",
        "for x in y:\n        work(x)",
        "fail()",
    ]


ODD = {
    "carriage returns and line feeds": "import a\r\n\r\n@d\r\nclass A(B):\r\n    x = 1\r\n\r\ny = 'ä'\r\n",
    "carriage returns": "import a\r@d\rclass A(B):\r    x = 1\ry = 2\r",
    "form feed": "x = 1\n\f\nclass A(B):\n    x = 1\n\x0cy = 2\n",
    "line separators": "x = 'a\u2028b\u2029c\x0b\x1c\x85'\nclass A(B): y = '\u2028'; z = 1\n@d\nclass C: pass\n",
    "wide characters": "x = '\U0001f600ä'; y = 'ü'; z = 1\nclass Ä(Ö): 'ß'; ñ = 1\n",
    "tabs": "class A(B):\n\tdef f(self):\n\t\tclass C:\n\t\t\tpass\n\tx = 1\nif a:\n\ty = 2\n",
    "no final line end": "class A(B): x = 1",
    "backslashes": "class A \\\n (B): pass\nx \\\n = 1\nfrom a \\\n import b\n",
    "decorators in parentheses": "@(  # why @ here\n   d\n)\nclass A: pass\n@ d . e ()\n@(f\n)\nclass B: pass\n",
    "indented decorators": "if a:\n    @d\n    class A:\n      @(\n         e)\n      class B: pass\n",
    "comments behind": "class A:\n    x = 1\n    # end\n# after\n\nx = 1  # one\n",
    "semicolons": "class A: x = 1; y = 2\nimport a; import b; z = 1;\n",
    "invalid escapes": "x = '\\d'\nclass A: pass\n",
    "nothing": "",
    "only a comment": "# nothing\n",
    "only a docstring": "'a' 'b'",
    "bytes are no docstring": "b'a'\n",
    "star expressions": "[*a, b] = c\n*x, = y\nz.attr = q[0] = 1\n",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_odd_texts_keep_their_offsets(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record = both(text)
    for entry in record.classes:
        assert text[entry.start] in "@c"
        assert text[: entry.end].endswith(("pass", "x = 1", "y = 2", "z = 1", "ñ = 1"))
    for constant in record.constants:
        assert constant.name in text[constant.start : constant.end]


def test_the_start_of_a_class_is_its_first_decorator() -> None:
    text = ODD["decorators in parentheses"]
    first, second = both(text).classes
    assert text[: first.start] == ""
    assert text[second.start :].startswith("@ d . e ()")
    assert second.decorators == ("d.e", "f")


def sample_files() -> Iterator[Path]:
    """Files of installed projects: enough kinds of code, few enough to be quick."""
    packages = [Path(str(package.__file__)).parent for package in (click, rich, libcst)]
    yield from sorted(packages[0].glob("[a-g]*.py"))
    yield from sorted(packages[1].glob("[ab]*.py"))
    yield from sorted(packages[2].glob("*.py"))


def test_both_ways_agree_on_real_projects() -> None:
    count = 0
    for path in sample_files():
        text = path.read_bytes().decode()
        both(text, f"{path.parent.name}.{path.stem}")
        count += 1
    assert count > 20


def test_the_garbage_collector_is_left_as_it_was() -> None:
    assert gc.isenabled()
    by_ast("x = 1")
    with pytest.raises(Unparsable):
        by_ast("x = (")
    assert gc.isenabled()
    gc.disable()
    try:
        by_ast("x = 1")
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_libcst_is_not_imported_for_plain_files() -> None:
    program = dedent("""\
        import sys
        from otplint.facts.index.by_ast import index_module
        index_module("class A(B): x = 1", "m.py", "m", False)
        assert "libcst" not in sys.modules
        """)
    subprocess.run([sys.executable, "-c", program], check=True)
