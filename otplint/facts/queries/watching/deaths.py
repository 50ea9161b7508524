"""What an actor does when it is told that a watched actor went down: what it acts on, and what it fails to clean up."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.exceptions import exception_types, suppressed_types
from otplint.facts.methods import Event, Method, Role
from otplint.facts.queries.failure.catches import logged
from otplint.facts.queries.slices import behind, related
from otplint.facts.queries.watching.identity import identities
from otplint.facts.queries.watching.releases import asks_alive, target_failed
from otplint.facts.queries.watching.routes import Route, Step, down_branches, down_types, routes, tests_for
from otplint.facts.queries.watching.watches import Flaw, Watch
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor, Use
    from otplint.facts.flow import Point

_TELLS = ("call", "cast", "send", "spawn", "child", "stop", "kill", "persist", "put", "reply")
_MISSING = {"KeyError", "LookupError", "IndexError", "ValueError", "Exception", "BaseException"}
_REMOVES = {"pop", "remove", "discard", "popitem", "clear", "popleft", "difference_update", "intersection_update"}
_LOOKS = {"len", "str", "repr", "bool", "any", "all", "print", "isinstance", "sorted", "list", "tuple", "set",
          "dict", "iter", "max", "min", "sum", "format", "id", "type", "getattr", "hasattr", "int"}  # fmt: skip
_PLAIN = {"", "dict", "list", "set", "collections.deque", "collections.defaultdict", "collections.OrderedDict",
          "collections.Counter", "typing.Dict", "typing.List", "typing.Set", "typing.DefaultDict",
          "collections.abc.MutableMapping", "collections.abc.MutableSet"}  # fmt: skip


class Answer(NamedTuple):
    """Something that a DOWN handler does as if an actor that it cares for had just died."""

    place: Step
    certain: bool
    """False for a call of code whose effect is not known."""


class StaleDown(NamedTuple):
    """A release that leaves an already queued DOWN behind, and what its handler will do with it."""

    event: Event
    answers: tuple[Answer, ...]


class Leftover(NamedTuple):
    """A table of the actor, filled for watched actors, whose entries stay when those go down."""

    watch: Watch
    insertion: Use
    downs: tuple[Step, ...]
    """Where DOWN is handled; none where nothing handles it."""
    removals: tuple[Step, ...]
    """Where entries leave it on other occasions."""


def all_watches(actor: Actor) -> list[Watch]:
    """The watches of an actor, those of its bases included."""
    if not actor.is_actor:
        return []
    family = (actor, *actor.subclasses())
    return [Watch(actor, event, family) for event in actor.events("watch", inherited=True)]


# -- a DOWN that comes too late


def stale_downs(actor: Actor) -> Iterator[StaleDown]:
    """The releases whose target's DOWN may be queued already and is taken for a death."""
    releasing = [e for e in actor.events("release") if e.operation.flush]
    hasty = [e for e in releasing if not e.method.exempt(e.call, _leaves_nothing(actor, e))]
    if not hasty:
        return
    records = frozenset(a for w in all_watches(actor) for a in w.homes | w.keyed)
    for event in hasty:
        released = behind(event.argument(event.operation.reference), event.method).attributes
        answers = tuple(_answers(actor, event, records | released))
        if answers:
            yield StaleDown(event, answers)
        else:
            event.method.exempt(event.call, "what handles DOWN asks the actor's record first, or changes nothing")


def _leaves_nothing(actor: Actor, event: Event) -> str:
    """Why a release leaves no queued DOWN behind that is acted on later; empty where it may."""
    if any(arg.star for arg in event.call.args):
        return "its arguments cannot be told"
    flush = event.call.argument(len(event.operation.parameters), event.operation.flush)
    if flush is not None and not (isinstance(flush, code.Const) and not flush.value):
        return f"it throws away a queued DOWN ({event.operation.flush})"
    up = event.method.parent(event.call)
    if isinstance(up, code.Await):
        up = event.method.parent(up)
    if not isinstance(up, (code.Do, code.Return)):
        return "what the release answers is looked at"
    if not any(_lives_on(r) for r in routes(actor, event.method, event.call)):
        return "the actor is stopping there, or answers a DOWN itself: nothing is left to flush"
    return "" if down_branches(actor) else "nothing of the actor handles a DOWN"


def _lives_on(route: Route) -> bool:
    """True for a way on which the actor goes on afterwards, and which does not answer a DOWN itself."""
    return route.entry.role is not Role.STOP and not route.entry.stops and not route.on_down


def _answers(actor: Actor, release: Event, records: frozenset[str]) -> Iterator[Answer]:
    forgets = [u for u in actor.uses if u.removes and _shares_path(actor, release, u)]
    emptied = {u.attribute for u in forgets}
    for node, method, certain in _effects(actor, emptied):
        for route in routes(actor, method, node):
            if route.on_down and not _asks_record(route, records):
                yield Answer(Step(method, node), certain)
                break


def _shares_path(actor: Actor, release: Event, use: Use) -> bool:
    return any(r.passes(use.node, use.method) for r in routes(actor, release.method, release.call) if not r.on_down)


def _effects(actor: Actor, emptied: set[str]) -> Iterator[tuple[code.Node, Method, bool]]:
    """What changes something: state, another actor, the actor itself. To remove what is not there changes nothing."""
    for use in actor.uses:
        fails = use.removes and use.attribute in emptied and _must_be_there(use)
        if use.adds or use.kind in ("write", "update") or (fails and not _caught(use.node, use.method)):
            yield use.node, use.method, True
    for method in actor.everything:
        known = {id(e.call): e for e in method.events}
        for call in method.calls:
            event = known.get(id(call))
            if event is not None and event.role in _TELLS:
                yield call, method, True
            elif event is None and _may_act(call, method):
                yield call, method, False
        for stmt in method.statements:
            if isinstance(stmt, code.Raise) and stmt.error is not None:
                yield stmt, method, True


def _must_be_there(use: Use) -> bool:
    """True for a removal that raises where the entry is gone."""
    match use.node:
        case code.Call(func=code.Attr(name="pop"), args=args):
            return len(args) == 1
        case code.Call(func=code.Attr(name="remove")):
            return True
    return isinstance(use.node, code.Sub)


def _caught(node: code.Node, method: Method) -> bool:
    """True where a ``KeyError`` and its like is caught around ``node``."""
    below: code.Node = node
    for up in method.above(node):
        if isinstance(up, code.Try) and any(below is s for s in up.body):
            types = [t for h in up.handlers for t in exception_types(h.type)]
            if any(h.type is None for h in up.handlers) or any(_is_missing(t) for t in types):
                return True
        elif isinstance(up, code.With):
            for context, _ in up.items:
                if any(_is_missing(t) for t in suppressed_types(context) or ()):
                    return True
        below = up
    return False


def _is_missing(type_: code.Expr) -> bool:
    return code.dotted(type_).rpartition(".")[2] in _MISSING


def _may_act(call: code.Call, method: Method) -> bool:
    """True for a call of unknown code on something of the actor's, or with something of the message."""
    if method.actor.own_method(call, method) is not None or logged(call, method) is not None:
        return False
    name = method.qualname(call.func)
    last = code.dotted(call.func).rpartition(".")[2]
    if name.removeprefix("builtins.") in _LOOKS or last[:1].isupper() or method.actor.facts.owner(name) is not None:
        return False
    if not isinstance(call.func, code.Attr) or not method.own_attribute(call.func.base):
        return False
    silent = _REMOVES | {"get", "values", "items", "keys", "copy", "append", "add", "setdefault", "update", "insert"}
    return last not in silent


def _asks_record(route: Route, records: frozenset[str]) -> bool:
    """True where the way asks the actor's record of its watches, by a test or by a look-up that may fail."""
    for condition in route.conditions:
        asked = behind(condition.test, condition.method)
        if asked.touches(records):
            return True
    for step in route.steps:
        looked = frozenset(id(u.node) for u in route.actor.uses if _looks_up(u, records))

        def asks(point: Point, looked: frozenset[int] = looked) -> bool:
            return id(point.node) in looked

        if looked and step.method.flow.always_before(asks, step.node):
            return True
    return False


def _looks_up(use: Use, records: frozenset[str]) -> bool:
    """A look-up or removal that raises, and is caught, where the record does not know the watch."""
    known = any(related(use.attribute, record) for record in records)
    raises = use.removes and _must_be_there(use)
    return known and raises and _caught(use.node, use.method)


# -- watches that outlive their notice


class Overdue(NamedTuple):
    """A DOWN handler that forgets the watched actor and leaves the watch, which the notice has not ended."""

    watch: Watch
    branch: Step
    drop: Step


def overdue(actor: Actor) -> Iterator[Overdue]:
    """The DOWN handlers of an actor that must release and do not; none where delivery ends the watch."""
    kept = [w for w in all_watches(actor) if not w.method.exempt(w.call, _over_with_notice(w))]
    releasing = {id(r.call) for w in kept for r in w.releases}
    seen: set[int] = set()
    for branch in down_branches(actor) if kept else ():
        if branch.method not in actor.methods or id(branch.method.code) in seen:
            continue
        for method in actor.everything:
            for node, _ in _taken_from(method):
                ways = [r for r in routes(actor, method, node) if r.on_down and r.entry is branch.method]
                if any(releasing & r.nodes.keys() for r in ways):
                    branch.method.exempt(branch.node, "it releases the watch as well")
                elif ways and id(branch.method.code) not in seen:
                    seen.add(id(branch.method.code))
                    yield Overdue(kept[0], branch, Step(method, node))


def _over_with_notice(watch: Watch) -> str:
    """Why nothing is to be released when the notice comes; empty where something is."""
    if watch.event.operation.delivery_releases:
        return f"in {watch.event.framework.name} a delivered DOWN has ended its watch"
    if watch.flaw is Flaw.UNRELEASED:
        return "nothing releases it at all, which is OTP101's matter"
    return "nothing keeps its reference, which is OTP102's matter" if watch.flaw is Flaw.DISCARDED else ""


# -- tables that keep the dead


def leftovers(actor: Actor) -> Iterator[Leftover]:
    """The tables keyed by a watched actor, or by its watch, that no DOWN cleans; each table once."""
    seen: set[str] = set()
    here = {id(m.code) for m in actor.methods}
    for watch in all_watches(actor):
        downs = tuple({id(s.node): s for a in watch.family for s in down_branches(a)}.values())
        settled = _needs_no_cleaning(watch, downs)
        for use in _filled_for(watch):
            if use.attribute in seen or id(use.method.code) not in here or use.method.exempt(use.node, settled):
                continue
            table = _Table(watch, use)
            if not use.method.exempt(use.node, table.is_cleaned):
                seen.add(use.attribute)
                yield Leftover(watch, use, downs, tuple(Step(u.method, u.node) for u in table.removals))


def _needs_no_cleaning(watch: Watch, downs: tuple[Step, ...]) -> str:
    """Why the tables of a watch need no cleaning when its target goes down; empty where they do."""
    if watch.is_awaited:
        return "the watch waits for the end of its target, which is dealt with there"
    if any(_stops_on_down(a) for a in watch.family):
        return "a DOWN ends the actor, and its tables with it"
    return "the watch itself is reported (OTP101, OTP102 or OTP103)" if watch.flaw and not downs else ""


def _stops_on_down(actor: Actor) -> bool:
    """True where a DOWN, whosesoever it is, ends the actor and its tables with it."""
    down = down_types(actor)
    return any(
        r.on_down and all(not c.outcome or tests_for(c, down) for c in r.conditions)
        for method in actor.everything
        for stmt in method.statements
        if isinstance(stmt, code.Raise) and stmt.error is not None
        for r in routes(actor, method, stmt)
    )


def _filled_for(watch: Watch) -> Iterator[Use]:
    """Insertions, on the way of the watch, under the watched actor or its reference."""
    target = watch.event.target
    wanted = identities(target, watch.method) if target is not None else frozenset()
    stored = {id(f.node) for f in watch.fates if f.kind == "stored" and f.inside}
    for route in watch.routes:
        if not (route.entry.role in (Role.HANDLER, Role.LOOP) or route.on_down):
            continue
        for use in route.actor.uses:
            if not (use.adds or (use.kind == "update" and use.key is not None)):
                continue
            if not route.passes(use.node, use.method):
                continue
            statement = use.method.statement(use.node)
            keyed = use.key is not None and bool(identities(use.key, use.method) & wanted)
            if keyed or id(statement) in stored or id(use.node) in stored:
                yield use


def _is_table(actor: Actor, attribute: str) -> bool:
    """True unless what it holds is known to be something else than a plain container: weak, bounded, of a library."""
    if "." in attribute:
        return False
    for value, annotation, method in actor.assigned(attribute):
        if annotation is not None and any("weak" in code.dotted(e).lower() for e in code.walk(annotation)):
            return False
        if isinstance(value, code.Call):
            name = method.qualname(value.func).removeprefix("builtins.")
            bounded = name.endswith("deque") and value.argument(1, "maxlen") is not None
            if name not in _PLAIN or bounded:
                return False
    own = next(m for m in actor.everything if m.self_name)
    type_ = actor.values.type_of(code.Attr(0, 0, code.Name(0, 0, own.self_name), attribute), own)
    return type_.removeprefix("builtins.") in _PLAIN


class _Table:
    """One table of the actor, and what takes entries out of it."""

    def __init__(self, watch: Watch, insertion: Use) -> None:
        self.watch = watch
        self.insertion = insertion

    def _is_it(self, attribute: str) -> bool:
        return related(attribute, self.insertion.attribute)

    @cached_property
    def removals(self) -> list[Use]:
        """Where entries leave it."""
        return [u for a in self.watch.family for u in a.uses if u.removes and self._is_it(u.attribute)]

    @property
    def is_cleaned(self) -> str:
        """What cleans it, in words: a DOWN may change it, something sweeps it, or nobody knows who does."""
        name = self.insertion.attribute
        if not _is_table(self.watch.actor, name):
            return f"{name} is no plain table: weak, bounded, or a class's own"
        for actor in self.watch.family:
            for use in actor.uses:
                if self._is_it(use.attribute) and self._sweeps(use):
                    return f"{use.method.title} sweeps {name}"
                if self._is_it(use.attribute) and self._answers(actor, use):
                    return f"a DOWN may come to {use.method.title}, which changes {name} or hands it on"
        hidden = any(self._hidden(actor) for actor in self.watch.family)
        return f"a DOWN may reach {name} under another name" if hidden else ""

    def _answers(self, actor: Actor, use: Use) -> bool:
        """True for a change of the table, also a mark of death, on a way that a DOWN may take."""
        if use.node is self.insertion.node or use.kind in ("lookup", "test"):
            return False
        if use.kind == "read" and not _handed_on(use):
            return False
        if use.kind == "write" and use.method.role is Role.START and use.method.name == "__init__":
            return False
        return any(r.may_be_down for r in routes(actor, use.method, use.node))

    def _sweeps(self, use: Use) -> bool:
        """True for a removal that asks no message which entry goes: all of them, the oldest, the dead ones."""
        if use.kind == "write":
            return use.method.role is not Role.START and not use.method.stops
        if not use.removes or use.method.stops:
            return False
        if use.kind == "clear" or (_called(use.node) in ("popitem", "popleft")):
            return True
        if use.key is not None and behind(use.key, use.method).touches({use.attribute}):
            return True
        for route in routes(use.method.actor, use.method, use.node):
            if any(asks_alive(c) for c in route.conditions) or any(target_failed(s) for s in route.steps):
                return True
        return False

    def _hidden(self, actor: Actor) -> bool:
        """True where a DOWN may reach a removal from something that is this table under another name."""
        for method in actor.everything:
            for node, base in _taken_from(method):
                if method.own_attribute(base) or not behind(base, method).touches({self.insertion.attribute}):
                    continue
                if any(r.may_be_down for r in routes(actor, method, node)):
                    return True
        return False


def _taken_from(method: Method) -> Iterator[tuple[code.Node, code.Expr]]:
    for call in method.calls:
        if isinstance(call.func, code.Attr) and call.func.name in _REMOVES:
            yield call, call.func.base
    for stmt in method.statements:
        if isinstance(stmt, code.Delete):
            for target in stmt.targets:
                if isinstance(target, code.Sub):
                    yield target, target.base


def _called(node: code.Node) -> str:
    return node.func.name if isinstance(node, code.Call) and isinstance(node.func, code.Attr) else ""


def _handed_on(use: Use) -> bool:
    """True where the table is an argument of a call that may change it."""
    up = use.method.parent(use.node)
    if not isinstance(up, code.Call) or up.func is use.node:
        return isinstance(up, (code.Return, code.Seq, code.For))
    return use.method.qualname(up.func).removeprefix("builtins.") not in _LOOKS
