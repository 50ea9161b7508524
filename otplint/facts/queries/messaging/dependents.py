"""Who asks an actor: the calls of other code whose target or message is known to be that actor's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from otplint.facts.queries.messaging.entries import Entry
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_REQUESTS = ("call", "cast", "send")


def dependents(actor: Actor, entries: Sequence[Entry]) -> Iterator[tuple[Method, code.Call]]:
    """The first request of each other actor (or setup code) to this one: by its type, or by a message only it takes."""
    family = {actor.qualname, *[sub.qualname for sub in actor.subclasses()]}
    types = {type_ for entry in entries for type_ in entry.types}
    doors = {entry.name for entry in entries if entry.node is entry.method.code}
    for other in actor.facts.actors_holding(*{name.rpartition(".")[2] for name in (*family, *types)}):
        if other.qualname in family:
            continue
        found = next(_requests(other, family, types, doors), None)
        if found is not None:
            yield found


def _requests(other: Actor, family: set[str], types: set[str], doors: set[str]) -> Iterator[tuple[Method, code.Call]]:
    for method in other.methods:
        for call in method.calls:
            event = method.event(call)
            if event is not None and event.role in _REQUESTS:
                message, target = (other.values.type_of(part, method) for part in (event.payload, event.target))
                if message in types or target in family:
                    yield method, call
            elif (
                isinstance(call.func, code.Attr)
                and call.func.name in doors
                and other.values.type_of(call.func.base, method) in family
            ):
                yield method, call
