"""``benchmarks`` is run from the root of the checkout, which is not on the path of the tests."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

if "benchmarks" not in sys.modules:
    spec = ModuleSpec("benchmarks", None, is_package=True)
    spec.submodule_search_locations = [str(Path(__file__).resolve().parent.parent.parent / "benchmarks")]
    sys.modules["benchmarks"] = importlib.util.module_from_spec(spec)
