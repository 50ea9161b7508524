"""From bytes to text as Python reads them: byte order mark, PEP 263 cookie, UTF-8 otherwise.

Line ends stay as they are, so that offsets into the text are places in the file.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\r|\n")
_COOKIE = re.compile(rb"[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-\w.]+)")
_LATIN_1 = ("latin-1", "iso-8859-1", "iso-latin-1")
_BLANK_LINE = re.compile(rb"[ \t\f]*(?:#[^\r\n]*)?(?:\r\n|\r|\n)")


class Undecodable(ValueError):  # noqa: N818  (the name says what is wrong)
    """Bytes that are no Python source; ``str()`` of it is one clear line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        """Counted from 1."""
        self.message = message


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file and how to write it back."""

    text: str
    """Without the byte order mark; all line ends as in the file. Holds no NUL and no lone surrogate."""
    encoding: str
    """Python's name of the codec, e.g. ``utf-8``."""
    bom: bool = False
    """Whether the file starts with the UTF-8 byte order mark."""

    def encode(self, text: str) -> bytes:
        """*text* as bytes of the same kind of file.

        Raises:
            UnicodeEncodeError: the encoding has no code for a character.
        """
        return (codecs.BOM_UTF8 if self.bom else b"") + text.encode(self.encoding)


def decode(data: bytes) -> Decoded:
    """Decode the bytes of a Python file.

    Raises:
        Undecodable: invalid bytes, an unknown or contradicting coding cookie, a NUL, a lone surrogate.
    """
    bom = data.startswith(codecs.BOM_UTF8)
    if bom:
        data = data[len(codecs.BOM_UTF8) :]
    nul = data.find(b"\0")
    if nul >= 0:
        raise Undecodable(_line(data, nul), "source code cannot contain NUL bytes" + _utf16_hint(data))
    encoding = "utf-8"
    cookie = _cookie(data)
    if cookie is not None:
        name, line = cookie
        encoding = _codec(name, line)
        if bom and encoding != "utf-8":
            raise Undecodable(line, f"the file starts with a UTF-8 byte order mark, but its cookie says {name!r}")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        byte = data[error.start] if error.start < len(data) else 0
        remedy = "" if cookie else "; save it as UTF-8 or add a coding cookie"
        message = f"byte 0x{byte:02x} is not valid {encoding} ({error.reason}){remedy}"
        raise Undecodable(_line(data, error.start), message) from error
    except (LookupError, UnicodeError) as error:  # not an encoding of text (hex), or one that cannot decode (undefined)
        raise Undecodable(cookie[1] if cookie else 1, f"cannot decode the file as {encoding}: {error}") from error
    if encoding != "utf-8":
        _refuse_unwritable(text)
    return Decoded(text, encoding, bom)


def _cookie(data: bytes) -> tuple[str, int] | None:
    """Name and line of the coding cookie: in the first line, or in the second after a blank or comment line."""
    found = _COOKIE.match(data)
    line = 1
    if found is None:
        first = _BLANK_LINE.match(data)
        if first is None:
            return None
        found = _COOKIE.match(data, first.end())
        line = 2
    return (found[1].decode("ascii"), line) if found else None


def _codec(name: str, line: int) -> str:
    """Python's name for the codec of a cookie; ``utf-8-unix`` and the like are Emacs' names with line ends."""
    plain = name[:12].lower().replace("_", "-")
    if plain == "utf-8" or plain.startswith("utf-8-"):
        return "utf-8"
    if plain in _LATIN_1 or plain.startswith(tuple(f"{latin}-" for latin in _LATIN_1)):
        return "iso-8859-1"
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise Undecodable(line, f"unknown encoding in the coding cookie: {name!r}") from error


def _refuse_unwritable(text: str) -> None:
    """Some codecs (utf-7, unicode_escape) can make characters that no other text can hold."""
    nul = text.find("\0")
    if nul >= 0:
        raise Undecodable(_line_of_text(text, nul), "source code cannot contain NUL characters")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        surrogate = f"lone surrogate U+{ord(text[error.start]):04X} in the source"
        raise Undecodable(_line_of_text(text, error.start), surrogate) from error


def _line(data: bytes, end: int) -> int:
    return 1 + len(_LINE_END.findall(data[:end]))


def _line_of_text(text: str, end: int) -> int:
    return 1 + len(re.findall(r"\r\n|\r|\n", text[:end]))


def _utf16_hint(data: bytes) -> str:
    return " (UTF-16? save it as UTF-8)" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ""
