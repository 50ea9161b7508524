"""Draw what was measured as SVG; runs in the environment that has matplotlib.

``python draw.py bars|curves OUT.svg < DATA.json``
"""

from __future__ import annotations

import json
import sys
from typing import Any

import matplotlib as mpl  # type: ignore[import-not-found, unused-ignore]  # lives in an environment of its own

mpl.use("svg")
import matplotlib.pyplot as plt  # type: ignore[import-not-found, unused-ignore]

_OURS = "#b8390e"
_OTHERS = "#7d8794"
_LOOKS = {
    "svg.hashsalt": "otplint",  # the same picture has the same bytes
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def bars(panels: list[dict[str, Any]]) -> Any:
    """A panel for each project, a bar for each tool, the axis in logarithms."""
    columns = min(3, len(panels)) or 1
    rows = -(-len(panels) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(3.4 * columns, 2.3 * rows), squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        entries = list(reversed(panel["bars"]))
        names = [entry["name"] for entry in entries]
        values = [entry["value"] for entry in entries]
        shown = axes.barh(names, values, color=[_OURS if name == "otplint" else _OTHERS for name in names])
        axes.bar_label(shown, labels=[f" {entry['label']}" for entry in entries], fontsize=8)
        axes.set_xscale("log")
        axes.set_xlim(min(values) / 2, max(values) * 6)
        axes.set_title(panel["title"], loc="left")
        axes.set_xlabel("seconds")
    figure.tight_layout()
    return figure


def curves(panels: list[dict[str, Any]]) -> Any:
    """A panel for each axis of growth, both axes in logarithms, with a straight line for what is linear."""
    figure, grid = plt.subplots(1, len(panels), figsize=(3.6 * len(panels), 3), squeeze=False)
    for axes, panel in zip(grid.flat, panels, strict=True):
        across = [x for x, _ in panel["points"]]
        up = [y for _, y in panel["points"]]
        axes.loglog(across, up, "o-", color=_OURS, label="measured")
        axes.loglog(across, [up[-1] * x / across[-1] for x in across], "--", color=_OTHERS, label="linear")
        axes.set_title(panel["title"], loc="left")
        axes.set_xlabel(panel["across"])
        axes.set_ylabel("processor time, s")
        axes.legend(frameon=False)
    figure.tight_layout()
    return figure


def main() -> None:
    """Draw what standard input says."""
    kind, out = sys.argv[1:]
    with mpl.rc_context(_LOOKS):
        figure = {"bars": bars, "curves": curves}[kind](json.load(sys.stdin))
        figure.savefig(out, metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
