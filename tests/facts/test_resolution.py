"""Actors are found however a project's files pass a base class or decorator on: small trees, scanned for real.

Each tree is a part of a file in ``resolution/``: a line ``==== title: the actors that are expected``, then its files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from otplint.config import Config
from otplint.engine.pool import Pool
from otplint.engine.run import Survey, listed_files, survey
from otplint.facts.actors import Actor
from otplint.facts.methods import Role

TREES = Path(__file__).parent / "resolution"
Tree = dict[str, str]


def trees(name: str) -> Iterator[tuple[str, Tree, set[str]]]:
    """Title, files and expected actors of each tree."""
    for part in (TREES / f"{name}.txt").read_text(encoding="utf-8").split("==== ")[1:]:
        head, *files = part.split("---- ")
        title, _, expected = head.strip().partition(":")
        tree = {path: text for path, _, text in (file.partition("\n") for file in files)}
        yield title, tree, set(expected.split())


def cases(*names: str) -> list[object]:
    return [pytest.param(tree, expected, id=title) for name in names for title, tree, expected in trees(name)]


def write(root: Path, tree: Tree) -> None:
    for path, text in tree.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def look(root: Path, config: Config | None = None, *paths: str) -> Survey:
    settings = config or Config()
    files, listed = listed_files([root / path for path in paths] or [root], settings, root)
    with Pool(1, len(listed)) as pool:
        return survey(listed, files, settings, pool, whole=not paths)


def actors(known: Survey) -> dict[str, Actor]:
    found = [actor for index in known.indexes for actor in known.facts.actors(index)]
    return {actor.qualname: actor for actor in found if actor.is_actor}


@pytest.mark.parametrize(("tree", "expected"), cases("imports", "layouts", "conditions", "bases", "made"))
def test_every_actor_is_found(tree: Tree, expected: set[str], tmp_path: Path) -> None:
    write(tmp_path, tree)
    known = look(tmp_path)
    assert known.found.failures == []
    assert set(actors(known)) == expected


@pytest.mark.parametrize(("tree", "expected"), cases("left_out"))
def test_what_only_running_the_program_would_tell(tree: Tree, expected: set[str], tmp_path: Path) -> None:
    write(tmp_path, tree)
    assert set(actors(look(tmp_path))) == expected


def test_triage_loses_none_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same trees all in one project, each in its own folder, with and without triage."""
    for name in ("imports", "conditions", "bases", "made"):
        for number, (_, tree, _) in enumerate(trees(name)):
            write(tmp_path / name / f"case-{number}", tree)
    with_triage = {(actor.path, actor.name) for actor in actors(look(tmp_path)).values()}
    monkeypatch.setattr("otplint.sources.triage.Triage.selects", lambda _self, _data: True)
    assert with_triage == {(actor.path, actor.name) for actor in actors(look(tmp_path)).values()}
    assert len(with_triage) > 100


WRAPPED = {
    "tools/__init__.py": "from .wrap import *\n",
    "tools/wrap.py": (
        "import functools\n"
        "__all__ = ['logged', 'quiet', 'retried']\n"
        "def logged(f):\n"
        "    @functools.wraps(f)\n"
        "    def inner(*args, **kwargs):\n"
        "        return f(*args, **kwargs)\n"
        "    return inner\n"
        "def retried(times):\n"
        "    def outer(f):\n"
        "        @functools.wraps(f)\n"
        "        def inner(*args, **kwargs):\n"
        "            return f(*args, **kwargs)\n"
        "        return inner\n"
        "    return outer\n"
        "def quiet(f):\n"
        "    @functools.wraps(f)\n"
        "    def inner(*args, **kwargs):\n"
        "        try:\n"
        "            return f(*args, **kwargs)\n"
        "        except Exception:\n"
        "            return None\n"
        "    return inner\n"
    ),
    "player.py": (
        "import pykka\n"
        "from tools import logged, quiet, retried as again\n"
        "class Player(pykka.ThreadingActor):\n"
        "    @logged\n"
        "    @again(3)\n"
        "    def on_receive(self, message):\n"
        "        self.last = message\n"
        "    @quiet\n"
        "    def play(self, track):\n"
        "        self.track = track.load()\n"
        "    @staticmethod\n"
        "    def plain(): ...\n"
    ),
}


def test_handlers_under_decorators_of_another_file_are_handlers(tmp_path: Path) -> None:
    write(tmp_path, WRAPPED)
    player = actors(look(tmp_path))["player.Player"]
    assert [m.name for m in player.methods if m.role is Role.HANDLER] == ["on_receive", "play"]


HANDLERS = {
    "bus.py": (
        "import functools\n"
        "from autogen_core import RoutedAgent, message_handler\n"
        "hear = message_handler\n"
        "strict = functools.partial(message_handler, strict=False)\n"
        "def on(kind):\n"
        "    def wrap(f):\n"
        "        return message_handler(f, match=kind)\n"
        "    return wrap\n"
    ),
    "agent.py": (
        "from bus import *\n"
        "import bus\n"
        "class Agent(bus.RoutedAgent):\n"
        "    @hear\n"
        "    async def one(self, message, ctx): ...\n"
        "    @bus.on(int)\n"
        "    async def two(self, message, ctx): ...\n"
        "    @strict()\n"
        "    async def three(self, message, ctx): ...\n"
        "    async def helper(self): ...\n"
    ),
}


def test_the_project_s_own_decorators_of_handlers(tmp_path: Path) -> None:
    write(tmp_path, HANDLERS)
    agent = actors(look(tmp_path))["agent.Agent"]
    assert [m.name for m in agent.methods if m.role is Role.HANDLER] == ["one", "two", "three"]


APPLIED = {
    "counter.py": "class Counter:\n    def __init__(self): self.n = 0\n    def add(self):\n        self.n += 1\n",
    "far.py": "import ray\nfrom counter import Counter as _C\nFar = ray.remote(num_cpus=1)(_C)\n",
    "use.py": "import ray\nfrom far import Far\ndef go():\n    a = Far.remote()\n    return ray.get(a.add.remote())\n",
}


def test_what_a_decorator_makes_in_one_file_is_called_in_another(tmp_path: Path) -> None:
    write(tmp_path, APPLIED)
    known = look(tmp_path)
    assert actors(known)["counter.Counter"].evidence == "is made an actor by ray.remote"
    go = known.facts.function("use.go")
    assert go is not None
    assert {(e.role, e.certain) for e in go.events} == {("spawn", True), ("cast", True), ("call", True)}
