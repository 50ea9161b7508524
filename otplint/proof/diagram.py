"""A run as a sequence diagram in text: one column a process, time going down."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence

from otplint.runtime.messages import Down, Event, Exit, Pid, Ref

SCENARIO = "scenario"
"""The column of the code that drives the processes."""
WIDTH = 80
_ARROWS = {"send": "send", "cast": "cast", "call": "call", "reply": "reply", "down": "DOWN", "exit": "EXIT",
           "signal": "exit:", "monitor": "monitor", "demonitor": "demonitor"}  # fmt: skip
_MARKS = {"spawn": "starts", "end": "ends:", "dead_letter": "dead letter", "drop": "dropped", "timeout": "times out",
          "restart": "restarts", "zombie": "cannot be stopped", "late": "late reply dropped", "crash": "crashes:",
          "unexpected": "does not know", "handle": "takes"}  # fmt: skip
_OF_SOURCE = ("timeout", "restart")
"""Marks that belong to the process that the event comes from."""
_LONGEST_BLOCK = 12


def diagram(events: Sequence[Event], *, width: int = WIDTH, most: int = 60) -> str:
    """The messages of a run between its processes.

    A message is drawn where it leaves, and once more (``takes``) where it is handled after something else happened.
    ``-->x`` is one that nobody takes. What happens again and again is drawn once.

    Args:
        events: the trace of a run.
        width: characters of a line; more where there are many processes.
        most: lines; the rest is counted.
    """
    told = _told(events)
    columns = _Columns(told)
    timed = any(event.time for event in told)
    gutter = 8 if timed else 0
    column = min(26, max(14, (width - gutter) // max(len(columns.names), 1)))
    page = _Page(columns, column)
    rows = [(event.time, row) for event in told for row in page.row(event)]
    lines = [" " * gutter + page.head()]
    last = 0.0
    for at, row in _folded(rows, most):
        label = f"{at:>6g}s " if timed and at is not None and at != last else ""
        last = last if at is None else at
        lines.append(f"{label:<{gutter}}{row}".rstrip())
    return "\n".join(lines)


def _told(events: Sequence[Event]) -> list[Event]:
    """The events that are drawn: a message is only handled visibly if something came in between."""
    told: list[Event] = []
    for event in events:
        if event.kind not in _ARROWS and event.kind not in _MARKS:
            continue
        if event.kind == "handle" and (not told or (told[-1].n == event.n and told[-1].kind != "handle")):
            continue
        told.append(event)
    return told


class _Columns:
    """Who has a column: one for each name, and one for each process where several have the same name at a time."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._crowded = _crowded(events)
        self.names = list(dict.fromkeys([SCENARIO, *(self.of(pid) for pid in _pids(events))]))
        self.sent = {event.n for event in events if event.kind in _ARROWS and event.n}

    def of(self, pid: Pid | None) -> str:
        """The column of a process."""
        if pid is None or pid.id == 0:
            return SCENARIO
        return f"{pid.label} {pid.id}" if pid.label in self._crowded else pid.label


def _pids(events: Sequence[Event]) -> Iterator[Pid]:
    for event in events:
        if event.kind == "spawn" and event.dst is not None:
            yield event.dst
    for event in events:
        yield from (pid for pid in (event.src, event.dst) if pid is not None)


def _crowded(events: Sequence[Event]) -> set[str]:
    """Labels that two living processes share at some time."""
    living: dict[str, int] = {}
    crowded = set()
    for event in events:
        if event.dst is not None and event.kind in ("spawn", "end"):
            label = event.dst.label
            living[label] = living.get(label, 0) + (1 if event.kind == "spawn" else -1)
            if living[label] > 1:
                crowded.add(label)
    return crowded


class _Page:
    """Draws one event after the other, and knows who is alive."""

    def __init__(self, columns: _Columns, width: int) -> None:
        self.columns = columns
        self.width = width
        self.place = {name: i * width + width // 2 for i, name in enumerate(columns.names)}
        self.alive = {SCENARIO}

    def head(self) -> str:
        """The names over their lines."""
        return "".join(_cut(name, self.width - 1).center(self.width) for name in self.columns.names).rstrip()

    def row(self, event: Event) -> Iterator[str]:
        """The line of an event."""
        source, target = self.columns.of(event.src), self.columns.of(event.dst)
        lost = event.kind == "dead_letter" and event.n not in self.columns.sent
        label = f"{_ARROWS.get(event.kind) or _MARKS[event.kind]} {_word(event)}".rstrip(": ")
        if event.kind == "spawn":
            self.alive.add(target)
        line = [" "] * (self.width * len(self.place))
        for name, at in self.place.items():
            line[at] = "|" if name in self.alive else " "
        if (event.kind in _ARROWS or lost) and source != target:
            _arrow(line, self.place[source], self.place[target], label, "x" if lost else "")
        else:
            # `handle` and its like name nobody but the process itself.
            who = source if event.kind in _OF_SOURCE or event.dst is None else target
            self._mark(line, self.place[who], label)
        if event.kind == "end":
            self.alive.discard(target)
        yield "".join(line).rstrip()

    def _mark(self, line: list[str], at: int, text: str) -> None:
        """Text that begins on the line of its process, or ends there if it would run over the edge."""
        text = f"* {text}"
        begin = at
        if at + len(text) > len(line):
            text = f"{text[2:]} *"
            begin = at + 1 - len(text)
            if begin < 0:
                text, begin = _cut(f"* {text[:-2]}", len(line)), 0
        line[begin : begin + len(text)] = list(text)


def _arrow(line: list[str], source: int, target: int, label: str, head: str) -> None:
    low, high = sorted((source, target))
    right = target > source
    line[low + 1 : high] = ["-"] * (high - low - 1)
    line[high - 1 if right else low + 1] = head or (">" if right else "<")
    room = high - low - 4
    text = f" {_cut(label, room - 2)} "
    begin = low + (2 if right else 3) + (room - len(text)) // 2
    line[begin : begin + len(text)] = list(text)


def _word(event: Event) -> str:
    """What a message is, in a word: the name of its type, or the text that it is."""
    detail = event.detail
    if event.kind == "spawn" or isinstance(detail, Ref):
        return ""
    if event.kind == "timeout" and isinstance(detail, (int, float)):
        return f"after {detail:g} s"
    if isinstance(detail, (Down, Exit)):
        signal = "" if event.kind in ("down", "exit") else "DOWN " if isinstance(detail, Down) else "EXIT "
        return signal + _name(detail.reason)
    return _name(detail)


def _name(detail: object) -> str:
    if isinstance(detail, enum.Enum):
        return str(detail.value)
    if detail is None:
        return ""
    if isinstance(detail, (str, int, float)) or type(detail) is tuple:
        text = detail if isinstance(detail, str) else repr(detail)
        return " ".join(text.split())
    return type(detail).__name__


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"


def _folded(rows: list[tuple[float, str]], most: int) -> Iterator[tuple[float | None, str]]:
    """The rows, repeated blocks once, and how often they repeat."""
    begin = drawn = 0
    while begin < len(rows):
        if drawn >= most:
            yield None, f"... {len(rows) - begin} more"
            return
        size, times = _block(rows, begin)
        yield from rows[begin : begin + size]
        begin += size * times
        drawn += size + 1
        if times > 1:
            lines = "this line" if size == 1 else f"these {size} lines"
            yield None, f"... {lines} {'once' if times == 2 else f'{times - 1} times'} more"


def _block(rows: list[tuple[float, str]], begin: int) -> tuple[int, int]:
    """How many rows repeat here, and how often; ``(1, 1)`` where folding would not shorten the page by two lines."""
    best = (1, 1)
    for size in range(1, _LONGEST_BLOCK + 1):
        block = [row for _, row in rows[begin : begin + size]]
        if len(block) < size:
            break
        times = 1
        while [row for _, row in rows[begin + size * times : begin + size * (times + 1)]] == block:
            times += 1
        if size * (times - 1) >= 3 and size * times > best[0] * best[1]:
            best = (size, times)
    return best
