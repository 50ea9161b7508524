"""Which functions make a scan cost more than its share: two sizes of one axis of growth, profiled and compared.

    python -m benchmarks.blame actors 125 500
    python -m benchmarks.blame class 1250 5000 --show 40

A function's own time in the large project, less the factor between the sizes times its own time in the small one, is
its excess: near nothing where it is linear. Time in built-ins and other packages counts for whom calls them.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import otplint
import otplint.rules
from benchmarks.growth import AXES
from otplint.config import Config
from otplint.engine.packs import load_rules
from otplint.engine.run import scan
from otplint.engine.select import build

_OURS = tuple(str(Path(str(module.__file__)).parent) + os.sep for module in (otplint, otplint.rules))
Place = tuple[str, int, str]
"""File, line and name of a function, as profiles have them."""


@dataclass(frozen=True)
class Blamed:
    """One function in both profiles."""

    place: Place
    excess: float
    """Seconds beyond its share."""
    small: float
    big: float
    """Seconds of its own time."""


def profiled(folder: Path) -> dict[Place, float]:
    """Scan a folder in this process; own time by function of ours."""
    profile = cProfile.Profile()
    rules = build(load_rules())
    profile.enable()
    scan([folder], Config(), rules, root=folder, jobs=1)
    profile.disable()
    return own_times(pstats.Stats(profile).stats)  # type: ignore[attr-defined]


def own_times(
    stats: Mapping[Place, tuple[int, int, float, float, Mapping[Place, tuple[int, int, float, float]]]],
) -> dict[Place, float]:
    """Own time of functions in otplint, and what they spend in functions that are not."""
    found: dict[Place, float] = {}
    for place, (_, _, own, _, callers) in stats.items():
        if _is_ours(place):
            found[place] = found.get(place, 0.0) + own
        else:
            for caller, (_, _, spent, _) in callers.items():
                if _is_ours(caller):
                    found[caller] = found.get(caller, 0.0) + spent
    return found


def compared(small: Mapping[Place, float], big: Mapping[Place, float], factor: float) -> list[Blamed]:
    """Functions by their excess, the worst first."""
    found = [Blamed(p, big[p] - factor * small.get(p, 0.0), small.get(p, 0.0), big[p]) for p in big]
    return sorted(found, key=lambda blamed: (-blamed.excess, blamed.place))


def _is_ours(place: Place) -> bool:
    return place[0].startswith(_OURS)


def main() -> None:
    """Generate, profile, compare, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.blame", description="Who makes a scan grow too fast.")
    parser.add_argument("axis", choices=AXES)
    parser.add_argument("small", type=int)
    parser.add_argument("big", type=int)
    parser.add_argument("--show", type=int, default=20, metavar="N", help="functions")
    options = parser.parse_args()
    times = []
    for size in (options.small, options.big):
        with tempfile.TemporaryDirectory() as scratch:
            AXES[options.axis].write(Path(scratch), size)
            times.append(profiled(Path(scratch)))
    print(f"{'excess':>8} {'small':>8} {'big':>8}  seconds of own time")
    for blamed in compared(times[0], times[1], options.big / options.small)[: options.show]:
        file, line, name = blamed.place
        print(f"{blamed.excess:8.2f} {blamed.small:8.2f} {blamed.big:8.2f}  {Path(file).name}:{line} {name}")


if __name__ == "__main__":
    main()
