"""Text from scanned code, made safe to print.

Paths, names and source lines come from files that otplint did not write: they may hold terminal escapes, line
separators, bidirectional controls (CVE-2021-42574) or, in odd file names, lone surrogates.
"""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_LINE_END = re.compile("\r\n|\r|\n")


def visible(text: str) -> str:
    r"""``text`` with control, bidirectional and surrogate characters as escapes such as ``\x1b``."""
    return _INVISIBLE.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)


def one_line(text: str) -> str:
    """``text`` on one line: white space squeezed, nothing invisible left."""
    return visible(" ".join(text.split()))


def sentence(text: str) -> str:
    """``text`` on one line, ending with a mark that ends a sentence."""
    line = one_line(text)
    return line if not line or line.endswith((".", "!", "?")) else line + "."


def python_lines(text: str) -> list[str]:
    r"""The lines of a Python source, without their ends.

    Lines end at ``\n``, ``\r\n`` and ``\r`` only, as Python's tokenizer has it; ``str.splitlines`` also breaks at
    form feeds and U+2028, which would shift every line number after them.
    """
    return _LINE_END.split(text)


def plural(count: int, noun: str) -> str:
    """``1 finding``, ``2 findings``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
