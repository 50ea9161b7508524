from __future__ import annotations

import argparse
from pathlib import Path

import pytest

import otplint.findings
from benchmarks.blame import Place, compared, own_times
from benchmarks.growth import Point, exponent, page
from benchmarks.run import names
from benchmarks.tools import HERE, MEASURING, OTPLINT, PEERS


def test_every_peer_is_pinned() -> None:
    for package in [*MEASURING, *(package for peer in PEERS for package in peer.packages)]:
        assert "==" in package


def test_cold_runs_do_without_a_cache_and_staged_ones_get_files() -> None:
    cold = OTPLINT.run(Path("env"), "cold", ["a.py"])
    assert cold[-2:] == ["--no-cache", "."]
    assert OTPLINT.run(Path("env"), "warm", ["a.py"])[-1:] == ["."]
    assert "--no-cache" not in OTPLINT.run(Path("env"), "warm", ["a.py"])
    assert OTPLINT.run(Path("env"), "staged", ["a.py", "b.py"])[-2:] == ["a.py", "b.py"]


def test_settings_of_peers_are_files_that_are_there() -> None:
    given = [part for peer in PEERS for part in peer.run(Path("env"), "cold", []) if part.startswith(str(HERE))]
    assert given
    assert all(Path(part).is_file() for part in given)


def test_names_on_the_command_line_are_known_ones() -> None:
    assert names("a,b", ["a", "b", "c"]) == ["a", "b"]
    assert names("none", ["a"]) == []
    with pytest.raises(argparse.ArgumentTypeError, match="unknown name 'd'; choose from a, b"):
        names("a,d", ["a", "b"])


def test_the_exponent_leaves_out_starting_and_noise() -> None:
    points = [Point(size, size, 0.5 + size * 0.001, 1) for size in (10, 1000, 4000)]
    points[0] = Point(10, 10, 0.55, 1)
    assert exponent(points, 0.5) == pytest.approx(1.0)
    assert exponent(points[:2], 0.5) is None


def test_the_page_of_growth_has_all_points() -> None:
    axes = {"actors": [Point(10, 1000, 1.0, 50_000_000), Point(100, 10_000, 5.5, 60_000_000)]}
    text = page({"Python": "3.13.0"}, axes, 0.5)
    assert "| 10 | 1,000 | 1.00 | 1.00 | 50 |" in text
    assert "| 100 | 10,000 | 5.50 | 0.55 | 60 |" in text
    assert "| 1.00 | 1.00 |" in text


OURS: Place = (str(Path(otplint.findings.__file__)), 5, "f")
THEIRS: Place = ("~", 0, "<built-in sorted>")


def test_time_in_built_ins_is_blamed_on_who_calls_them() -> None:
    stats = {
        OURS: (1, 1, 2.0, 5.0, {}),
        THEIRS: (1, 1, 3.0, 3.0, {OURS: (1, 1, 2.5, 2.5), ("other.py", 1, "g"): (1, 1, 0.5, 0.5)}),
    }
    assert own_times(stats) == {OURS: 4.5}


def test_what_grows_faster_than_its_input_is_blamed_first() -> None:
    linear, square = ("a.py", 1, "linear"), ("b.py", 1, "square")
    found = compared({linear: 2.0, square: 0.1}, {linear: 8.0, square: 1.6}, 4)
    assert [(b.place, b.excess) for b in found] == [(square, pytest.approx(1.2)), (linear, 0.0)]
