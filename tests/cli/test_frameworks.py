"""``otplint config --frameworks``: what is recognised in a project, and by which evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PROJECT = {
    "radio/__init__.py": "",
    "radio/base.py": "import pykka\n\n\nclass Base(pykka.ThreadingActor): ...\n",
    "radio/player.py": "from radio.base import Base\n\n\nclass Middle(Base): ...\n\n\nclass Player(Middle): ...\n",
    "radio/asks.py": "def ask(ref):\n    import pykka\n\n    return ref.ask(1, timeout=1)\n",
    "radio/errors.py": "from pykka import ActorDeadError\n\nGONE = (ActorDeadError,)\n",
    "radio/far.py": "import ray\n\n\n@ray.remote\nclass Counter:\n    def add(self): ...\n",
    "radio/loop.py": "import queue\n\n\nclass Worker:\n    def __init__(self):\n        self.inbox = queue.Queue()\n\n"
    "    def run(self):\n        while True:\n            self.inbox.get()()\n",
    "radio/top.py": "from otplint.runtime import Supervisor\n\n\ndef main(system):\n    return Supervisor(system)\n",
    "radio/plain.py": "class Plain: ...\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_text_tells_counts_evidence_and_an_example(otplint: Any) -> None:
    answer = otplint(["config", "--frameworks"])
    assert (answer.status, answer.err) == (0, "")
    blocks = {block.partition(":")[0]: block.splitlines() for block in answer.out.split("\n\n")}
    head, data, evidence, example, imported = blocks["pykka"]
    assert head == "pykka: 3 actors"
    assert "https://pykka.readthedocs.io" in data
    assert evidence.split() == ["3", "derives", "from", "pykka.ThreadingActor"]
    assert example.strip() == "e.g. radio/base.py:4 radio.base.Base"
    assert imported.strip() == "imported by 1 file without an actor of it: radio/errors.py:1"
    assert [line.strip() for line in blocks["ray"][2:]] == [
        "1  is decorated with ray.remote", "radio/far.py:5 radio.far.Counter"
    ]  # fmt: skip
    assert "1  lives by its own loop or callbacks" in [line.strip() for line in blocks["threads"]]
    assert blocks["runtime"][0] == "runtime: 1 place that sets supervision up"
    assert blocks["runtime"][2:] == ["       1  calls Supervisor", "          radio/top.py:5 radio.top.main"]
    assert answer.out.endswith("5 actors; 9 files seen, 7 with actor code\n")
    assert "\x1b" not in answer.out


@pytest.mark.usefixtures("project")
def test_json_tells_every_actor_with_the_classes_in_between(otplint: Any) -> None:
    document = json.loads(otplint(["config", "--frameworks", "--format", "json"]).out)
    pykka = next(f for f in document["frameworks"] if f["name"] == "pykka")
    assert {
        "name": "radio.player.Player",
        "path": "radio/player.py",
        "line": 7,
        "evidence": "derives from pykka.ThreadingActor",
        "through": ["radio.player.Middle", "radio.base.Base"],
    } in pykka["actors"]
    assert pykka["imported_without_actor"] == [{"path": "radio/errors.py", "line": 1}]
    assert document["errors"] == []
    assert document["files"] == 9


@pytest.mark.usefixtures("project")
def test_paths_are_those_of_a_scan(otplint: Any) -> None:
    document = json.loads(otplint(["config", "--frameworks", "--format", "json", "radio/player.py"]).out)
    assert [(f["name"], [a["name"] for a in f["actors"]]) for f in document["frameworks"]] == [
        ("pykka", ["radio.player.Middle", "radio.player.Player"])
    ]
    answer = otplint(["config", "--frameworks", "radio/nowhere.py"])
    assert answer.status == 2
    assert "nowhere.py" in answer.err


def test_in_a_terminal_lines_fit_and_names_stand_out(otplint: Any, project: Path, monkeypatch: Any) -> None:
    deep = "radio/" + "/".join(["with_a_long_name"] * 4)
    (project / deep).mkdir(parents=True)
    (project / deep / "one.py").write_text("import pykka\nimport radio.base\nclass One(radio.base.Base): ...\n")
    monkeypatch.setattr("otplint.cli.recognised.wants_colour", lambda _stream: True)
    monkeypatch.setattr("otplint.cli.recognised.width", lambda: 60)
    lines = otplint(["config", "--frameworks"]).out.splitlines()
    assert "\x1b[1mpykka\x1b[0m: 4 actors" in lines
    assert [line for line in lines if len(line) > 60 and deep not in line] == []


def test_nothing_is_said_so(otplint: Any, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    assert otplint(["config", "--frameworks"]).out == "No actor was recognised; 1 file seen, 0 with actor code.\n"


def test_a_file_that_cannot_be_read_is_told_and_the_rest_is_shown(otplint: Any, project: Path) -> None:
    (project / "radio" / "broken.py").write_text("import pykka\nclass (:\n")
    answer = otplint(["config", "--frameworks"])
    assert answer.status == 2
    assert answer.err.startswith("otplint: error: radio/broken.py:2: syntax error")
    assert "pykka: 3 actors" in answer.out


def test_an_own_framework_is_named_with_its_file_and_with_what_it_misses(otplint: Any, project: Path) -> None:
    (project / "radio" / "bus.py").write_text("class Agent: ...\n\n\nclass Talker(Agent): ...\n")
    (project / "otplint.toml").write_text(
        "[frameworks.house]\n[[frameworks.house.actor]]\n"
        "bases = ['radio.bus.Agent', 'radio.Agent', 'elsewhere.Thing']\n"
        "[frameworks.silent]\n[[frameworks.silent.actor]]\nbases = ['elsewhere.Other']\n"
    )
    answer = otplint(["config", "--frameworks"])
    blocks = {
        block.partition(":")[0]: [line.strip() for line in block.splitlines()] for block in answer.out.split("\n\n")
    }
    assert "data: [tool.otplint.frameworks.house] of otplint.toml" in blocks["house"]
    assert "not understood: radio.Agent is not in the project; did you mean radio.bus.Agent?" in blocks["house"]
    assert not any("elsewhere" in line for line in blocks["house"])
    assert "radio/bus.py:4 radio.bus.Talker" in " ".join(blocks["house"])
    assert blocks["silent"][-1] == "nothing in the project derives from its bases or carries its decorators"


def test_schema_and_frameworks_do_not_go_together(otplint: Any) -> None:
    answer = otplint(["config", "--schema", "--frameworks"])
    assert answer.status == 2
    assert "give one" in answer.err
