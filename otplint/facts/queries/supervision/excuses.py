"""Why nobody has to look after what an actor starts, or may not have to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otplint.facts.queries.supervision.bodies import may_come_again
from otplint.facts.queries.supervision.handles import Fate

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.queries.supervision.spawns import Spawn

IN_PROCESS = ("task", "future", "thread")
"""What ends with the process that started it."""


def spawn_excuse(spawn: Spawn, actor: Actor) -> str:
    """Why nobody has to look after what is started; empty where somebody should."""
    kind, fate = spawn.kind, spawn.fate
    if fate is Fate.KEPT:
        return "its handle is waited for, cancelled, asked or returned, or given to somebody who may do so"
    if spawn.ends_the_process:
        return "it ends by leaving the process, as a watchdog does"
    if kind in ("thread", "process") and fate in (Fate.UNWATCHED, Fate.GLANCED) and spawn.is_told_to_stop:
        return "its loop ends when the actor tells it to"
    if actor.kind.own_process and kind in IN_PROCESS and not spawn.fails_unseen:
        return "it survives its failures, and ends with the process that the actor is"
    idle = kind == "pool" and fate is not Fate.UNWATCHED
    return "a pool that nothing keeps only works for what it was made for" if idle else ""


def spawn_doubt(spawn: Spawn, actor: Actor) -> str:
    """Why it may be looked after all the same; empty where nothing speaks for that."""
    kind = spawn.kind
    if kind in ("thread", "process") and spawn.is_told_to_stop:
        return "its loop ends when the actor tells it to"
    if kind == "timer":
        return "a timer runs once, and then is over"
    if kind == "pool":
        return "its threads end when the pool is collected, at the latest with the process"
    if spawn.reports_failures:
        return "what it runs catches any error and tells somebody"
    if kind in IN_PROCESS and not spawn.fails_unseen and not may_come_again(actor):
        return "it survives its failures, and nobody is known to start the actor again beside it"
    if spawn.is_the_end:
        return "it is part of the actor's own end, and is kept until that is over"
    if spawn.is_waited_out:
        return "its starter then runs the event loop itself, and holds it until the loop ends"
    if spawn.fate is not Fate.GLANCED and spawn.is_listened_to:
        return "it is a job that is given an object which its starter goes on to use"
    return "others can find it by its name" if spawn.is_named and not spawn.has_supervisors else ""
