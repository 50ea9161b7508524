"""A run as a sequence diagram in text: one column a process, time going down."""

from __future__ import annotations

from collections.abc import Sequence

from otplint.runtime.messages import Event

_ARROWS = {"send": "send", "cast": "cast", "call": "call", "reply": "reply", "down": "DOWN", "exit": "EXIT",
           "signal": "exit signal", "monitor": "monitor", "demonitor": "demonitor"}  # fmt: skip
_MARKS = {"spawn": "starts", "end": "ends", "dead_letter": "dead letter", "drop": "dropped", "timeout": "times out",
          "restart": "restarts", "zombie": "cannot be stopped", "late": "late reply dropped"}  # fmt: skip
_OUTSIDE = "outside"


def diagram(events: Sequence[Event], *, width: int = 24, most: int = 60) -> str:
    """The messages of a run between its processes.

    Args:
        events: the trace of a run.
        width: characters of a column.
        most: lines; the rest is counted.
    """
    told = [e for e in events if e.kind in _ARROWS or e.kind in _MARKS]
    columns = list(dict.fromkeys(_name(p) for e in told for p in (e.src, e.dst) if p is not None or e.kind in _ARROWS))
    place = {name: i * width + width // 2 for i, name in enumerate(columns)}
    total = width * max(len(columns), 1)
    lines = ["".join(name[: width - 2].center(width) for name in columns).rstrip()]
    for event in told[:most]:
        line = [" "] * total
        for at in place.values():
            line[at] = "|"
        source, target = _name(event.src), _name(event.dst)
        label = _ARROWS.get(event.kind) or _MARKS[event.kind]
        detail = "" if event.detail is None else f" {_short(event.detail)}"
        if event.kind in _ARROWS and source in place and target in place and source != target:
            _arrow(line, place[source], place[target], label + detail)
            lines.append("".join(line).rstrip())
        else:
            who = target if target in place and event.dst is not None else source
            at = place.get(who, 0)
            text = f"* {label}{detail}"
            lines.append(("".join(line[:at]) + text).rstrip())
    if len(told) > most:
        lines.append(f"... {len(told) - most} more")
    return "\n".join(lines)


def _name(pid: object) -> str:
    return _OUTSIDE if pid is None else str(pid)


def _short(detail: object) -> str:
    text = detail if isinstance(detail, str) else repr(detail)
    return text if len(text) <= 16 else text[:15] + "…"


def _arrow(line: list[str], source: int, target: int, label: str) -> None:
    low, high = sorted((source, target))
    for i in range(low + 1, high):
        line[i] = "-"
    line[high - 1 if target > source else low + 1] = ">" if target > source else "<"
    room = high - low - 4
    text = f" {label[: max(room - 2, 0)]} " if room > 4 else ""
    start = low + 1 + (high - low - 1 - len(text)) // 2
    line[start : start + len(text)] = list(text)
