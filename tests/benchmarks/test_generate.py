from __future__ import annotations

import ast
from pathlib import Path

import pytest

from benchmarks.generate import Size, files, one_class, one_class_project, write_project
from otplint.config import Config
from otplint.engine.packs import load_rules
from otplint.engine.run import scan
from otplint.engine.select import build


def test_the_same_project_each_time() -> None:
    assert list(files(Size(3000, 7), seed=3)) == list(files(Size(3000, 7), seed=3))
    assert list(files(Size(3000, 7), seed=3)) != list(files(Size(3000, 7), seed=4))


@pytest.mark.parametrize("lines", [1_000, 20_000])
def test_a_project_is_as_long_as_wanted(lines: int, tmp_path: Path) -> None:
    written = write_project(tmp_path, Size(lines, 2))
    assert lines <= written < lines + 100
    assert written == sum(path.read_text().count("\n") for path in tmp_path.rglob("*.py"))


@pytest.mark.parametrize("lines", [500, 4_000])
def test_one_class_is_as_long_as_wanted(lines: int) -> None:
    text = one_class(lines)
    [actor] = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    assert lines * 0.9 < (actor.end_lineno or 0) - actor.lineno < lines * 1.1


def test_all_of_it_is_python_and_no_two_files_are_alike() -> None:
    texts = dict(files(Size(5000, 25)))
    for path, text in texts.items():
        ast.parse(text, path)
    plain = [text for path, text in texts.items() if path.startswith("plain")]
    assert len(set(plain)) == len(plain) > 3


def test_its_actors_are_found(tmp_path: Path) -> None:
    write_project(tmp_path, Size(0, 8))
    report = scan([tmp_path], Config(), build(load_rules()), root=tmp_path, jobs=1)
    assert report.failures == ()
    assert report.actors >= 8
    assert report.findings


def test_the_one_class_is_an_actor(tmp_path: Path) -> None:
    lines = one_class_project(tmp_path, 200)
    assert lines == sum(path.read_text().count("\n") for path in tmp_path.rglob("*.py"))
    report = scan([tmp_path], Config(), build(load_rules()), root=tmp_path, jobs=1)
    assert report.actors >= 1
