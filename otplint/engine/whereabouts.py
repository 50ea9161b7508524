"""To which actors a line of a file belongs, and why it belongs to none."""

from __future__ import annotations

import builtins
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from otplint.api import Actor, Facts, Method, Role
from otplint.facts.index.entries import ClassEntry, FunctionEntry, ModuleIndex, Unparsable
from otplint.facts.syntax import code

_ROLES = {
    Role.HANDLER: "a handler",
    Role.LOOP: "the loop it lives by",
    Role.START: "runs when it starts",
    Role.STOP: "runs when it stops",
    Role.NESTED: "a function inside another one",
    Role.HELPER: "a helper",
    Role.SETUP: "",
}
_PLAIN = {"object", "abc.ABC", "typing.Generic", "Generic", "typing.Protocol", "Protocol"}


@dataclass(frozen=True, slots=True)
class Owner:
    """One actor that a line belongs to, or code that only sets supervision up."""

    name: str
    """Qualified name inside the module."""
    path: str
    """Its file: of a mixin's function it is another one."""
    framework: str
    evidence: str
    """Why it counts as an actor: "derives from pykka.ThreadingActor"."""
    is_actor: bool
    in_test_file: bool
    function: str = ""
    """The function around the line; empty for the class's own statements."""
    role: str = ""
    """What that function is to the actor, in words."""
    at_work: bool = True
    """Whether that function runs while the actor handles messages."""


def owners(index: ModuleIndex, others: Sequence[ModuleIndex], line: int, facts: Facts) -> list[tuple[Actor, Owner]]:
    """The actors that a line belongs to: those of its file around it, and those of other files that run its function.

    Args:
        index: of the line's file.
        others: of the files whose actors may run its functions.
        line: counts from 1.
        facts: of the project.
    """
    found: list[tuple[Actor, Owner]] = []
    for each in (index, *others):
        with contextlib.suppress(Unparsable, RecursionError):
            for actor in facts.actors(each):
                owner = _owner(actor, index, line)
                if owner is not None:
                    found.append((actor, owner))
    inner = [pair for pair in found if pair[1].function]
    return inner or found


def _owner(actor: Actor, index: ModuleIndex, line: int) -> Owner | None:
    around = [m for m in actor.everything if m.source.path == index.path and line in lines_of(m)]
    if not around and not (actor.path == index.path and _in_statements(actor, index, line)):
        return None
    method = max(around, key=lambda m: lines_of(m).start, default=None)
    if method is not None and method.name == "<module>":
        method = None
    return Owner(
        actor.name,
        actor.path,
        actor.framework.name,
        actor.evidence,
        actor.is_actor,
        actor.in_test_file,
        "" if method is None else method.title,
        "" if method is None or not actor.is_actor else _ROLES[method.role],
        at_work=method is None or not actor.is_actor or method in actor.working or method.role is not Role.HELPER,
    )


def unknown_calls(found: Sequence[tuple[Actor, Owner]], index: ModuleIndex, line: int) -> tuple[str, ...]:
    """The calls on a line that no framework's data know: whatever they do, no rule about operations looks at them."""
    names: dict[str, None] = {}
    for actor, _ in found:
        for method in actor.everything:
            if method.source.path == index.path and line in lines_of(method):
                for call in method.calls:
                    plain = actor.own_method(call, method) is None and not hasattr(builtins, code.dotted(call.func))
                    if plain and method.event(call) is None and method.span(call.func).line == line:
                        names[method.text(call.func)] = None
    return tuple(names)


def lines_of(method: Method) -> range:
    """The lines of a function, decorators included."""
    if method.name == "<module>":
        lines = [method.span(s) for s in method.statements]
        return range(min((s.line for s in lines), default=1), max((s.end_line for s in lines), default=0) + 1)
    heads = [method.code.start, *[d.start for d in method.code.decorators]]
    ends = [method.code.end]
    for stmt in code.statements(method.body, nested=True):
        ends += [stmt.end, *[e.end for e in code.expressions(stmt)]]
    position = method.source.lines.position
    return range(position(min(heads))[0], position(max(ends))[0] + 1)


def _in_statements(actor: Actor, index: ModuleIndex, line: int) -> bool:
    """Whether the line is in the actor's region, outside of its functions."""
    source = actor.source
    entries: Sequence[ClassEntry | FunctionEntry] = (*index.classes, *index.functions)
    return any(
        source.lines.position(e.start)[0] <= line <= source.lines.position(e.end)[0]
        for e in entries
        if e.qualname == actor.name
    )


def no_actor(index: ModuleIndex, line: int, facts: Facts) -> str:
    """Why a line belongs to no actor, as a sentence."""
    source = facts.source(index)
    position = source.lines.position
    entries: Sequence[ClassEntry | FunctionEntry] = (*index.classes, *index.functions)
    around = [e for e in entries if position(e.start)[0] <= line <= position(e.end)[0]]
    entry = max(around, key=lambda e: e.start, default=None)
    if entry is None:
        return "This line is at module level, outside of any class or function."
    decorators = ", ".join(f"@{d}" for d in entry.decorators)
    if isinstance(entry, FunctionEntry):
        known = f"none of its decorators {decorators} makes one" if decorators else "no decorator makes it one"
        return f"Function {entry.qualname} is no actor: {known}, and it drains no queue in a loop."
    bases = [written for written in entry.bases if written not in _PLAIN and not hasattr(builtins, written)]
    by_base = f"it derives from {', '.join(entry.bases) or 'nothing'}"
    if bases:
        seen = "; ".join(_base(written, index, facts) for written in bases)
        by_base = f"none of its bases is known as one ({seen})"
    by_decorator = f", nor does a decorator make it one ({decorators})" if decorators else ""
    return (
        f"Class {entry.qualname} is no actor: {by_base}{by_decorator}, and it lives by no loop "
        "(one that drains a queue, runs until it is told to stop, or is started as a thread or task) and by no "
        "callbacks of an event loop."
    )


def _base(written: str, index: ModuleIndex, facts: Facts) -> str:
    qualified = facts.project.resolve(index.module, written)
    ancestry = [*_foreign(qualified, facts)]
    if facts.project.find_class(qualified) is None:
        return f"{qualified or written} is not in the project and in no framework's data"
    if ancestry:
        return f"{written} leads to {', '.join(ancestry)}, which no framework's data name"
    return f"{written} is a plain class of the project"


def _foreign(qualified: str, facts: Facts) -> Iterator[str]:
    """The bases of a class that are outside of the project."""
    for name in facts.project.mro(qualified):
        if facts.project.find_class(name) is None and name not in _PLAIN and "." in name:
            yield name
