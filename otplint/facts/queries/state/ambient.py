"""State that an actor keeps outside of itself: module globals, thread-locals, class attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from otplint.facts.exceptions import exception_types
from otplint.facts.methods import Role
from otplint.facts.queries.slices import bindings
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_CONTAINERS = frozenset(
    {
        "dict", "list", "set", "collections.defaultdict", "collections.deque", "collections.OrderedDict",
        "collections.Counter", "collections.ChainMap", "bytearray", "array.array", "types.SimpleNamespace",
    }
)  # fmt: skip
_LOCALS = ("threading.local", "gevent.local.local", "asgiref.local.Local", "werkzeug.local.Local")
_LOCKS = frozenset(
    {
        "threading.Lock", "threading.RLock", "threading.Condition", "threading.Semaphore", "asyncio.Lock",
        "asyncio.Condition", "asyncio.Semaphore", "multiprocessing.Lock", "multiprocessing.RLock", "anyio.Lock",
        "trio.Lock", "threading.BoundedSemaphore", "filelock.FileLock",
    }
)  # fmt: skip
_CHANGES = frozenset(
    {
        "append", "appendleft", "add", "extend", "extendleft", "insert", "setdefault", "update", "pop", "popitem",
        "remove", "discard", "popleft", "clear", "rotate", "subtract", "sort", "reverse", "difference_update",
        "intersection_update", "symmetric_difference_update",
    }
)  # fmt: skip
_CHANGE = "|".join(sorted(_CHANGES))
_TASKS = ("asyncio.Task", "asyncio.Future", "concurrent.futures.Future")
_MAX_HOPS = 2

Place: TypeAlias = "tuple[Method, code.Node]"


@dataclass(frozen=True)
class Ambient:
    """One name outside of the actor's instances that its handlers write to."""

    kind: str
    """``global``, ``thread-local`` or ``class``."""
    name: str
    """Qualified."""
    definition: Place | None
    """Where it is made."""
    writes: tuple[Place, ...]
    """The statements that write to it, in order."""
    remembers: bool = field(default=False)
    """True where all of them only keep, by key, what was computed for the key: a cache."""


@dataclass(frozen=True)
class _Write:
    kind: str
    name: str
    method: Method
    stmt: code.Stmt
    node: code.Expr
    """What is written to: the target, or the object whose method changes it."""


def ambient(actor: Actor) -> Iterator[Ambient]:
    """What the actor's own handlers write to outside of its instances, by name."""
    found: dict[tuple[str, str], list[_Write]] = {}
    for method in _handling(actor):
        for write in _writes(method):
            if not method.exempt(write.stmt, _guarded(write)):
                found.setdefault((write.kind, write.name), []).append(write)
    for (kind, name), writes in found.items():
        places = tuple((w.method, w.stmt) for w in writes)
        cached = all(_is_memo(w) for w in writes)
        unread = kind == "global" and not _is_read(name, writes)
        if writes[0].method.exempt(writes[0].stmt, "nobody reads it: it is only ever written" if unread else ""):
            continue
        yield Ambient(kind, name, _definition(kind, name, actor), places, cached)


def _is_read(qualified: str, writes: list[_Write]) -> bool:
    """Whether anything in the files that are looked at does more with the name than to set it anew.

    Where only functions of modules write to it, or it only keeps tasks from being thrown away, changing its entries is
    no more either; what else the actor's own functions collect is its state, read or not.
    """
    module, _, name = qualified.rpartition(".")
    source, facts = writes[0].method.source, writes[0].method.actor.facts
    sets, given = rf"{name}\s*(?::[^=\n]+)?=(?!=)", []
    if not any(w.method.actor.is_actor for w in writes) or _keeps_tasks(writes):
        sets += rf"|{name}\[[^\n]*\]\s*=(?!=)|{name}\.(?:{_CHANGE})\("
        given = re.findall(rf"\.add_done_callback\({name}\.(?:{_CHANGE})\)", source.text)
    plain = re.findall(rf"^\s*(?:{sets}|global\b[^\n]*\b{name}\b)", source.text, re.MULTILINE)
    if len(re.findall(rf"\b{name}\b", source.text)) > len(plain) + len(given) or any(
        w.method.source is not source for w in writes
    ):
        return True
    imports = {index.path for index in facts.holding(module.rpartition(".")[2])}
    return any(index.path in imports and index.path != source.path for index in facts.holding(name))


def _keeps_tasks(writes: list[_Write]) -> bool:
    """True where all that is put in are tasks: ``background.add(task)``, so that somebody holds them while they run."""
    stored: list[tuple[Method, code.Expr]] = []
    for write in writes:
        match write.stmt:
            case code.Assign(value=value) if value is not None:
                stored.append((write.method, value))
            case code.Do(value=code.Call(func=code.Attr(name="add" | "append"), args=(arg,))):
                stored.append((write.method, arg.value))
            case code.Augment():
                return False
    return bool(stored) and all(m.actor.values.type_of(value, m) in _TASKS for m, value in stored)


def _handling(actor: Actor) -> list[Method]:
    """The functions that run while a message is handled: own ones, callbacks, and functions of modules they call."""
    names = {m.name: m for m in reversed(actor.everything) if m.outer is None}
    stack = [m for m in actor.everything if m.role in (Role.HANDLER, Role.LOOP) and not m.stops]
    own: dict[int, Method] = {}
    while stack:
        method = stack.pop()
        if id(method) in own:
            continue
        own[id(method)] = method
        stack += actor.inner(method)
        for expr in method.exprs():
            if isinstance(expr, code.Call) and (found := actor.own_method(expr, method)) is not None:
                stack.append(found)
            elif isinstance(expr, code.Attr) and (named := names.get(method.own_attribute(expr) or "")) is not None:
                stack.append(named)
    return [m for m in (*actor.methods, *_outside([*own.values()])) if id(m) in own or m.actor is not actor]


def _outside(methods: list[Method]) -> list[Method]:
    """The functions of modules that are called, within a few hops."""
    found: dict[int, Method] = {}
    fringe = methods
    for _ in range(_MAX_HOPS):
        called = [m.actor.facts.function(m.qualname(call.func)) for m in fringe for call in m.calls]
        fringe = [m for m in called if m is not None and id(m.code) not in found]
        found.update({id(m.code): m for m in fringe})
    return list(found.values())


# -- writes


def _writes(method: Method) -> Iterator[_Write]:
    named = _global_names(method)
    for stmt in method.statements:
        for target in _targets(stmt):
            if isinstance(target, code.Name) and target.id in named:
                yield _Write("global", method.qualname(target), method, stmt, target)
            elif isinstance(target, (code.Sub, code.Attr)):
                yield from _written(target, target.base, method, stmt, assigns=isinstance(target, code.Attr))
        for head in code.expressions(stmt):
            for expr in code.walk(head):
                if (
                    isinstance(expr, code.Call)
                    and isinstance(expr.func, code.Attr)
                    and expr.func.name in _CHANGES
                    and method.event(expr) is None
                ):
                    yield from _written(expr.func.base, expr.func.base, method, stmt, assigns=False)


def _global_names(method: Method) -> set[str]:
    """The names that the function declares ``global``."""
    return {
        name
        for stmt in method.statements
        if isinstance(stmt, code.Scope) and method.source.text.startswith("global", stmt.start)
        for name in stmt.names
    }


def _targets(stmt: code.Stmt) -> Iterator[code.Expr]:
    match stmt:
        case code.Assign(targets=targets, value=value) if value is not None:
            stack = list(targets)
        case code.Delete(targets=targets):
            stack = list(targets)
        case code.Augment(target=target) | code.For(target=target):
            stack = [target]
        case _:
            return
    for target in stack:
        if isinstance(target, code.Seq):
            stack.extend(target.items)
        else:
            yield target


def _written(node: code.Expr, holder: code.Expr, method: Method, stmt: code.Stmt, *, assigns: bool) -> Iterator[_Write]:
    """What a change of ``holder`` (where it ``assigns``, of its attribute ``node``) changes outside of the actor."""
    if assigns and isinstance(node, code.Attr):
        owner = _class_behind(holder, method)
        if owner:
            yield _Write("class", f"{owner}.{node.name}", method, stmt, node)
            return
        if _is_constant(method.qualname(node), method):  # a name of another module
            yield _Write("global", method.qualname(node), method, stmt, node)
            return
    place = _shared(holder, method)
    if place is not None:
        yield _Write(*place, method, stmt, holder)


def _shared(holder: code.Expr, method: Method, depth: int = 0) -> tuple[str, str] | None:
    """The kind and name of the shared thing that an object is, or is part of."""
    if depth > 4:
        return None
    own = method.own_attribute(holder)
    if own:
        return _class_attribute(own.partition(".")[0], method)
    if isinstance(holder, (code.Attr, code.Name)):
        if isinstance(holder, code.Attr) and _class_behind(holder.base, method):
            return _class_attribute(holder.name, method)
        if kind := _is_constant(method.qualname(holder), method):
            return kind, method.qualname(holder)
    match holder:
        case code.Sub(base=base) | code.Attr(base=base):
            return _shared(base, method, depth + 1)
        case code.Call(func=code.Attr(base=base, name="get" | "setdefault")):
            return _shared(base, method, depth + 1)
        case code.Name(id=name) if method.is_local(name):
            values = list(bindings(name, method))
            if len(values) == 1 and isinstance(values[0], (code.Name, code.Attr, code.Sub, code.Call)):
                return _shared(values[0], method, depth + 1)
    return None


def _is_constant(qualified: str, method: Method) -> str:
    """``global`` or ``thread-local`` for a name of a module whose value can change, else the empty string."""
    facts = method.actor.facts
    for module, _, value in facts.constants(qualified):
        type_ = _type(value, module)
        if type_ in _LOCALS or (type_ and facts.project.derives_from(type_, _LOCALS)):
            return "thread-local" if _takes_messages(method.actor) else ""  # a bare thread's own are its own
        if type_ in _CONTAINERS:
            return "global"
        if isinstance(value, code.Call) and type_ and facts.owner(type_) is not None:
            return "global"
    return ""


def _takes_messages(actor: Actor) -> bool:
    kind = actor.kind
    return bool(kind.handlers or kind.public_methods or kind.handler_decorators) or not actor.is_actor


def _type(value: code.Expr, method: Method) -> str:
    """The type of a value; for a call also what is called, whatever it gives."""
    found = method.actor.values.type_of(value, method)
    return found or (method.qualname(value.func) if isinstance(value, code.Call) else "")


def _class_behind(expr: code.Expr, method: Method) -> str:
    """The class of the actor, or a base of it, that an expression is: its name, ``cls``, ``type(self)``."""
    actor = method.actor
    match expr:
        case code.Call(args=(arg,)) if code.dotted(expr.func) == "type":
            is_self = isinstance(arg.value, code.Name) and arg.value.id == method.self_name
            return actor.qualname if is_self and method.self_name else ""
        case code.Attr(name="__class__", base=code.Name(id=name)) if name == method.self_name:
            return actor.qualname
        case code.Name(id=name) if name == method.self_name and _is_classmethod(method):
            return actor.qualname
        case code.Name() | code.Attr():
            named = method.qualname(expr)
            return named if named and named in actor.facts.project.mro(actor.qualname) else ""
    return ""


def _is_classmethod(method: Method) -> bool:
    return any(code.dotted(d) == "classmethod" for d in method.code.decorators)


def _class_attribute(name: str, method: Method) -> tuple[str, str] | None:
    """A mutable object made in the class and never replaced in the instance."""
    actor = method.actor
    if not actor.is_actor:
        return None
    made = _made_in_class(name, actor)
    if made is None or made[1] not in _CONTAINERS:
        return None
    replaced = any(u.kind == "write" and not _is_classmethod(u.method) for u in actor.uses_of(name))
    return None if replaced else ("class", f"{made[0]}.{name}")


def _made_in_class(name: str, actor: Actor) -> tuple[str, str, Place] | None:
    """The class that makes an attribute in its body, the type of the value, and the place."""
    facts = actor.facts
    for qualified in facts.project.mro(actor.qualname):
        owner = actor if qualified == actor.qualname else facts.owner(qualified)
        if owner is None:
            continue
        for stmt in owner.declared(name):
            target = next(t for t in stmt.targets if isinstance(t, code.Name) and t.id == name)
            if stmt.value is not None:
                return qualified, _type(stmt.value, owner.class_body), (owner.class_body, target)
    return None


def _definition(kind: str, name: str, actor: Actor) -> Place | None:
    if kind == "class":
        made = _made_in_class(name.rpartition(".")[2], actor)
        return None if made is None else made[2]
    return next(((module, stmt) for module, stmt, _ in actor.facts.constants(name)), None)


# -- what is no state


def _guarded(write: _Write) -> str:
    """Why a write is no state of the actor's: under a lock, or made once when it is first needed; empty if it is."""
    method = write.method
    for up in method.above(write.stmt):
        if isinstance(up, code.With) and any(_is_lock(context, method) for context, _ in up.items):
            return "it is written under a lock"
    if not isinstance(write.stmt, code.Assign) or isinstance(write.node, code.Sub):
        return ""
    made = [write.node, *[code.Name(0, 0, name) for name in _global_names(method)]]
    first = any(
        _is_missing(test, outcome, node) for test, outcome in method.flow.conditions(write.stmt) for node in made
    )
    return "it is made once, when it is first needed" if first else ""


def _is_lock(context: code.Expr, method: Method) -> bool:
    expr = context.func.base if isinstance(context, code.Call) and isinstance(context.func, code.Attr) else context
    if method.actor.values.type_of(expr, method) in _LOCKS:
        return True
    held = _shared_type(expr, method)
    return held in _LOCKS


def _shared_type(expr: code.Expr, method: Method) -> str:
    """The type of a lock that a class or another module holds."""
    own = method.own_attribute(expr)
    if own and method.actor.is_actor:
        made = _made_in_class(own, method.actor)
        return "" if made is None else made[1]
    for module, _, value in method.actor.facts.constants(method.qualname(expr)):
        return _type(value, module)
    if isinstance(expr, code.Attr) and _class_behind(expr.base, method):
        made = _made_in_class(expr.name, method.actor)
        return "" if made is None else made[1]
    return ""


def _is_missing(test: code.Expr, outcome: bool, node: code.Expr) -> bool:
    """True where a test, with that outcome, says that ``node`` is not there yet."""
    if code.same(test, node):
        return not outcome
    if isinstance(test, code.Compare) and len(test.ops) == 1 and code.same(test.left, node):
        none = isinstance(test.rights[0], code.Const) and test.rights[0].value is None
        return none and (test.ops[0] in ("is", "==")) is outcome
    return False


def _is_memo(write: _Write) -> bool:
    """``table[key] = value`` where the key was not in the table, by a test or a ``KeyError``."""
    targets = list(_targets(write.stmt))
    target = targets[0] if len(targets) == 1 else None
    if not isinstance(write.stmt, code.Assign) or not isinstance(target, code.Sub):
        return False
    for up in write.method.above(write.stmt):
        if isinstance(up, code.Handler) and "KeyError" in {code.dotted(t) for t in exception_types(up.type)}:
            return True
    for test, outcome in write.method.flow.conditions(write.stmt):
        if isinstance(test, code.Compare) and test.ops[0] in ("in", "not in"):
            absent = outcome if test.ops[0] == "not in" else not outcome
            if absent and code.same(test.left, target.key) and code.same(test.rights[0], target.base):
                return True
    return False
