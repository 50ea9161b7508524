"""Parsed regions that are kept: the same statements in another place, and never wrong ones."""

from __future__ import annotations

import hashlib
import os
import pickle
import sqlite3
import textwrap
import zlib
from collections.abc import Callable
from pathlib import Path

import libcst
import pytest
from hypothesis import given
from hypothesis import strategies as st

import otplint
from otplint.config import Config
from otplint.engine.cache.recall import Cache
from otplint.engine.cache.regions import NAME, KeptRegions
from otplint.engine.cache.store import Store
from otplint.engine.packs import load_rules
from otplint.engine.run import scan
from otplint.engine.select import build
from otplint.facts.syntax import code
from otplint.facts.syntax.parse import NoRegions, parse
from otplint.facts.syntax.plain import block_of, plain
from otplint.findings import Report

RULES = build(load_rules())
TEXT = """\
@decorated(1, *a, k=b"x", **kw)
class Bank(Base[int], metaclass=Meta):
    limit: int = 3_000

    async def run(self, /, x: "int" = ..., *rest: str, last=None) -> None:
        with open(f"{x!r:>{limit}}") as file, lock:
            async for a, *b in stream(await self.next(), -1.5, 2j):
                del a[1:2, ::3], b.c
        try:
            x = y = lambda z, *w: z if w else not z
        except* (ValueError, OSError) as error:
            raise Failure from error
        else:
            global limit
            limit += 1
        finally:
            assert x is not None and 0 < limit <= 3, "text"
        match x:
            case {"a": [1, *_], **rest} | Point(x=0) if rest:
                yield {k: v for k, v in x.items() if k}
            case None:
                return
        while (n := self.step()):
            from . import there as here
            continue
        self.values = {1, 2}, {"a": 1, **rest}, [i async for i in x], "\\ud800"
"""


def dumped(node: object) -> object:
    """A record with all its parts, for comparison."""
    if isinstance(node, tuple):
        return tuple(dumped(part) for part in node)
    names = getattr(type(node), "__slots__", None)
    return (type(node), *(dumped(getattr(node, name)) for name in names)) if names else (type(node), node)


def parsed(text: str, offset: int = 0) -> code.Block:
    return parse(text, offset, 1, NoRegions())


@given(offset=st.integers(0, 10**6))
def test_what_was_kept_is_the_same_elsewhere(offset: int) -> None:
    assert dumped(block_of(plain(parsed(TEXT, 5), 5), offset)) == dumped(parsed(TEXT, offset))


def test_real_code_comes_back_as_it_was() -> None:
    for file in sorted(Path(otplint.__file__).parent.glob("engine/*.py")):
        block = parsed(file.read_text(encoding="utf-8"))
        values = pickle.loads(pickle.dumps(plain(block, 0)))
        assert dumped(block_of(values, 0)) == dumped(block)


def test_no_record_is_part_of_two_others() -> None:
    """What is told apart by its identity would be two things after it was kept."""
    seen: set[int] = set()

    def visit(node: object) -> None:
        if isinstance(node, tuple):
            for part in node:
                visit(part)
        elif slots := getattr(type(node), "__slots__", None):
            assert id(node) not in seen
            seen.add(id(node))
            for name in slots:
                visit(getattr(node, name))

    visit(parsed(TEXT))
    assert len(seen) > 100


def test_an_expression_of_any_depth_is_kept() -> None:
    text = "x = " + " + ".join(["a"] * 1200) + "\n"
    block = parsed(text)
    assert plain(block_of(plain(block, 0), 3), 3) == plain(block, 0)


@pytest.mark.parametrize("values", [[], [(0,)], [1], [(-5,)], [(999,)], [("?",)], [1, 2], [(1, 2)], ["x", (-2,), 3]])
def test_other_values_are_no_block(values: list[object]) -> None:
    with pytest.raises((LookupError, TypeError, ValueError)):
        block_of(values, 0)


# -- the database


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def fresh(place: Path, code: str = "1", most: int = 10**8) -> KeptRegions:
    return KeptRegions(place, code, most)


def keep(regions: KeptRegions, *texts: str) -> None:
    for text in texts:
        regions.put(text, 0, parsed(text))
    regions.keep()


def test_regions_are_found_by_their_text_and_by_nothing_else(place: Path) -> None:
    keep(fresh(place), "x = 1\n")
    found = fresh(place).get("x = 1\n", 10)
    assert found is not None
    assert dumped(found) == dumped(parsed("x = 1\n", 10))
    assert fresh(place).get("x = 2\n", 10) is None
    assert fresh(place, "2").get("x = 1\n", 10) is None  # another version of otplint


def test_nothing_is_made_where_nothing_is_kept(place: Path) -> None:
    regions = fresh(place)
    assert regions.get("x = 1\n", 0) is None
    regions.keep()
    regions.bound()
    assert not [*place.iterdir()]


def test_another_process_gets_none(place: Path) -> None:
    assert isinstance(pickle.loads(pickle.dumps(fresh(place))), NoRegions)


def _row(place: Path, change: Callable[[bytes], bytes]) -> None:
    with sqlite3.connect(place / NAME) as connection:
        [(packed,)] = connection.execute("SELECT nodes FROM region").fetchall()
        connection.execute("UPDATE region SET nodes = ?", (change(packed),))
    connection.close()


def _packed(value: object) -> bytes:
    packed = zlib.compress(pickle.dumps(value))
    return hashlib.blake2b(packed, digest_size=16).digest() + packed


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, ("sprung",))


@pytest.mark.parametrize(
    "change",
    [
        lambda packed: packed[:-1],
        lambda packed: packed[:20] + b"x" + packed[21:],
        lambda _: b"",
        lambda _: _packed([]),
        lambda _: _packed({"x": 1}),
        lambda _: _packed([(77,)]),
        lambda _: _packed(Trap()),
    ],
)
def test_rows_that_are_damaged_or_foreign_are_parsed_again(
    change: Callable[[bytes], bytes], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    keep(fresh(place), "x = 1\n")
    _row(place, change)
    assert fresh(place).get("x = 1\n", 0) is None
    assert not (place / "sprung").exists()


@pytest.mark.parametrize("data", [b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_replaced(data: bytes, place: Path) -> None:
    (place / NAME).write_bytes(data)
    regions = fresh(place)
    assert regions.get("x = 1\n", 0) is None
    keep(regions, "x = 1\n")
    keep(fresh(place), "x = 1\n")
    assert fresh(place).get("x = 1\n", 0) is not None


def test_a_database_of_somebody_else_is_left_alone(place: Path) -> None:
    with sqlite3.connect(place / NAME) as connection:
        connection.execute("CREATE TABLE region (other TEXT)")
    connection.close()
    regions = fresh(place)
    keep(regions, "x = 1\n")
    assert regions.get("x = 1\n", 0) is None


def test_one_who_writes_for_long_stops_nobody(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otplint.engine.cache.regions._WAIT", 0.01)
    keep(fresh(place), "x = 1\n")
    other = sqlite3.connect(place / NAME)
    other.execute("BEGIN EXCLUSIVE")
    regions = fresh(place)
    assert regions.get("x = 1\n", 0) is None
    keep(regions, "x = 2\n")
    other.rollback()
    other.close()
    assert fresh(place).get("x = 1\n", 0) is not None


def test_what_was_used_longest_ago_goes_first(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"x{i} = {'+'.join(f'{i * 1000 + j}' for j in range(150))}\n" for i in range(60)]
    keep(fresh(place), *texts)
    size = (place / NAME).stat().st_size
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    later = fresh(place, most=size // 2)
    for text in texts[::12]:
        assert later.get(text, 0) is not None
    later.keep()
    later.bound()
    assert (place / NAME).stat().st_size < size // 2
    kept = [text for text in texts if fresh(place).get(text, 0) is not None]
    assert set(texts[::12]) <= set(kept) < set(texts)


# -- in a scan

PROJECT = {
    "actors.py": "import pykka\n"
    + "".join(
        textwrap.dedent(f"""\

        class Actor{i}(pykka.ThreadingActor):
            def on_receive(self, message):
                try:
                    self.work(message)
                except Exception:
                    pass
        """)
        for i in range(3)
    )
}


def look(root: Path, cached: bool = True) -> Report:
    cache = Cache(Store(root / "cache"), "key", root) if cached else None
    if cache is not None and (known := cache.report_of([root], Config())) is not None:
        return known
    return scan([root], Config(), RULES, root=root, jobs=1, cache=cache)


@pytest.mark.parametrize("offset", [0, 1])
def test_of_an_edited_file_one_class_is_parsed_again(
    offset: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "actors.py"
    file.write_text(PROJECT["actors.py"])
    before = look(tmp_path)
    assert len(before.findings) == 3
    asked: list[str] = []
    inner = libcst.parse_module

    def noted(text: str) -> libcst.Module:
        asked.append(text)
        return inner(text)

    monkeypatch.setattr(libcst, "parse_module", noted)
    file.write_text("# moved\n" * offset + PROJECT["actors.py"].replace("Actor1", "Changed"))
    after = look(tmp_path)
    assert len(asked) == 1
    assert "Changed" in asked[0]
    assert after == look(tmp_path, cached=False)
