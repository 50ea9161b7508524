"""What has to be the same wherever the work of one scan is done, if its results are to be."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from otplint import __version__
from otplint.engine.packs import load_packs


@functools.cache
def kit() -> Mapping[str, str]:
    """Python, LibCST, otplint and the rule packs of this process: names and versions.

    A version ends with a digest of the sources: a checkout has the same number for weeks.

    Raises:
        PackError: a rule pack cannot be used.
    """
    found = {
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "libcst": version("libcst"),
        "otplint": f"{__version__} ({_digest('otplint')})",
    }
    for pack in load_packs():
        codes = " ".join(rule.code for rule in pack.rules)
        top = pack.module if pack.module.startswith("otplint.") else pack.module.partition(".")[0]
        found[f"rule pack {pack.name}"] = f"{_digest(top)} {codes}"
    return found


def difference(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """What differs, in words; empty where nothing does."""
    for name in [*here, *sorted(set(there) - set(here))]:
        if here.get(name) != there.get(name):
            if name not in there:
                return f"{name} is missing there"
            if name.startswith("rule pack "):
                return f"{name} is another one there" if name in here else f"{name} is there and not here"
            return f"{name} is {there[name]} there and {here[name]} here"
    return ""


def _digest(module: str) -> str:
    """The first digits of a digest over a package's files, or a module's."""
    spec = importlib.util.find_spec(module)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    files = [(path.relative_to(place), path) for place in places for path in Path(place).rglob("*")]
    if spec is not None and spec.origin is not None and not places:
        files = [(Path(Path(spec.origin).name), Path(spec.origin))]
    total = hashlib.sha256()
    for name, path in sorted(files):
        if path.suffix in (".py", ".toml"):
            total.update(name.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:8]
