"""Framework knowledge as data: one TOML file a framework, read once.

The format is described in ``docs/frameworks.md``; users add their own under ``[tool.otplint.frameworks.NAME]`` with
the same keys.
"""

from __future__ import annotations

import difflib
import functools
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class FrameworkError(Exception):
    """A framework's data names an unknown key or has a value of the wrong type; the text is one line."""


EVENT_LOOPS = ("trio", "anyio", "tornado", "asyncio")
"""Frameworks whose loops run what lives by its shape, the more special first."""
BY_SHAPE = ("threads", *EVENT_LOOPS)
"""Frameworks whose data is about calls: where a receiver is unknown, the name of a method says nothing."""
SCHEDULERS = ("thread", "event-loop", "async-decides")
FAILURES = ("restart", "stop", "reply", "unseen", "isolated")
ENDS = ("failure", "exit")


@dataclass(frozen=True, slots=True)
class ActorKind:
    """What makes a class (or decorated function) an actor of this framework, and what a failure means there."""

    bases: tuple[str, ...] = ()
    """Dotted names of base classes and metaclasses."""
    decorators: tuple[str, ...] = ()
    """Dotted names of decorators; a call of the decorator counts too."""
    modules: tuple[str, ...] = ()
    """Dotted names of functions that are given a module to run: its functions are then the actor's."""
    passes_state: bool = False
    """True where the state is no attribute: handlers take it as their last parameter and give it back."""
    gives: str = ""
    """Type of what the decorator makes of a class (``ray.actor.ActorClass``), where it is no longer that class."""
    gives_function: str = ""
    """The same for a function."""
    handlers: tuple[str, ...] = ()
    """Names of methods that receive messages; ``receive_*`` means all that begin so."""
    handler_decorators: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    """Those of these decorators whose handlers nobody waits for: a failure goes to no caller."""
    tables: tuple[str, ...] = ()
    """Names of attributes and keyword arguments that hold dicts from message names to the methods that receive them."""
    public_methods: bool = False
    """True where every public method may be called through a proxy or handle."""
    loops: tuple[str, ...] = ()
    """Names of methods that run for the actor's whole life (``run``)."""
    starts: tuple[str, ...] = ("__init__",)
    stops: tuple[str, ...] = ()
    down_handlers: tuple[str, ...] = ()
    """Those handlers that are told when a watched actor goes down; any may be where none is named."""
    on_failure: tuple[str, ...] = ("unseen",)
    """What a failure in a handler leads to, from ``FAILURES``."""
    restarted_with: tuple[str, ...] = ()
    """Keywords of the decorator, or of the class it makes, that have the framework restart the actor when it dies."""
    restarted_after: str = "failure"
    """What a restart follows, from ``ENDS``: a failure of a handler, or only the exit of the actor's process."""
    beside_with: tuple[str, ...] = ()
    """Keywords of the decorator, or of the class it makes, that have several messages handled at once, each on a thread
    of its own."""
    own_process: bool = False
    """True where each actor is a process: threads and tasks that it starts end with it."""
    frees_worker: bool = False
    """True where a job that waits for another one lets others have its worker meanwhile."""
    several_at_once: bool = False
    """True where the actor is made with one of them."""
    stop_exceptions: tuple[str, ...] = ()
    """Exceptions by which the actor is told to stop, beside ``BaseException``'s own."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Types of attributes that the base class gives its instances, by name."""
    scheduler: str = "thread"
    """``thread`` where a handler may block its own thread, ``event-loop`` where it shares one, ``async-decides`` where
    one ``async def`` moves all of them to an event loop."""
    by_reference: bool = False
    """True where what a handler returns is the caller's as the very same object, neither copied nor pickled."""
    one_at_a_time: bool = False
    """True where the next message waits until a handler is done, also while that handler awaits something."""
    interleaved: tuple[str, ...] = ()
    """Decorators of functions that are handled beside others all the same."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What calling certain functions or methods does, in the language of actors."""

    role: str
    """``watch``, ``release``, ``call``, ``cast``, ``send``, ``reply``, ``spawn``, ``supervise`` ...: see ``ROLES``."""
    names: tuple[str, ...] = ()
    """Dotted names: ``package.function`` or ``package.Class.method``.

    For an object that takes any name for a message, ``package.Ref.*`` is a call of such a name (``ref.add(1)``), and
    ``package.Ref.*.tell`` one of a function of it (``ref.add.tell(1)``)."""
    target: str = ""
    """Parameter that names the other actor; ``receiver`` for the object before the dot."""
    payload: str = ""
    """Parameter that carries the message."""
    reference: str = ""
    """Parameter of a release that names what was watched."""
    timeout: str = ""
    """Parameter that bounds the wait; the call is unbounded without it unless ``bounded``."""
    bounded: bool = False
    by_reference: bool = False
    """True where the receiver gets the very same object, neither copied nor pickled."""
    for_end: bool = False
    """True where the wait is for the end of a thread or process rather than for an answer."""
    bounded_by: tuple[str, ...] = ()
    """Methods of the same object that bound the wait beforehand: ``settimeout``, or with what they must be given:
    ``setsockopt(RCVTIMEO)``."""
    at_once: tuple[str, ...] = ()
    """How its object may be made so that it does not wait: ``socket(SOCK_DGRAM)``."""
    nearby: tuple[str, ...] = ()
    """How its object may be made so that it only asks the same machine: with a limit that is over soon."""
    limits: tuple[str, ...] = ()
    """Parameters that set supervision, capacity or timing."""
    parameters: tuple[str, ...] = ()
    """Names of the positional parameters, in order."""
    returns: str = ""
    """Dotted type of the result."""
    unpacks: tuple[str, ...] = ()
    """Types of the parts of the result, for one that is unpacked: ``send, receive = open_memory_channel(0)``."""
    gives: str = ""
    """Parameter that the call gives back as it is."""
    flush: str = ""
    """Parameter that also throws away what was already queued."""
    delivery_releases: bool = True
    """False for a watch that is still there when its notice was delivered, and must be released even then."""
    undone_by: tuple[str, ...] = ()
    """Functions and methods that undo it, of the same object or of what it returns: it lasts until one is called."""
    repeats: bool = False
    """True for a timer that fires again and again until it is undone."""
    handle: str = ""
    """What a spawn gives to look after it by: one of ``HANDLES``; empty for another actor's address."""
    named: str = ""
    """Parameter that gives what is started a name by which others find it."""
    budget: tuple[str, ...] = ()
    """Parameters that bound how often something is restarted."""
    window: str = ""
    """Parameter with the seconds in which the restarts are counted."""
    own_budget: str = ""
    """Parameter of a child by which it is never restarted, and its value's last name: ``restart=TEMPORARY``."""
    stops: tuple[str, ...] = ()
    """Parameters that bound how often something is tried again; ``bounded`` says that it is without them."""
    pauses: tuple[str, ...] = ()
    """Parameters that make it wait in between."""
    paused: bool = False
    """True where it waits in between unless it is told otherwise."""
    never: tuple[str, ...] = ()
    """Values of those parameters by which nothing is bounded or waited for."""
    tied: str = ""
    """Parameter that ties what is started to an actor which learns of its end and ends it; ``receiver`` where whatever
    starts it does so (a nursery)."""


ROLES = (
    "watch", "release", "call", "cast", "send", "reply", "spawn", "supervise", "breaker", "retry", "timer", "put",
    "take", "queue", "sleep", "wait", "stop", "kill", "persist", "restore", "alive", "environment", "child", "lock",
    "log", "make", "callback", "subscribe", "block", "expose", "again", "foreign",
)  # fmt: skip
SETUP_ROLES = ("supervise", "breaker", "child", "retry")
"""Operations that make code worth a look although it is no actor."""
HANDLES = ("", "task", "future", "thread", "process", "timer", "pool")


@dataclass(frozen=True, slots=True)
class Framework:
    """One framework: tokens that betray it, kinds of actors, operations and message types."""

    name: str
    tokens: tuple[str, ...] = ()
    """Texts without one of which a file cannot hold an actor of it; ``a & b`` asks for both."""
    documentation: str = ""
    actors: tuple[ActorKind, ...] = ()
    operations: tuple[Operation, ...] = ()
    down: tuple[str, ...] = ()
    """Types of messages that say a watched actor went down."""
    down_made: tuple[str, ...] = ()
    """Calls that give the mark of such a message, with their argument: ``package.atom(DOWN)``."""
    call_failures: tuple[str, ...] = ()
    """Exceptions by which a call tells that it failed."""
    undelivered: tuple[str, ...] = ()
    """Those of them that tell that the request never reached its receiver."""
    open_circuits: tuple[str, ...] = ()
    """Exceptions by which a circuit breaker tells that it is open."""
    awaits: bool = False
    """True where the operations are coroutines: they wait where they are awaited, and hold no thread."""
    limit_keywords: tuple[str, ...] = ()
    """Keyword arguments that set a limit whatever function takes them."""
    test_markers: tuple[str, ...] = ()
    """Names of environment variables and settings that say a test is running."""


_LISTS = {"actor": ("actors", ActorKind), "operation": ("operations", Operation)}


def parse(name: str, data: Mapping[str, Any], where: str) -> Framework:
    """A framework from its table.

    :raises FrameworkError: naming ``where``, the key and the nearest known one.
    """
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key in _LISTS:
            attribute, kind = _LISTS[key]
            items = [value] if isinstance(value, Mapping) else value
            if not isinstance(items, list) or not all(isinstance(i, Mapping) for i in items):
                raise FrameworkError(f"{where}: '{key}' must be a table or a list of tables")
            several = len(items) > 1
            values[attribute] = tuple(
                _record(kind, item, f"{where}.{key} {number}" if several else f"{where}.{key}")
                for number, item in enumerate(items, 1)
            )
        else:
            values[key] = value
    values.pop("name", None)
    return _record(Framework, {"name": name, **values}, where)  # type: ignore[no-any-return]


def _record(kind: type[Any], data: Mapping[str, Any], where: str) -> Any:
    known = {f.name: f for f in fields(kind)}
    keys = [key for key in known if key not in ("actors", "operations")] + ([*_LISTS] if kind is Framework else [])
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key == "source":
            continue
        if key not in keys and not (kind is Framework and isinstance(value, tuple)):
            near = difflib.get_close_matches(key, keys, n=1)
            hint = f", did you mean '{near[0]}'?" if near else ""
            raise FrameworkError(f"{where}: unknown key '{key}'{hint}")
        values[key] = _value(str(known[key].type), value, f"{where}.{key}")
    if kind is Operation:
        _known_word(values.get("role", ""), ROLES, "role", where)
        _known_word(values.get("handle", HANDLES[1]), HANDLES[1:], "handle", where)
    elif kind is ActorKind:
        _known_word(values.get("scheduler", SCHEDULERS[0]), SCHEDULERS, "scheduler", where)
        _known_word(values.get("restarted_after", ENDS[0]), ENDS, "restarted_after", where)
        for failure in values.get("on_failure", ()):
            _known_word(failure, FAILURES, "on_failure", where)
    return kind(**values)


def _known_word(value: str, words: Iterable[str], key: str, where: str) -> None:
    if value not in words:
        near = difflib.get_close_matches(value, words, n=1)
        hint = f", did you mean '{near[0]}'?" if near else f"; it is one of {', '.join(words)}"
        raise FrameworkError(f"{where}: {key} '{value}' is not known{hint}" if value else f"{where}: {key} is missing")


def _value(expected: str, value: Any, where: str) -> Any:
    if expected.startswith("tuple"):
        if isinstance(value, tuple):
            return value
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise FrameworkError(f"{where}: a list of strings is expected")
        return tuple(value)
    if expected.startswith("Mapping"):
        if not isinstance(value, Mapping):
            raise FrameworkError(f"{where}: a table is expected")
        return dict(value)
    wanted = bool if expected == "bool" else str
    if not isinstance(value, wanted):
        raise FrameworkError(f"{where}: a {'boolean' if wanted is bool else 'string'} is expected")
    return value


@functools.cache
def shipped() -> tuple[Framework, ...]:
    """The frameworks that come with otplint, by name."""
    found = []
    for entry in sorted(Path(__file__).parent.glob("*.toml")):  # importlib.resources is slow to import
        data = tomllib.loads(entry.read_text(encoding="utf-8"))
        found.append(parse(entry.stem, data, entry.name))
    return tuple(found)


def with_users(tables: Mapping[str, Any]) -> tuple[Framework, ...]:
    """The shipped frameworks and those of the configuration; a user's table replaces a shipped one of its name."""
    users = {name: _with_tokens(_checked(name, table)) for name, table in tables.items()}
    return tuple([f for f in shipped() if f.name not in users] + [users[n] for n in sorted(users)])


def _checked(name: str, table: Mapping[str, Any]) -> Framework:
    from otplint.facts.frameworks.checks import check  # most projects have no table of their own

    framework = parse(name, table, f"frameworks.{name}")
    check(framework, f"frameworks.{name}")
    return framework


def _with_tokens(framework: Framework) -> Framework:
    """A framework without tokens is found by the packages that its names start with, and where these define them.

    In the package itself nobody writes its name: files there import each other with dots.
    """
    if framework.tokens:
        return framework
    made = [n for a in framework.actors for n in (*a.bases, *a.decorators)]
    made += [n for o in framework.operations if o.role in SETUP_ROLES for n in o.names]
    names = [*made, *[n for o in framework.operations for n in o.names]]
    defined = {f"{word} {part}" for n in made for part in n.split(".")[-2:] for word in ("class", "def")}
    return replace(framework, tokens=tuple(sorted({name.partition(".")[0] for name in names} | defined)))


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a method's name is one of those that a framework lists; ``receive_*`` stands for all that begin so."""
    return any(name == p or (p.endswith("*") and name.startswith(p[:-1]) and name != p[:-1]) for p in patterns)


class Vocabulary:
    """All frameworks together, by dotted name."""

    def __init__(self, frameworks: Iterable[Framework]) -> None:
        self.frameworks = tuple(frameworks)
        self.exact: dict[str, tuple[Framework, Operation]] = {}
        self.methods: dict[str, list[tuple[Framework, Operation, str]]] = {}
        self.bases: dict[str, tuple[Framework, ActorKind]] = {}
        self.decorators: dict[str, tuple[Framework, ActorKind]] = {}
        self.modules: dict[str, tuple[Framework, ActorKind]] = {}
        """The functions that run modules as actors."""
        self.messages: dict[tuple[str, str], tuple[Framework, Operation]] = {}
        """Calls by any name, by the type of the object and the name behind the message's: ``tell``, or empty."""
        made = {name for f in self.frameworks for o in f.operations for name in o.names}
        for framework in self.frameworks:
            for kind in framework.actors:
                self.bases.update(dict.fromkeys(kind.bases, (framework, kind)))
                self.decorators.update(dict.fromkeys(kind.decorators, (framework, kind)))
                self.modules.update(dict.fromkeys(kind.modules, (framework, kind)))
            for operation in framework.operations:
                for name in operation.names:
                    if ".*" in name:
                        owner, _, tail = name.partition(".*")
                        self.messages[owner, tail.removeprefix(".")] = (framework, operation)
                        continue
                    self.exact[name] = (framework, operation)
                    owner, _, method = name.rpartition(".")
                    if owner.rpartition(".")[2][:1].isupper() or owner in made:
                        self.methods.setdefault(method, []).append((framework, operation, owner))
        kinds = [kind for f in self.frameworks for kind in f.actors]
        self.decorating = frozenset(self.decorators).union(*(kind.handler_decorators for kind in kinds))
        """Decorators that make actors, or handlers of them."""
        self._callbacks = {n.rpartition(".")[2]: "" for n, (_, op) in self.exact.items() if op.role == "callback"}
        for package, token in self.tokens()[1]:
            if (name := token.decode().strip(".(")) in self._callbacks:
                self._callbacks[name] = package.decode()
        self.mailboxes = frozenset(n.rpartition(".")[0] for n, (_, op) in self.exact.items() if op.role == "take")
        """Types of what messages are taken from; ``async for`` goes through some of them."""
        self.references = frozenset(owner for owner, _ in self.messages)
        """Types of objects that take any name for a message."""
        self.down = frozenset(name for f in self.frameworks for name in f.down)
        self.call_failures = frozenset(name for f in self.frameworks for name in f.call_failures)
        self.open_circuits = frozenset(name for f in self.frameworks for name in f.open_circuits)
        self.undelivered = frozenset(name for f in self.frameworks for name in f.undelivered)
        self.limit_keywords = frozenset(name for f in self.frameworks for name in f.limit_keywords)
        self.test_markers = tuple(name for f in self.frameworks for name in f.test_markers)

    def callbacks_in(self, text: str) -> frozenset[str]:
        """The names of functions that hand a function to an event loop, as the text of a file may mean them.

        ``add_handler`` is so common that it counts only beside its package's name, as it does in :meth:`tokens`.
        """
        return frozenset(name for name, package in self._callbacks.items() if package in text)

    def tokens(self) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
        """What triage looks for: single tokens, and pairs that only count together."""
        single: list[bytes] = []
        pairs: list[tuple[bytes, bytes]] = []
        for token in sorted({t for f in self.frameworks for t in f.tokens}):
            first, _, second = token.partition(" & ")
            if second:
                pairs.append((first.encode(), second.encode()))
            else:
                single.append(first.encode())
        return single, pairs
