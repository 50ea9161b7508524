"""The second part of what is kept, read where something has changed."""

from __future__ import annotations

from dataclasses import dataclass, field

from otplint.engine.cache.memory import digest
from otplint.engine.units import Unit
from otplint.facts.index.entries import ModuleIndex


@dataclass(slots=True)
class Details:
    """Enough to ask again only about what a change concerns."""

    indexes: dict[str, ModuleIndex] = field(default_factory=dict)
    rest: frozenset[str] = frozenset()
    """Files that triage left out."""
    commented: frozenset[str] = frozenset()
    triages: frozenset[bytes] = frozenset()
    """The questions by which triage left them out."""
    whole: bytes = b""
    """What every unit hangs on."""
    units: dict[str, Unit] = field(default_factory=dict)


def shape(index: ModuleIndex) -> str:
    """What a module says to others, wherever in the file it says so."""
    classes = [
        c._replace(start=0, end=0, line=0, methods=tuple(m._replace(line=0) for m in c.methods)) for c in index.classes
    ]
    functions = [f._replace(start=0, end=0, line=0) for f in index.functions]
    constants = [c._replace(start=0, end=0, line=0) for c in index.constants]
    plain = index._replace(
        classes=tuple(classes), functions=tuple(functions), constants=tuple(constants), statements=()
    )
    return digest(repr(plain).encode("utf-8", "backslashreplace")).hex()
