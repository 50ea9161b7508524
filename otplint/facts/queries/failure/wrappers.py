"""Code outside of an actor's class that runs inside the actor: helper functions, wrappers, decorators, parts.

A *part* is an object of a class of the project that is no actor itself: the actor makes it, keeps it and calls it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from otplint.facts.actors import Actor
from otplint.facts.methods import Method
from otplint.facts.queries.failure.catches import catches
from otplint.facts.queries.failure.judgement import outcome
from otplint.facts.queries.failure.wrapping import guards_what_is_given, is_context_manager
from otplint.facts.queries.parts import parts
from otplint.facts.syntax import code
from otplint.facts.values import local_values

__all__ = ["Form", "Helper", "helpers"]

_MAX_HOPS = 3
_RUNS = frozenset({"to_thread", "run_in_executor", "run_sync", "partial"})
"""Functions that run, or make a function of, what is given to them."""


class Form(enum.Enum):
    """How an actor uses the code."""

    CALL = "call"
    DECORATOR = "decorator"
    CONTEXT = "context manager"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Helper:
    """A function that runs for an actor although it is none of its own."""

    method: Method
    form: Form
    user: Method
    """The actor's own function at the beginning of the way."""
    use: code.Node
    """Where that function uses it, or something on the way to it."""
    caller: Method
    """The function that uses it directly."""
    call: code.Node
    """Where it does."""
    hops: int
    """How many functions lie between: one for what the actor's own function uses."""
    asked: bool = False
    """True where a proxy calls it: a failure goes to whoever asked."""

    @property
    def fate(self) -> str:
        """What a failure in it leads to, as the actor's framework says."""
        return "reply" if self.asked and "reply" in self.user.actor.kind.on_failure else outcome(self.user)

    def onward(self, method: Method, form: Form, call: code.Node) -> Helper:
        """What this one uses in its turn."""
        return Helper(method, form, self.user, self.use, self.method, call, self.hops + 1, self.asked)


def helpers(actor: Actor) -> Iterator[Helper]:
    """What the actor's own working functions run outside of its class, each use once, nearest first."""
    seen: set[tuple[int, int]] = set()
    followed: set[int] = set()
    fringe = [
        Helper(found, form, method, node, method, node, 1)
        for method in actor.working
        for form, found, node in _used(method, is_own=True)
    ]
    fringe += _parts_of_proxies(actor)
    while fringe:
        following: list[Helper] = []
        for helper in fringe:
            use = (id(helper.method), id(helper.call))
            if use in seen:
                continue
            seen.add(use)
            yield helper
            if helper.hops < _MAX_HOPS and id(helper.method) not in followed:
                followed.add(id(helper.method))
                for form, found, node in _used(helper.method, is_own=False):
                    following.append(helper.onward(found, form, node))
        fringe = following


def _used(method: Method, *, is_own: bool) -> Iterator[tuple[Form, Method, code.Node]]:
    """What a function uses directly: its decorators, context managers and calls."""
    for decorator in method.code.decorators:
        yield from ((Form.DECORATOR, found, decorator) for found in _family(_decorating(decorator, method)))
    for stmt in method.statements:
        if isinstance(stmt, code.With):
            for context, _ in stmt.items:
                yield from ((Form.CONTEXT, found, context) for found in _managers(context, method))
    for call in method.calls:
        target = _called(call, method)
        if target is not None and not is_context_manager(target):
            part = bool(target.owner) and not _is_given(call, method)
            if target.actor is method.actor and is_own and not any(map(guards_what_is_given, catches(target))):
                continue  # the actor's own code is judged there, but for what guards code that others give it
            yield from ((Form.PART if part else Form.CALL, found, call) for found in _family(target))


def _family(method: Method | None) -> Iterator[Method]:
    """The function and those nested in it."""
    if method is not None:
        yield method
        yield from (m for m in method.actor.methods if _is_inside(m, method))


def _is_inside(method: Method, outer: Method) -> bool:
    place = method.outer
    while place is not None:
        if place is outer:
            return True
        place = place.outer
    return False


def _decorating(decorator: code.Expr, method: Method) -> Method | None:
    """The function of the project that a decorator is, called or not, also by a constant that holds one."""
    plain = decorator.func if isinstance(decorator, code.Call) else decorator
    dotted = code.dotted(plain)
    if not dotted:
        return None
    own = method.actor.method(dotted) if method.owner and "." not in dotted else None
    return own or _function(method.source.resolve(dotted), method)


def _function(qualified: str, method: Method, depth: int = 0) -> Method | None:
    """A function by its name: of a module, of a class, or made by one and held by a constant."""
    facts = method.actor.facts
    found = facts.function(qualified)
    if found is not None or not qualified or depth > 2:
        return found
    owner = facts.owner(qualified.rpartition(".")[0])
    if owner is not None and not owner.is_actor:
        return owner.method(qualified.rpartition(".")[2])
    for module, _, value in facts.constants(qualified):
        if isinstance(value, code.Call):
            name = module.qualname(value.func)
            if name == "functools.partial" and value.args:
                name = module.qualname(value.args[0].value)
            return _function(name, module, depth + 1)
    return None


def _managers(context: code.Expr, method: Method) -> Iterator[Method]:
    """The functions that an entered context manager runs."""
    if isinstance(context, code.Call):
        own = method.actor.own_method(context, method)
        target = own or _called(context, method)
        if target is not None and is_context_manager(target):
            yield target
    owner = method.actor.facts.owner(_type(context, method))
    if owner is not None and not owner.is_actor:
        for name in ("__exit__", "__aexit__"):
            found = owner.method(name)
            if found is not None:
                yield found


def _called(call: code.Call, method: Method) -> Method | None:
    """The project's function that a call runs, where it belongs to no actor."""
    func = call.func
    own = method.actor.own_method(call, method)
    if own is not None:
        return own
    name = method.qualname(func)
    if name:
        if name.rpartition(".")[2] in _RUNS:
            given = next((a.value for a in call.args if method.qualname(a.value)), None)
            name = method.qualname(given)
        found = _function(name, method)
        return found if found is not None and not found.actor.is_actor else None
    if isinstance(func, code.Attr):
        owner = method.actor.facts.owner(_type(func.base, method))
        if owner is not None and not owner.is_actor:
            return owner.method(func.name)
        if func.name in _RUNS:
            named = (method.qualname(a.value) for a in call.args)
            return next((f for n in named if n and (f := method.actor.facts.function(n)) is not None), None)
    return None


def _is_given(call: code.Call, method: Method) -> bool:
    """True where the object whose function is called is a parameter: a message's data, somebody else's object."""
    base = call.func
    while isinstance(base, (code.Attr, code.Sub)):
        base = base.base
    return isinstance(base, code.Name) and base.id in {p.name for p in method.code.params} - {method.self_name}


def _type(expr: code.Expr, method: Method) -> str:
    """The type of an object, also of one that was given to a function that marks or registers it and gives it back."""
    if isinstance(expr, code.Call) and isinstance(expr.func, code.Name) and expr.func.id == "super":
        return ""
    found = method.actor.values.type_of(expr, method)
    if found or not isinstance(expr, (code.Attr, code.Name)):
        return found
    own = method.own_attribute(expr)
    made = [(value, place) for value, _, place in method.actor.assigned(own)] if own and "." not in own else []
    if isinstance(expr, code.Name) and not own:
        made = [(value, method) for value in local_values(expr.id, method)]
    inner = [
        place.qualname(value.args[0].value.func)
        for value, place in made
        if isinstance(value, code.Call) and len(value.args) == 1 and isinstance(value.args[0].value, code.Call)
    ]
    return inner[0] if len(inner) == len(made) == 1 else ""


def _parts_of_proxies(actor: Actor) -> Iterator[Helper]:
    """The functions of the actor's parts that a proxy reaches."""
    for part in parts(actor):
        user = part.maker if part.maker in actor.methods else actor.methods[0]
        apart = {id(m) for m in _started(part.owner)}
        for method in part.owner.everything:
            if id(method) not in apart and not (method.name.startswith("__") and method.name.endswith("__")):
                yield Helper(method, Form.PART, user, part.made, part.maker, part.made, 1, asked=True)


def _started(owner: Actor) -> Iterator[Method]:
    """Functions of a class that it starts as a thread or task: what becomes of them there is nobody's answer."""
    for event in owner.events("spawn", inherited=True):
        found = owner.named(event.payload, event.method)
        if found is not None:
            yield found
