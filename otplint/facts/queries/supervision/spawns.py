"""What actor code starts beside itself, and whether anybody looks after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts import recognise, shapes
from otplint.facts.methods import Event
from otplint.facts.origins import origins
from otplint.facts.queries.supervision import bodies
from otplint.facts.queries.supervision.handles import Fate, Outcome, Trace
from otplint.facts.syntax import code
from otplint.facts.values import local_values

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.facts import Facts
    from otplint.facts.methods import Method

_STARTED_LATER = ("thread", "process", "timer")
_TIED = "it is linked to somebody who learns of its end, or its pool is left only when all is done"
_LEAVES = ("os._exit", "os.abort")


@dataclass(frozen=True, slots=True)
class Spawn:
    """A thread, task, process, pool or actor that actor code starts."""

    event: Event
    outcome: Outcome
    """What becomes of its handle, and where."""
    target: Method | None
    """The function that it runs, where the project defines it."""

    @property
    def kind(self) -> str:
        """As the framework data says: ``task``, ``thread`` ...; empty for an actor."""
        return self.event.operation.handle

    @property
    def fate(self) -> Fate:
        """What becomes of the handle."""
        return self.outcome.fate

    @property
    def runs_on(self) -> bool:
        """True where it runs a loop without an end, and not a job."""
        return self.target is not None and any(isinstance(s, code.While) for s in code.statements(self.target.body))

    @property
    def has_a_way_out(self) -> bool:
        """True where a loop of it may end by itself: whatever it asks may be told from anywhere."""
        return self.target is not None and any(map(_has_a_way_out, self.target.actor.reached(self.target)))

    @property
    def is_told_to_stop(self) -> bool:
        """True where its loop ends when another function of the actor says so: by a flag, or by a last message."""
        target = self.target
        if target is None:
            return False
        return any(_is_told_to_stop(m) for m in target.actor.reached(target))

    @property
    def ends_the_process(self) -> bool:
        """True where it ends by leaving the process, as a signal handler or a watchdog of the parent does."""
        target = self.target
        return target is not None and any(target.qualname(call.func) in _LEAVES for call in target.calls)

    @property
    def reports_failures(self) -> bool:
        """True where what it runs catches any error and tells somebody, by more than a log."""
        return self.target is not None and bodies.reports(self.target)

    @property
    def goes_on_by_itself(self) -> bool:
        """True where each round of its loop catches any error, says so, and the next one comes."""
        return self.target is not None and bodies.goes_on(self.target)

    @property
    def is_guarded(self) -> bool:
        """True where all that it runs is under a broad clause that logs or reacts."""
        return self.target is not None and bodies.is_guarded(self.target)

    @property
    def has_nothing_to_fail(self) -> bool:
        """True for a loop that only sleeps, logs and looks at tables, and for a thread that runs an event loop."""
        return self.target is not None and (bodies.keeps_books(self.target) or bodies.runs_a_loop(self.target))

    @property
    def fails_unseen(self) -> bool:
        """False where its failures are logged or cannot be; a dropped task may also be collected while it runs."""
        kept = self.kind != "task" or self.fate not in (Fate.DROPPED, Fate.FORGOTTEN)
        return not (self.goes_on_by_itself or self.has_nothing_to_fail or (kept and self.is_guarded))

    @property
    def ends_with_its_owner(self) -> bool:
        """True where it runs on an event loop or in a pool of the actor's that the actor stops."""
        return bodies.ended_by_its_owner(self.event)

    @property
    def is_the_end(self) -> bool:
        """True where the actor starts a part of its own end, and keeps it until that is over."""
        own = self.target is not None and bool(self.target.owner) and self.target.actor is self.event.method.actor
        return own and self.event.method.stops and self.fate is Fate.UNWATCHED

    @property
    def is_waited_out(self) -> bool:
        """True where the starter itself then runs the event loop, until it ends: ``loop.run_forever()``."""
        if self.kind not in ("task", "future") or self.fate is not Fate.FORGOTTEN:
            return False
        later = [c for c in self.event.method.calls if c.start > self.event.call.end]
        return any(isinstance(c.func, code.Attr) and c.func.name == "run_forever" for c in later)

    @property
    def is_listened_to(self) -> bool:
        """True where it is given an object made here (a queue, a stream) that the starter goes on to use.

        A queue, that is taken from round after round, where it is a task: it goes on as long as its starter.
        """
        method, call = self.event.method, self.event.call
        given = {e.id for a in call.args for e in code.walk(a.value) if isinstance(e, code.Name)}
        values = [value for name in given if method.is_local(name) for value in local_values(name, method)]
        given |= {e.id for value in values for e in code.walk(value) if isinstance(e, code.Name)}
        after = {e.id for e in method.exprs() if isinstance(e, code.Name) and e.start > call.end}
        if self.kind in ("task", "future"):
            after &= {name for loop in method.statements for name in _taken(loop, method)}
        elif self.kind not in ("thread", "process") or self.runs_on:
            return False
        return any(isinstance(v, code.Call) for name in given & after for v in local_values(name, method))

    @property
    def has_supervisors(self) -> bool:
        """True where the framework offers supervisors, so that to be found by a name is not enough."""
        return any(op.role in ("supervise", "child") for op in self.event.framework.operations)

    @property
    def is_named(self) -> bool:
        """True where others can find it by a name that it is given."""
        events = [self.event, *_made_by(self.event)]
        return any(e.operation.named and e.call.keyword(e.operation.named) is not None for e in events)


def _made_by(event: Event) -> Iterator[Event]:
    """The calls that make what is started, and may name it: ``Counter.options(name="c").remote()``."""
    receiver = event.argument("receiver")
    for origin in origins(receiver, event.method) if receiver is not None else ():
        made = origin.method.event(origin.expr)
        if made is not None and made.role == "make":
            yield made


def _taken(loop: code.Stmt, method: Method) -> Iterator[str]:
    """The variables that a loop takes from: ``items = q.get()``."""
    for call in code.calls(loop.body) if isinstance(loop, code.While) else ():
        base = call.func.base if isinstance(call.func, code.Attr) else None
        if isinstance(base, code.Name) and recognise.takes_from_queue(call, method):
            yield base.id


def spawns(actor: Actor) -> Iterator[Spawn]:
    """What the actor's own functions start, in order; one that several helpers pass on, once for each of them."""
    for method in actor.methods:
        yield from spawns_of(method)


def spawns_of(method: Method) -> Iterator[Spawn]:
    """What one function starts."""
    for event in method.events:
        if event.role == "spawn" and event.certain:
            if method.exempt(event.call, _TIED if _is_tied(event) else ""):
                continue
            starter = method if event.operation.handle in ("thread", "process") else None
            trace = Trace(event.operation.handle, starter=starter, since=event.call.end)
            fate = trace.fate(event.call, method)
            unstarted = event.operation.handle in _STARTED_LATER and not trace.started
            if method.exempt(event.call, "nothing starts it here" if unstarted else ""):
                continue
            target = bodies.runs(event)
            for outcome in trace.results(fate, event.call, method):
                yield Spawn(event, outcome, target)


def _is_tied(event: Event) -> bool:
    """Linked to an actor that learns of its end, or put into a pool that is left only when all is done."""
    tied = event.operation.tied
    if tied == "receiver" or (tied and event.call.keyword(tied) is not None):
        return True
    func = event.call.func
    pool = func.base if event.operation.handle == "future" and isinstance(func, code.Attr) else None
    return isinstance(pool, code.Name) and any(
        isinstance(bound, code.Name) and bound.id == pool.id
        for stmt in code.statements(event.method.body)
        if isinstance(stmt, code.With)
        for _, bound in stmt.items
    )


def _has_a_way_out(method: Method) -> bool:
    loops = [loop for loop in method.statements if isinstance(loop, code.While)]
    leaves = (code.Break, code.Return)
    return any(
        not isinstance(loop.test, code.Const) or any(isinstance(s, leaves) for s in code.statements(loop.body))
        for loop in loops
    )


def _is_told_to_stop(method: Method) -> bool:
    loops = [s for s in method.statements if isinstance(s, code.While)]
    for loop in loops:
        if shapes.ends_when_told(loop, method) or _asks_its_starter(loop, method) or _is_told_outside(loop, method):
            return True
    return _has_last_message(method)


def _is_told_outside(loop: code.While, method: Method) -> bool:
    """Whether code of the same file, outside of the class, sets the flag: ``monitor.stopped.set()``."""
    flags = {flag.partition(".")[0] for flag in shapes.flags_of(loop, method)}
    told = rf"(?<!\bself)\.(?:{'|'.join(sorted(map(re.escape, flags)))})(?:\.set\(|\.clear\(|\s*=(?!=))"
    return bool(flags) and re.search(told, method.source.text) is not None


def _asks_its_starter(loop: code.While, method: Method) -> bool:
    """``while not stop()`` for a ``stop`` that came as an argument."""
    names = {p.name for p in method.code.params} - {method.self_name}
    return any(isinstance(e, code.Name) and e.id in names for e in code.walk(loop.test))


def _has_last_message(method: Method) -> bool:
    """A loop over a queue that ends at a message of its own kind, which somebody puts, or when it is not to go on."""
    call = recognise.drains(method)
    if call is None:
        return False
    for stmt in method.statements:
        if isinstance(stmt, code.If) and any(isinstance(s, (code.Break, code.Return)) for s in stmt.body):
            return True
        if isinstance(stmt, code.While) and not isinstance(stmt.test, code.Const):
            return True
    return isinstance(method.parent(call), code.For)  # iter(queue.get, None)


def colleagues(actor: Actor) -> Iterator[Method]:
    """Functions outside of the actor that its own code runs, where they may start something.

    Module-level functions that it calls, wrappers by which its functions are decorated, and the functions of plain
    objects that it makes.
    """
    facts, seen = actor.facts, set[str]()
    for method in actor.methods:
        names = [method.qualname(_called(d)) for d in method.code.decorators]
        names += [method.qualname(call.func) for call in method.calls]
        for name in names:
            if name and name not in seen:
                seen.add(name)
                yield from _may_spawn(name, facts)


def _called(decorator: code.Expr) -> code.Expr:
    return decorator.func if isinstance(decorator, code.Call) else decorator


def _may_spawn(name: str, facts: Facts) -> Iterator[Method]:
    """The functions behind a name, where its text speaks of something that starts."""
    found = facts.project.find_function(name) or facts.project.find_class(name)
    if found is None or facts.is_test(found[0].path):
        return
    text = facts.source(found[0]).text[found[1].start : found[1].end]
    if _words(facts).search(text) is None:
        return
    function = facts.function(name)
    if function is not None:
        yield from function.actor.methods
        return
    owner = facts.owner(name)
    if owner is not None and not owner.is_actor:
        yield from owner.methods


def _words(facts: Facts) -> re.Pattern[str]:
    last = {n.rpartition(".")[2] for n, (_, op) in facts.vocabulary.exact.items() if op.role == "spawn"}
    return re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, last)))})\b")
