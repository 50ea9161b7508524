"""Groups of handlers by the state they share: the jobs that one actor does.

Two handlers belong together where one changes a field that the other uses, or where somebody changes one field by
what it finds in another. What crosses all handlers (counters, flags, logs, saving) couples nothing, nor does a handler
that only reads a summary of everything or clears it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.queries.state.touches import Accesses, Touched
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_INFRASTRUCTURE = ("lock", "log", "breaker", "retry", "timer", "supervise", "spawn")
_HANDLES = ("spawn", "make", "timer", "watch")
_TELLS = ("call", "cast", "send", "reply", "watch", "kill", "timer", "alive", "stop")
_TYPES = frozenset(
    {
        "threading.Lock", "threading.RLock", "threading.Condition", "threading.Semaphore", "threading.Event",
        "asyncio.Lock", "asyncio.Condition", "asyncio.Semaphore", "asyncio.Event", "asyncio.Task", "asyncio.Future",
        "asyncio.AbstractEventLoop", "asyncio.TimerHandle", "logging.Logger", "multiprocessing.Lock",
        "multiprocessing.Event", "threading.Thread", "multiprocessing.Process", "concurrent.futures.Executor",
        "concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor", "trio.Nursery",
    }
)  # fmt: skip
"""Machinery: what is held in such a field is no state of the actor's work."""
_FULL = ("insert", "append", "prepend", "remove")
_CONTAINERS = ("dict", "list", "set", "collections.deque", "collections.defaultdict", "collections.OrderedDict",
               "collections.Counter")  # fmt: skip


@dataclass(frozen=True)
class Cluster:
    """Handlers that share state among themselves and with no others."""

    handlers: tuple[Touched, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """The state of an actor, as its handlers divide it among themselves."""

    handlers: tuple[Touched, ...]
    """Those that touch state."""
    fields: tuple[str, ...]
    clusters: tuple[Cluster, ...]
    """Jobs: groups with state worth one (two fields, or a container), by the place of their first handler."""
    crossing: tuple[str, ...]
    """Flags and counters that several groups use."""


def layout(actor: Actor) -> Layout:
    """How the handlers of an actor share its state; worked out once."""
    return actor.remembered(_layout)


def _layout(actor: Actor) -> Layout:
    accesses = Accesses(actor)
    touched = accesses.touched()
    state = _state(actor, touched)
    common = _common(touched, accesses, state)
    touched = tuple(_without(t, common, state) for t in touched)
    weak = {f for f in state if _is_flag(f, actor) or _only_grows(f, touched)}
    groups, crossing = _groups(touched, state, weak)
    clusters = []
    for fields in groups:
        members = tuple(t for t in touched if (used := t.fields - crossing) and used <= fields)
        if members and _worth(fields, actor, members):
            clusters.append(Cluster(members, tuple(f for f in state if f in fields)))
    users = tuple(t for t in touched if t.fields)
    clusters.sort(key=lambda c: (c.handlers[0].entry.method.source.path, c.handlers[0].entry.node.start))
    return Layout(users, tuple(state), tuple(clusters), tuple(f for f in state if f in crossing))


# -- what is state


def _state(actor: Actor, touched: Iterable[Touched]) -> list[str]:
    """The fields that handlers change and that are no machinery, in the order they are made."""
    changed = {a.field for t in touched for a in t.accesses if a.writes and a.kind != "change"}
    told = {a.field for t in touched for a in t.accesses if a.kind == "change"}
    changed |= told & {a.field for t in touched for a in t.accesses if a.kind == "write"}
    order = dict.fromkeys([u.attribute.partition(".")[0] for u in actor.uses])
    place = {name: i for i, name in enumerate(order)}
    infrastructure = _machinery(actor)
    found = [f for f in changed if f.partition(".")[0] not in infrastructure and not f.startswith("__")]
    return sorted(found, key=lambda f: (place.get(f.partition(".")[0], len(place)), f))


def _machinery(actor: Actor) -> set[str]:
    """Attributes that hold other actors, locks, tasks, timers, and what the framework gives."""
    vocabulary = actor.facts.vocabulary
    handles = {
        op.returns
        for f in actor.facts.vocabulary.frameworks
        for op in f.operations
        if op.role in _HANDLES and op.returns
    }
    found = set(actor.kind.attributes)
    for method in actor.everything:
        for event in method.events:
            if event.role in _TELLS and event.target is not None:
                own = method.own_attribute(event.target)
                found.add(own)
    for name in {u.attribute.partition(".")[0] for u in actor.uses}:
        type_ = actor.values.type_of(_attribute(name, actor), _anyone(actor))
        known = vocabulary.exact.get(type_)
        if (
            type_ in _TYPES
            or type_ in handles
            or (known is not None and known[1].role in _INFRASTRUCTURE)
            or (type_ and actor.facts.kinship.actor_root(type_))
        ):
            found.add(name)
    return found


def _anyone(actor: Actor) -> Method:
    return next((m for m in actor.everything if m.self_name), actor.class_body)


def _attribute(name: str, actor: Actor) -> code.Expr:
    return code.Attr(0, 0, code.Name(0, 0, _anyone(actor).self_name), name)


def _worth(fields: frozenset[str], actor: Actor, members: tuple[Touched, ...]) -> bool:
    """A single value with its getter and setter is no job."""
    if len(fields) > 1 or any(a.field in fields and a.kind in _FULL for t in members for a in t.accesses):
        return True
    (field,) = fields
    if any(u.kind in _FULL and (u.attribute == field or u.attribute.startswith(f"{field}.")) for u in actor.uses):
        return True
    return actor.values.type_of(_attribute(field, actor), _anyone(actor)) in _CONTAINERS


# -- what couples nothing


def _common(touched: tuple[Touched, ...], accesses: Accesses, state: list[str]) -> set[int]:
    """Helpers of most handlers that change nothing: checks, logs, saving all there is."""
    if len(touched) < 4:
        return set()
    counts: dict[int, tuple[int, Method]] = {}
    for t in touched:
        for method in t.methods:
            counts[id(method.code)] = (counts.get(id(method.code), (0, method))[0] + 1, method)
    return {
        key
        for key, (count, method) in counts.items()
        if count * 2 > len(touched) and not any(a.writes and a.field in state for a in accesses.direct(method))
    }


def _without(touched: Touched, common: set[int], state: list[str]) -> Touched:
    kept = tuple(a for a in touched.accesses if a.field in state and id(a.method.code) not in common)
    return Touched(touched.entry, kept, touched.methods)


def _is_flag(field: str, actor: Actor) -> bool:
    """Only ever one of a few constants: a mode, a switch."""
    if "." in field:
        return False
    values = [value for _, value, _ in actor.assignments(field)]
    return (
        bool(values)
        and all(_is_constant(v) for v in values)
        and not any(u.kind not in ("write", "read", "test") for u in actor.uses_of(field))
    )


def _is_constant(value: code.Expr) -> bool:
    if isinstance(value, code.Attr):
        return value.name.isupper()
    return isinstance(value, code.Const) and (value.value is None or isinstance(value.value, (str, bool, int)))


def _only_grows(field: str, touched: tuple[Touched, ...]) -> bool:
    """Counted up or written down by those who change it, and read by others: a metric, a log, the time of the last."""
    for t in touched:
        mine = [a for a in t.accesses if a.field == field]
        uses = [a for a in mine if not a.resets] if t.changes else []
        if any(not a.writes or a.kind in ("remove", "clear", "change") for a in uses):
            return False
    return True


# -- groups


class _Union:
    def __init__(self, items: Iterable[str]) -> None:
        self._parent = {item: item for item in items}

    def top(self, item: str) -> str:
        while self._parent[item] != item:
            item = self._parent[item]
        return item

    def join(self, items: Iterable[str]) -> None:
        tops = sorted({self.top(item) for item in items})
        for other in tops[1:]:
            self._parent[other] = tops[0]


def _groups(
    touched: tuple[Touched, ...], state: list[str], weak: set[str]
) -> tuple[list[frozenset[str]], frozenset[str]]:
    """Fields that belong together, and the weak ones that more than one group uses."""
    union = _Union(state)
    for t in touched:
        if t.changes:
            union.join(t.fields - weak)
    crossing = set()
    for field in sorted(weak):
        users = [t for t in touched if field in t.fields and t.changes]
        tops = {union.top(f) for t in users for f in t.fields - weak}
        if len(tops) > 1:
            crossing.add(field)
        else:
            union.join({field} | tops)
    for t in touched:  # groups of nothing but flags and counters
        if t.changes and not t.fields - weak:
            union.join(t.fields - crossing)
    found: dict[str, set[str]] = {}
    for field in state:
        if field not in crossing:
            found.setdefault(union.top(field), set()).add(field)
    return [frozenset(group) for group in found.values()], frozenset(crossing)


def seams(found: Layout) -> tuple[tuple[Touched, ...], tuple[Cluster, ...]]:
    """Where one lump of state would come apart: the handlers that hold it together, and the groups without them.

    The widest handlers are taken out, one after the other and at most a third of all, until the rest falls apart; no
    groups where it does not.
    """
    wide = sorted((t for t in found.handlers if t.changes), key=lambda t: -len(t.fields))
    for count in range(1, len(found.handlers) // 3 + 1):
        binding = wide[:count]
        rest = tuple(t for t in found.handlers if t not in binding)
        groups, _ = _groups(rest, list(found.fields), set())
        clusters = []
        for fields in groups:
            members = tuple(t for t in rest if t.fields and t.fields <= fields)
            if len(members) > 1:
                clusters.append(Cluster(members, tuple(f for f in found.fields if f in fields)))
        if len(clusters) > 2:
            return tuple(binding), tuple(sorted(clusters, key=lambda c: -len(c.handlers)))
    return (), ()
