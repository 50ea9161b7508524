"""What runs where an actor handles its messages: while it runs, the next message waits.

The handlers themselves, what they call in their own class, the parts that the actor is made of, and helpers wherever
they live. What is handed to a thread, an executor or a task runs elsewhere, and so does the constructor, before the
actor serves anybody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.methods import Role
from otplint.facts.queries.parts import parts
from otplint.facts.recognise import drains
from otplint.facts.syntax import code
from otplint.facts.values import given_value, local_values

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_MAX_CROSSED = 4
"""Calls that lead out of a class; further away nobody would look for the actor's time."""
_HANDS_ON = {"to_thread", "run_in_executor", "submit", "run_sync", "apply_async", "start_soon"}
"""Last parts of the names of what runs a function elsewhere, beside the operations that spawn."""

_KNOWN = frozenset({"take", "put", "wait"})
"""Methods of objects that are looked at as what they are, not at how their library does it."""


@dataclass(frozen=True)
class Running:
    """One function that runs while the actor handles a message."""

    method: Method
    actor: Actor
    crossed: tuple[tuple[Method, code.Call], ...] = ()
    """The calls that lead out of the actor's class, outermost first; none for its own functions."""
    certain: bool = True
    """False where nothing that is written calls the function: whoever knows it may do so from elsewhere."""
    given: tuple[tuple[str, bool], ...] = ()
    """Flags among its parameters, outside of the actor's class, that the calls on the way decide."""
    is_part: bool = False
    """True where the way begins at an object that callers of the actor reach: its functions are as good as own ones."""
    awaited: bool = False
    """True where a coroutine of the same class runs it as a plain call, so on its event loop; further away one may ask
    which thread it is."""

    @property
    def far(self) -> tuple[Method, code.Call] | None:
        """The call in the actor's own code that leads to a function two or more calls outside of it."""
        steps = self.crossed[1:] if self.is_part else self.crossed
        return steps[0] if len(steps) > 1 else None

    def never_reaches(self, node: code.Node) -> str:
        """The flag, as it is given, that keeps the function from a place in it; empty where none does."""
        flags = dict(self.given)
        for test, outcome in self.method.flow.conditions(node) if flags else ():
            wanted = outcome
            if isinstance(test, code.Unary) and test.op == "not":
                test, wanted = test.value, not outcome
            if isinstance(test, code.Name) and flags.get(test.id, wanted) is not wanted:
                return f"{test.id}={flags[test.id]}"
        return ""

    @property
    def on_loop(self) -> bool:
        """True where it runs on an event loop, which all other tasks share."""
        return shares_loop(self.actor) or self.method.code.is_async or self.awaited


def is_interleaved(method: Method) -> bool:
    """True for a function that its decorator lets run beside the handlers (``@xo.no_lock``)."""
    lifted = method.actor.kind.interleaved
    decorators = method.code.decorators if lifted else ()
    return any(method.qualname(d.func if isinstance(d, code.Call) else d) in lifted for d in decorators)


def shares_loop(actor: Actor) -> bool:
    """True for an actor whose functions run on an event loop.

    One ``async def`` among the handlers puts the others there as well; an object that an event loop calls back has no
    thread of its own either.
    """
    return actor.remembered(_shares_loop)


def _shares_loop(actor: Actor) -> bool:
    if actor.kind.scheduler == "event-loop":
        return True
    called_back = not takes_messages(actor)
    return any(m.role is Role.HANDLER and (m.code.is_async or called_back) for m in actor.everything)


def takes_messages(actor: Actor) -> bool:
    """True where the framework gives the actor its messages, rather than a loop that it runs itself."""
    kind = actor.kind
    return bool(kind.handlers or kind.public_methods or kind.handler_decorators) or (
        actor.form == "function" and bool(kind.decorators)
    )


def running(actor: Actor) -> list[Running]:
    """The functions that run while the actor handles a message, inherited ones too, its own ones first.

    Each comes once, one that is given flags once for each choice of them.
    """
    found: dict[tuple[int, tuple[tuple[str, bool], ...], bool], Running] = {}
    waiting = deque(Running(method, actor) for method in _entries(actor))
    waiting.extend(Running(method, actor, (made,), is_part=True) for method, made in _parts(actor))
    guessed = [Running(m, actor, (), False) for m in _uncalled(actor)] if takes_messages(actor) else []
    while waiting or guessed:
        if not waiting:
            waiting.append(guessed.pop(0))
        current = waiting.popleft()
        key = (id(current.method.code), current.given, current.on_loop)
        if key in found or _runs_elsewhere(current.method):
            continue
        found[key] = current
        for call in calls_at_once(current.method):
            inner, outside = called(call, current.method)
            if inner is None or current.never_reaches(call):
                continue
            crossed = (*current.crossed, (current.method, call)) if outside else current.crossed
            if len(crossed) <= _MAX_CROSSED:
                given = _flags(call, inner, current) if crossed else ()
                on_loop = current.on_loop and not crossed
                waiting.append(Running(inner, actor, crossed, current.certain, given, current.is_part, on_loop))
    return [*found.values()]


def _flags(call: code.Call, inner: Method, current: Running) -> tuple[tuple[str, bool], ...]:
    """The parameters of what is called that are known to be true or false there, given or by default."""
    if any(a.star for a in call.args):
        return ()
    found, known = [], dict(current.given)
    names = [p for p in inner.code.params if p.name != inner.self_name]
    for position, param in enumerate(names):
        value = call.argument(position, param.name) or param.default
        if isinstance(value, code.Const) and isinstance(value.value, bool):
            found.append((param.name, value.value))
        elif isinstance(value, code.Name) and value.id in known and not any(local_values(value.id, current.method)):
            found.append((param.name, known[value.id]))
    return tuple(found)


def calls_at_once(method: Method) -> Iterator[code.Call]:
    """The calls that the function makes itself; those in a lambda wait for whoever gets it."""
    for call in method.calls:
        if not any(isinstance(up, code.Lambda) for up in method.above(call)):
            yield call


def called(call: code.Call, method: Method) -> tuple[Method | None, bool]:
    """The project's function that a call runs at once, and whether it is outside of the caller's class."""
    actor = method.actor
    found, outside = actor.own_method(call, method), False
    if found is None:
        found, outside = _elsewhere(call, method), True
    if found is None or (found.code.is_async and not isinstance(method.parent(call), code.Await)):
        return None, outside
    return found, outside


def _elsewhere(call: code.Call, method: Method) -> Method | None:
    facts = method.actor.facts
    name = method.qualname(call.func)
    if name:
        return facts.function(name)
    event = method.event(call)
    if not isinstance(call.func, code.Attr) or (event is not None and event.certain and event.role in _KNOWN):
        return None
    owner = facts.owner(method.actor.values.type_of(call.func.base, method))
    if owner is None or owner.is_actor or owner is method.actor:
        return None
    return owner.method(call.func.name)


def _entries(actor: Actor) -> Iterator[Method]:
    """Where the actor's own thread or task comes in."""
    handed, messages = _handed_on(actor), takes_messages(actor)
    for method in actor.everything:
        match method.role:
            case Role.HANDLER:
                enters = True
            case Role.LOOP:
                enters = drains(method) is not None or method.code.is_async
            case Role.START | Role.STOP:
                enters = messages and method.name != "__init__" and method.outer is None
            case _:
                enters = actor.kind.public_methods and not method.name.startswith("_") and _is_property(method)
        if enters and id(method.code) not in handed:
            yield method


def _runs_elsewhere(method: Method) -> bool:
    """True under a decorator of the project that hands the function to a thread: its body holds nobody up."""
    for decorator in method.code.decorators:
        func = decorator.func if isinstance(decorator, code.Call) else decorator
        made = method.actor.facts.function(method.qualname(func))
        if made is None:
            continue
        given = {p.name for p in made.code.params}
        for place in made.actor.everything:
            for call in place.calls:
                event = place.event(call)
                elsewhere = event is not None and event.role == "spawn"
                if (elsewhere or code.dotted(call.func).rpartition(".")[2] in _HANDS_ON) and _names(call) & given:
                    return True
    return False


def _names(call: code.Call) -> set[str]:
    return {a.value.id for a in call.args if isinstance(a.value, code.Name)}


def _uncalled(owner: Actor) -> Iterator[Method]:
    """Functions that nothing in their class calls or hands on: they are there for others that know the object."""
    named = {e.name for m in owner.everything for e in m.exprs() if isinstance(e, code.Attr)}
    for method in owner.everything:
        plain = method.outer is None and bool(method.self_name) and not method.name.startswith("__")
        decorated = {code.dotted(d) for d in method.code.decorators} & {"classmethod", "abstractmethod"}
        if method.role in (Role.HELPER, Role.SETUP) and plain and not decorated and method.name not in named:
            yield method


def _is_property(method: Method) -> bool:
    return any(method.qualname(d).rpartition(".")[2] in ("property", "cached_property") for d in method.code.decorators)


def _handed_on(actor: Actor) -> set[int]:
    """The own functions that only threads, executors or tasks run, by the identity of their code."""
    given: set[int] = set()
    direct: set[int] = set()
    for method in actor.everything:
        for call in method.calls:
            own = actor.own_method(call, method)
            if own is not None:
                direct.add(id(own.code))
            name = call.func.name if isinstance(call.func, code.Attr) else code.dotted(call.func)
            event = method.event(call)
            if name in _HANDS_ON or (event is not None and event.role in ("spawn", "timer")):
                for arg in call.args:
                    value = given_value(arg.value)
                    named = actor.named(value, method)
                    if named is not None:
                        given.add(id(named.code))
    return given - direct


def _parts(actor: Actor) -> Iterator[tuple[Method, tuple[Method, code.Call]]]:
    """Public functions of the actor's parts: a proxy's callers reach them."""
    for part in parts(actor):
        unnamed = [*_uncalled(part.owner)]
        for method in part.owner.everything:
            if method.outer is None and (not method.name.startswith("_") or method in unnamed):
                yield method, (part.maker, part.made)
