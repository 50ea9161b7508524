"""Whether other distributions offer rules, told without importing any."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder

GROUP = "otplint.rules"
"""The entry point group under which packs offer their rules."""
BUILT_IN = "otplint"


def is_alone() -> bool:
    """Whether otplint's own distribution is the only one that offers rules.

    It is told from the names and bytes of files: ``importlib.metadata`` takes longer to import than the rules do, and
    nearly nobody has other packs. False also where it cannot be told so.
    """
    if any(hasattr(finder, "find_distributions") for finder in sys.meta_path if finder is not PathFinder):
        return False
    ours = False
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208 - once for each start
        except NotADirectoryError:
            return False  # an archive may hold distributions
        except OSError:
            continue
        for name in names:
            stem, _, kind = name.lower().rpartition(".")
            if kind == "egg" or name == "EGG-INFO":
                return False
            if kind in ("dist-info", "egg-info") and _mentions_group(os.path.join(folder, name)):  # noqa: PTH118
                if stem.partition("-")[0] != BUILT_IN:
                    return False
                ours = True
    return ours


def _mentions_group(info: str) -> bool:
    try:
        with open(os.path.join(info, "entry_points.txt"), "rb") as file:  # noqa: PTH118, PTH123 - for each distribution
            return GROUP.encode() in file.read()
    except OSError:
        return False
