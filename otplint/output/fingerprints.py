"""GitHub's fingerprint of an alert: ``primaryLocationLineHash``.

The value is only of use when it is exactly what ``github/codeql-action`` computes (``fingerprints.ts``): it
recomputes a missing one, and warns about one that differs.
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import accumulate

_WINDOW = 100
"""UTF-16 code units that a line's hash covers, from the line's first kept unit on."""
_FACTOR = 37
_MASK = (1 << 64) - 1
_SHIFT = pow(_FACTOR, _WINDOW, 1 << 64)
_END_OF_FILE = 0xFFFF
_LF = 0x0A
_UTF_16 = "utf-16-le" if sys.byteorder == "little" else "utf-16-be"


def line_hashes(text: str) -> list[str]:
    """The fingerprint of every line of a file: item 0 is line 1's.

    Spaces, tabs and the LF of a CR LF are dropped and CR becomes LF; one unit 0xFFFF and 100 zeros follow the text. A
    line's hash is the polynomial 37·h + unit (mod 2^64) over the 100 units from its start, in hexadecimal, with the
    running count of that hash in the file. So it holds while a line moves or is indented, and changes with the next
    few lines.

    Args:
        text: the decoded file with its own line ends, and its byte order mark if it has one (it counts as a unit).
    """
    kept = text.replace("\r\n", "\n").replace("\r", "\n").replace(" ", "").replace("\t", "")
    units = memoryview(kept.encode(_UTF_16, "surrogatepass")).cast("H").tolist()
    starts = [0, *(index + 1 for index, unit in enumerate(units) if unit == _LF)]
    units.append(_END_OF_FILE)
    units.extend([0] * _WINDOW)
    prefixes = list(accumulate(units, lambda value, unit: (value * _FACTOR + unit) & _MASK, initial=0))

    seen: Counter[int] = Counter()
    hashes = []
    for start in starts:
        value = (prefixes[start + _WINDOW] - prefixes[start] * _SHIFT) & _MASK
        seen[value] += 1
        hashes.append(f"{value:x}:{seen[value]}")
    return hashes
