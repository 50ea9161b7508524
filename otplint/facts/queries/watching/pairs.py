"""What an actor takes on that lasts until it is undone: callbacks, subscriptions, timers, and the names that undo them.

Three sources say what undoes a call, the surest first: the frameworks' data (``undone_by``); the project's own class
that is subscribed to, where one method keeps what another one takes out again, whatever their names; and, for objects
of unknown type, names that come in pairs the world over (``add_listener`` and ``remove_listener``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.methods import Event, Method, Role
from otplint.facts.queries.slices import behind, related
from otplint.facts.queries.watching.identity import identities
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor

_OPPOSITES = {
    "add": ("remove", "delete", "del", "discard", "rm", "drop", "unregister"),
    "register": ("unregister", "deregister", "remove"),
    "subscribe": ("unsubscribe",),
    "psubscribe": ("punsubscribe", "unsubscribe"),
    "connect": ("disconnect",),
    "attach": ("detach",),
    "observe": ("unobserve",),
}
_NOUNS = {"listener", "callback", "handler", "reader", "writer", "observer", "hook", "subscriber", "receiver", "watch",
          "watcher", "sink"}  # fmt: skip
"""What is added or registered to be called later; ``add_route`` and ``register_plugin`` set something up for good."""
_FREE = ("subscribe", "psubscribe", "observe", "attach", "connect")
"""Words that say so themselves."""
_VERBS = {*_OPPOSITES, *[word for words in _OPPOSITES.values() for word in words]}
_ONE_SHOT = {"add_done_callback", "add_callback", "add_callback_from_signal", "add_next_tick_callback",
             "add_signal_handler", "add_exception_handler"}  # fmt: skip
_TAKES = {"put", "put_nowait", "append", "appendleft", "send", "send_nowait", "tell", "set"}
"""Functions of a part of the actor that a message is handed to: ``self.inbox.put``."""
_DESCRIPTORS = {"add_reader", "add_writer", "add_handler"}
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_INSERTS = {"append", "appendleft", "add", "insert", "setdefault", "update", "extend"}
_REMOVES = {"pop", "remove", "discard", "difference_update"}


@dataclass(frozen=True)
class Acquisition:
    """One call that takes something on."""

    call: code.Call
    method: Method
    undoes: Callable[[str], bool]
    """Whether a function or method of that name undoes it."""
    words: str
    """Names that do, for people."""
    known_by: str
    """``data``, ``class`` or ``name``."""
    event: Event | None = None

    @property
    def name(self) -> str:
        """The last part of what is called."""
        return code.dotted(self.call.func).rpartition(".")[2] or getattr(self.call.func, "name", "")

    @property
    def receiver(self) -> code.Expr | None:
        """The object that keeps it; none for plain functions and classes."""
        if self.event is not None and self.method.qualname(self.call.func):
            return None
        return self.call.func.base if isinstance(self.call.func, code.Attr) else None

    @property
    def is_timer(self) -> bool:
        """True where the result is what fires, and what is cancelled."""
        return self.event is not None and (self.event.role in ("timer", "spawn") or self.repeats)

    @property
    def repeats(self) -> bool:
        """True where it goes on by itself until it is undone."""
        return self.event is not None and self.event.operation.repeats

    @property
    def is_thread(self) -> bool:
        """True where it is a spawn as well, whose dropped handle is a matter of supervision."""
        return self.event is not None and self.event.role == "spawn"

    @property
    def callback(self) -> code.Expr | None:
        """The function that will be called, where data says which it is."""
        return self.event.payload if self.event is not None else None

    @property
    def descriptor(self) -> code.Expr | None:
        """The file descriptor, or what has one, that an event loop is to watch."""
        return self.call.positional(0) if self.name in _DESCRIPTORS and len(self.call.args) > 1 else None


def acquisitions(actor: Actor) -> Iterator[Acquisition]:
    """What the actor's own functions take on, in order."""
    for method in actor.methods:
        known = {id(e.call): e for e in method.events}
        for call in method.calls:
            event = known.get(id(call))
            if event is not None:
                if event.operation.undone_by:
                    names = frozenset(n.rpartition(".")[2] for n in event.operation.undone_by)
                    words = " or ".join(sorted(names))
                    yield Acquisition(call, method, names.__contains__, words, "data", event)
            elif isinstance(call.func, code.Attr) and any(holds_actor(a.value, method) for a in call.args):
                found = _by_class(call, call.func, method)
                if found is None and not _is_kept_weakly(call, call.func, method):
                    found = _by_name(call, call.func, method)
                if found is not None:
                    yield found


# -- what holds the actor


def holds_actor(expr: code.Expr, method: Method) -> bool:
    """True where the value keeps the actor alive: itself, its bound method, or code that reads it; not weakly."""
    match expr:
        case code.Name(id=name):
            if name == method.self_name:
                return bool(name)
            inner = next((m for m in method.actor.inner(method) if m.name == name), None)
            return inner is not None and (not method.owner or _reads_self(inner))
        case code.Attr(base=base, name=name):
            own = method.own_attribute(expr)
            if own and "." not in own:
                return _is_method(own, method)
            local = isinstance(base, code.Name) and not method.owner and method.is_local(base.id)
            return (bool(own) or local) and name in _TAKES
        case code.Lambda(body=body):
            names = {e.id for e in code.walk(body) if isinstance(e, code.Name)}
            return method.self_name in names if method.owner else any(method.is_local(name) for name in names)
        case code.Call(func=func, args=args):
            if method.qualname(func).rpartition(".")[2] in ("partial", "partialmethod"):
                return any(holds_actor(a.value, method) for a in args)
    return False


def _is_method(name: str, method: Method) -> bool:
    found = method.actor.method(name)
    getters = ("property", "cached_property")
    return found is not None and not any(code.dotted(d).rpartition(".")[2] in getters for d in found.code.decorators)


def _reads_self(inner: Method) -> bool:
    return any(isinstance(e, code.Name) and e.id == inner.self_name for e in inner.exprs())


# -- a class of the project that keeps what it is given


def _by_class(call: code.Call, func: code.Attr, method: Method) -> Acquisition | None:
    type_ = method.actor.values.type_of(func.base, method)
    if not type_ or type_ == method.actor.qualname:
        return None
    owner = method.actor.facts.owner(type_)
    target = owner.method(func.name) if owner is not None else None
    if owner is None or target is None:
        return None
    tables = {
        table
        for i, arg in enumerate(call.args)
        if holds_actor(arg.value, method) and not arg.star
        for table in _entered(target, _parameter(target, i, arg.name), owner)
        if not _is_weak(table, owner)
    }
    if not tables or _gives_release(target, tables):
        return None
    names = frozenset(m.name for m in owner.everything if m is not target and _takes_out(m, tables))
    if not names:
        return None
    return Acquisition(call, method, names.__contains__, " or ".join(sorted(names)), "class")


def _is_kept_weakly(call: code.Call, func: code.Attr, method: Method) -> bool:
    """True where the class's own function keeps what it is given in weak tables, or makes weak references to it."""
    owner = method.actor.facts.owner(method.actor.values.type_of(func.base, method))
    target = owner.method(func.name) if owner is not None else None
    if owner is None or target is None:
        return False
    given = {_parameter(target, i, a.name) for i, a in enumerate(call.args) if holds_actor(a.value, method)}
    tables = [table for name in given for table in _entered(target, name, owner)]
    if tables:
        return all(_is_weak(table, owner) for table in tables)
    uses = [e for e in target.exprs() if isinstance(e, code.Name) and e.id in given]
    makers = [target.parent(use) for use in uses]
    return bool(uses) and all(
        isinstance(made, code.Call) and target.qualname(made.func).startswith("weakref.") for made in makers
    )


def _parameter(target: Method, position: int, name: str) -> str:
    if name:
        return name
    params = [p.name for p in target.code.params if not p.star]
    shift = 1 if target.self_name else 0
    return params[position + shift] if position + shift < len(params) else ""


def _entered(target: Method, parameter: str, owner: Actor) -> Iterator[str]:
    """The tables of the class that the parameter enters."""
    thing = (id(target.code), parameter)
    for method in owner.reached(target):
        for base, values in _insertions(method):
            if any(thing in identities(value, method) for value in values):
                yield from behind(base, method).attributes


def _insertions(method: Method) -> Iterator[tuple[code.Expr, list[code.Expr]]]:
    for call in method.calls:
        if isinstance(call.func, code.Attr) and call.func.name in _INSERTS:
            values = [a.value for a in call.args]
            yield call.func.base, [p for v in values for p in (v.items if isinstance(v, code.Seq) else (v,))]
    for stmt in method.statements:
        if isinstance(stmt, code.Assign) and stmt.value is not None:
            for target in stmt.targets:
                if isinstance(target, code.Sub):
                    value = stmt.value
                    yield target.base, [target.key, *(value.items if isinstance(value, code.Seq) else (value,))]


def _is_weak(table: str, owner: Actor) -> bool:
    for value, annotation, _ in owner.assigned(table):
        for expr in (value, annotation):
            if expr is not None and any("weak" in code.dotted(e).lower() for e in code.walk(expr)):
                return True
    return False


def _takes_out(method: Method, tables: set[str]) -> bool:
    """True for a function that takes one subscriber out: it is told which."""
    told = [p for p in method.code.params if p.name != method.self_name]
    if not told or method.outer is not None or method.role is Role.START:
        return False
    for base in _removals(method):
        if any(related(mine, table) for mine in behind(base, method).attributes for table in tables):
            return True
    return False


def _removals(method: Method) -> Iterator[code.Expr]:
    for call in method.calls:
        if isinstance(call.func, code.Attr) and call.func.name in _REMOVES:
            yield call.func.base
    for stmt in method.statements:
        if isinstance(stmt, code.Delete):
            yield from (t.base for t in stmt.targets if isinstance(t, code.Sub))
        elif isinstance(stmt, code.Assign) and isinstance(stmt.value, code.Comp):
            yield from (t for t in stmt.targets if isinstance(t, (code.Attr, code.Sub)))


def _gives_release(target: Method, tables: set[str]) -> bool:
    """True where the result is what undoes it: the call is judged by what becomes of that."""
    inner = [m for m in target.actor.everything if m.outer is target]
    return any(
        any(related(a, t) for a in behind(base, m).attributes for t in tables) for m in inner for base in _removals(m)
    )


# -- names that come in pairs


def _by_name(call: code.Call, func: code.Attr, method: Method) -> Acquisition | None:
    if func.name in _ONE_SHOT or method.actor.values.type_of(func.base, method) == method.actor.qualname:
        return None
    verb, noun = _split(func.name)
    opposites = _OPPOSITES.get(verb)
    if opposites is None or "once" in func.name.lower():
        return None
    if verb in _FREE:
        if verb == "connect" and not _names_a_signal(call):
            return None
    elif noun not in _NOUNS:
        return None

    def undoes(name: str) -> bool:
        other, its_noun = _split(name)
        return other in opposites and (not its_noun or verb in _FREE or its_noun == noun)

    return Acquisition(call, method, undoes, func.name.replace(verb, opposites[0]), "name")


def _split(name: str) -> tuple[str, str]:
    """What a name does, and to what: ``add`` and ``listener`` for ``async_add_state_listeners``, ``listenerAdd``."""
    words = [w.lower() for w in _WORDS.findall(name) if w.lower() != "async"]
    if not words:
        return "", ""
    if len(words) > 1 and words[0] not in _VERBS and words[-1] in _VERBS:
        words = [words[-1], *words[:-1]]
    noun = words[-1] if len(words) > 1 else ""
    return words[0], noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun


def _names_a_signal(call: code.Call) -> bool:
    """``source.connect("changed", self.changed)``; a socket's ``connect`` takes no function, a weak one holds none."""
    first = call.positional(0)
    return (isinstance(first, code.Const) and isinstance(first.value, str) and len(call.args) > 1) or any(
        a.name == "weak" and isinstance(a.value, code.Const) and a.value.value is False for a in call.args
    )
