"""Which classes and functions are actors, and what each of their functions is to them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from otplint.facts.actors import Actor
from otplint.facts.frameworks import ActorKind, matches
from otplint.facts.methods import Method, Role
from otplint.facts.syntax import code
from otplint.facts.values import local_values

SHAPE = ActorKind(on_failure=("unseen",), starts=("__init__", "start"), stops=("stop", "close", "shutdown", "join"))
"""An actor that no framework knows: a failure in its loop ends a thread or task, and nobody is told."""

_DRAINS = re.compile(r"\.get\(\)|\.get_nowait\(|\.get\((?:timeout|block|True|False)|\.get,")
_LOOPS = re.compile(r"while|iter\(")
_CHANNELS = re.compile(r"Memory(?:Object)?Receive(?:Channel|Stream)|open_memory_channel|create_memory_object_stream")
"""How trio and AnyIO write a mailbox; their own tokens select the files."""
_THROUGH = re.compile(r"async for|\.receive\(")


def may_drain(text: str) -> bool:
    """A cheap look at a class or function; the tokens of ``threads.toml`` are the same, so triage loses nothing."""
    return _DRAINS.search(text) is not None and _LOOPS.search(text) is not None


def may_go_through(text: str, file: str) -> bool:
    """The same for a loop over a channel, whose file says what it is."""
    return _THROUGH.search(text) is not None and _CHANNELS.search(file) is not None


def role_of(function: code.Function, kind: ActorKind, decorators: tuple[str, ...], *, is_actor: bool) -> Role:
    """The role of a method by its name, decorators and what the framework says."""
    if not is_actor:
        return Role.SETUP
    name = function.name
    if name in kind.loops:
        return Role.LOOP
    if name in kind.starts:
        return Role.START
    if name in kind.stops:
        return Role.STOP
    if matches(name, kind.handlers) or any(d in kind.handler_decorators for d in decorators):
        return Role.HANDLER
    plain = {"staticmethod", "classmethod", "property", "functools.cached_property", "abc.abstractmethod"}
    if kind.public_methods and not name.startswith("_") and not plain & set(decorators):
        return Role.HANDLER
    return Role.HELPER


def nested(method: Method) -> Iterator[Method]:
    """The functions defined inside ``method``, at any depth."""
    for stmt in method.statements:
        if isinstance(stmt, code.Function):
            role = Role.SETUP if method.role is Role.SETUP else Role.NESTED
            inner = Method(method.actor, stmt, method.source, role, method.owner, method)
            yield inner
            yield from nested(inner)


def drains(method: Method) -> code.Expr | None:
    """What takes messages off a queue in a loop of ``method``: the call, or the channel of an ``async for``."""
    for stmt in method.statements:
        if isinstance(stmt, code.While):
            for call in (*_calls_in(stmt.test), *code.calls(stmt.body)):
                if takes_from_queue(call, method) and not _made_here(call, method):
                    return call
        elif isinstance(stmt, code.For) and stmt.is_async and not isinstance(stmt.iter, code.Call):
            known = method.actor.values.type_of(stmt.iter, method) in method.actor.facts.vocabulary.mailboxes
            if known and not _is_made_here(stmt.iter, method):
                return stmt.iter
        elif isinstance(stmt, code.For) and isinstance(stmt.iter, code.Call):
            args = stmt.iter.args
            source = args[0].value if len(args) == 2 and code.dotted(stmt.iter.func) == "iter" else None
            if isinstance(source, code.Attr) and source.name == "get" and _is_queue(source.base, method):
                return stmt.iter
    return None


def takes_from_queue(call: code.Call, method: Method) -> bool:
    """True for ``queue.get()`` in its forms; ``mapping.get(key)`` is not one."""
    if not isinstance(call.func, code.Attr):
        return False
    known = method.actor.values.operation(call, method)
    if known is not None:
        return known[1].role == "take"
    receiver = call.func.base
    if method.actor.values.type_of(receiver, method) or isinstance(receiver, code.Call):
        return False
    if call.func.name == "get_nowait":
        return not call.args
    if call.func.name != "get" or not (method.own_attribute(receiver) or isinstance(receiver, code.Name)):
        return False
    gets = [c for c in method.calls if _is_get_of(receiver, c)]
    return _is_put_to(receiver, method) and all(_looks_like_a_queues(c) for c in gets)


def _is_get_of(receiver: code.Expr, call: code.Call) -> bool:
    func = call.func
    return isinstance(func, code.Attr) and func.name == "get" and code.dotted(func.base) == code.dotted(receiver)


def _looks_like_a_queues(call: code.Call) -> bool:
    """True for ``get()``, ``get(timeout=1)``, ``get(True, 1)``: the arguments of a queue's, not of a mapping's."""
    first = call.positional(0)
    is_flag = isinstance(first, code.Const) and isinstance(first.value, bool)
    named = all(a.name in ("", "timeout", "block") and not a.star for a in call.args)
    return named and (first is None or is_flag)


def _made_here(call: code.Call, method: Method) -> bool:
    """A queue made for the answers to one request: a mailbox outlives the function that drains it."""
    return isinstance(call.func, code.Attr) and _is_made_here(call.func.base, method)


def _is_made_here(mailbox: code.Expr, method: Method) -> bool:
    if not isinstance(mailbox, code.Name):
        return False
    return any(isinstance(value, code.Call) for value in local_values(mailbox.id, method))


def _is_put_to(receiver: code.Expr, method: Method) -> bool:
    """A queue of unknown type is believed where something is put into it, or where it was handed in."""
    attribute = method.own_attribute(receiver)
    if attribute:
        names = ("put", "put_nowait", "task_done", "qsize", "empty")
        return any(
            isinstance(c.func, code.Attr) and c.func.name in names and m.own_attribute(c.func.base) == attribute
            for m in method.actor.everything
            for c in m.calls
        ) or all(
            isinstance(value, code.Name) and any(p.name == value.id for p in place.code.params)
            for value, _, place in method.actor.assigned(attribute)
        )
    return isinstance(receiver, code.Name) and any(p.name == receiver.id for p in method.code.params)


def _is_queue(expr: code.Expr, method: Method) -> bool:
    type_ = method.actor.values.type_of(expr, method)
    known = method.actor.facts.vocabulary.exact.get(type_)
    return known is not None and known[1].role == "queue"


def _calls_in(expr: code.Expr) -> Iterator[code.Call]:
    for node in code.walk(expr):
        if isinstance(node, code.Call):
            yield node


def spawned_loops(actor: Actor) -> Iterator[Method]:
    """Own functions that are started as a thread or task and run a ``while`` loop."""
    looping = {id(m): m for m in actor.everything if any(isinstance(s, code.While) for s in code.statements(m.body))}
    for method in actor.everything if looping else ():
        for call in method.calls:
            given = [(a.value, m) for a in call.args if id(m := actor.named_or_called(a.value, method)) in looping]
            event = method.event(call) if given else None
            if event is not None and event.role == "spawn":
                yield from (m for value, m in given if value is event.payload and m is not None)


def leave_strangers(actor: Actor) -> None:
    """A class that only its loops and callbacks make an actor answers for its bases as far as these run them."""
    living = actor.reached(*[m for m in actor.everything if m.role in (Role.LOOP, Role.HANDLER)])
    own = tuple(m for m in actor.methods if m.owner == actor.qualname or m in living)
    actor.inherited = (*actor.inherited, *[m for m in actor.methods if m not in own])
    actor.methods = own


def extended(methods: list[Method]) -> set[str]:
    """Names of the functions that overriding ones call with ``super()``, so that both run."""
    found: set[str] = set()
    for method in methods:
        for call in method.calls:
            func = call.func
            base = func.base if isinstance(func, code.Attr) else None
            if isinstance(func, code.Attr) and isinstance(base, code.Call) and code.dotted(base.func) == "super":
                found.add(func.name)
    return found
