"""The one door for authors of rules: what a rule is, says about itself and returns.

A rule is one class in one file, named for the bad pattern (``broad_except_in_handler.py``). Its docstring serves the
reader of the source, ``otplint explain``, the documentation and SARIF alike, so the class checks it when it is
defined. Everything here is imported by every run: nothing heavy may be.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import re
import sys
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Protocol, TypeVar

from otplint.facts.actors import Actor, Use
from otplint.facts.edits import replaced, with_keyword, with_last, with_method, wrapped
from otplint.facts.facts import Facts
from otplint.facts.exceptions import catches_all, exception_types, suppressed_types
from otplint.facts.flow import Exit, Flow, Point
from otplint.facts.methods import Event, Method, Role
from otplint.facts.origins import Origin, origins
from otplint.facts.queries.failure.borrowed import helper_catches, helper_exits
from otplint.facts.queries.failure.catches import Catch, Reaction, catches
from otplint.facts.queries.failure.helpers import Form, Helper, helpers
from otplint.facts.queries.failure.judgement import hides, outcome
from otplint.facts.queries.failure.retries import Retry, Way, retries
from otplint.facts.queries.failure.stopping import (
    awaits_what_it_cancelled,
    ends_by_flag,
    goes_on,
    swallows_cancellation,
    swallows_exit,
)
from otplint.facts.queries.failure.wrapping import guards_what_is_given
from otplint.facts.queries.messaging.blocking import HeldLock, blocking, held_locks, seconds
from otplint.facts.queries.messaging.chains import Chain, chain
from otplint.facts.queries.messaging.checks import Check, alive_checks
from otplint.facts.queries.messaging.cycles import Cycle, calls_itself, cycles
from otplint.facts.queries.messaging.dependents import dependents
from otplint.facts.queries.messaging.fallbacks import Fallback, fallbacks
from otplint.facts.queries.messaging.messages import RawWrite, comes_with_message, raw_writes, requests, routes
from otplint.facts.queries.messaging.sharing import Shared, shared
from otplint.facts.queries.messaging.waits import Wait
from otplint.facts.queries.messaging.waits import unbounded as unbounded_waits
from otplint.facts.queries.state.acknowledged import Early, early_answers
from otplint.facts.queries.state.ambient import Ambient, ambient
from otplint.facts.queries.state.clusters import Cluster, Layout, layout, outermost, seams
from otplint.facts.queries.state.drains import Drained, drained
from otplint.facts.queries.state.growth import Growth, growths
from otplint.facts.queries.state.orders import Backwards, backwards
from otplint.facts.queries.state.volatile import Volatile, volatile
from otplint.facts.queries.supervision.budgets import Budget, RestartLoop, Sharer, budgets, restart_loops, sharers
from otplint.facts.queries.supervision.decisions import Decision, decisions, refuses
from otplint.facts.queries.supervision.environments import asks_for_tests
from otplint.facts.queries.supervision.handles import Fate
from otplint.facts.queries.supervision.instances import HeldInstance, held_instances
from otplint.facts.queries.supervision.promises import Promise, empty_promises
from otplint.facts.queries.supervision.relaxing import Relaxation, relaxations
from otplint.facts.queries.supervision.spawns import Spawn, colleagues, spawns, spawns_of
from otplint.facts.queries.tuning.fixed import Fixed
from otplint.facts.queries.tuning.limits import Limit, limits
from otplint.facts.queries.tuning.measures import Measure
from otplint.facts.queries.tuning.thresholds import Threshold, thresholds
from otplint.facts.queries.watching.deaths import Leftover, Overdue, StaleDown, leftovers, overdue, stale_downs
from otplint.facts.queries.watching.subscriptions import Leak, Loose, leaks
from otplint.facts.queries.watching.watches import Drop, Flaw, Watch, down_branches, watches
from otplint.facts.syntax import code
from otplint.facts.syntax import code as syntax  # in the body of a rule's class, its own ``code`` hides the module
from otplint.findings import Confidence, Edit, Finding, Fix, Option, Related, RuleInfo, Severity, Span

__all__ = [
    "API_VERSION",
    "SECTIONS",
    "Actor",
    "Ambient",
    "Backwards",
    "Budget",
    "Catch",
    "Chain",
    "Check",
    "Cluster",
    "Confidence",
    "Cycle",
    "Decision",
    "Drained",
    "Drop",
    "Early",
    "Edit",
    "Event",
    "Exit",
    "Facts",
    "Fallback",
    "Fate",
    "Finding",
    "Fix",
    "Fixed",
    "Flaw",
    "Flow",
    "Form",
    "Growth",
    "HeldInstance",
    "HeldLock",
    "Helper",
    "Layout",
    "Leak",
    "Leftover",
    "Limit",
    "Loose",
    "Measure",
    "Method",
    "Option",
    "OptionError",
    "Origin",
    "Overdue",
    "Place",
    "Point",
    "ProjectRule",
    "Promise",
    "RawWrite",
    "Reaction",
    "Related",
    "Relaxation",
    "RestartLoop",
    "Retry",
    "Role",
    "Rule",
    "RuleDefinitionError",
    "RuleInfo",
    "Severity",
    "Shared",
    "Sharer",
    "Span",
    "Spawn",
    "StaleDown",
    "Threshold",
    "Use",
    "Volatile",
    "Wait",
    "Watch",
    "Way",
    "alive_checks",
    "ambient",
    "asks_for_tests",
    "awaits_what_it_cancelled",
    "backwards",
    "blocking",
    "budgets",
    "calls_itself",
    "catches",
    "catches_all",
    "chain",
    "code",
    "colleagues",
    "comes_with_message",
    "cycles",
    "decisions",
    "dependents",
    "down_branches",
    "drained",
    "early_answers",
    "empty_promises",
    "ends_by_flag",
    "exception_types",
    "fallbacks",
    "goes_on",
    "growths",
    "guards_what_is_given",
    "held_instances",
    "held_locks",
    "helper_catches",
    "helper_exits",
    "helpers",
    "hides",
    "layout",
    "leaks",
    "leftovers",
    "limits",
    "origins",
    "outcome",
    "outermost",
    "overdue",
    "raw_writes",
    "refuses",
    "relaxations",
    "replaced",
    "requests",
    "restart_loops",
    "retries",
    "routes",
    "seams",
    "seconds",
    "shared",
    "sharers",
    "spawns",
    "spawns_of",
    "stale_downs",
    "suppressed_types",
    "swallows_cancellation",
    "swallows_exit",
    "syntax",
    "thresholds",
    "unbounded_waits",
    "volatile",
    "watches",
    "with_keyword",
    "with_last",
    "with_method",
    "wrapped",
]

API_VERSION = 1
"""A pack states the version that it was written for as its own ``API_VERSION``."""

SECTIONS = ("Why", "Harm", "Bad", "Good", "Limits", "Report")
"""Headings that every rule's docstring has, in this order."""

Value = bool | int | float | str | tuple[str, ...]
_Kind = TypeVar("_Kind", bool, int, float, str, tuple[str, ...])

_CODE = re.compile(r"[A-Z]{3,}\d{3,4}")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_HEADING = re.compile(rf"({'|'.join(SECTIONS)}):(?:[ \t]+(.*))?")
_PROOFS = ("", "same construct", "analogue", "exempt")
_FIXES = ("", "safe", "unsafe")


class RuleDefinitionError(TypeError):
    """A rule's class does not say what a rule must say."""


class OptionError(ValueError):
    """A setting for a rule that the rule does not have, or of the wrong type."""


class Place(Protocol):
    """A function (or a module's body) of the facts: it knows its name and where its nodes are."""

    @property
    def name(self) -> str:
        """The function's own name, e.g. ``handle_call``."""

    def span(self, node: syntax.Node, /) -> Span:
        """The region of ``node``: 1-based, in characters, the end exclusive."""


class Rule(ABC):
    """A query over the facts of one actor.

    A subclass sets :attr:`code`, :attr:`severity` and :attr:`confidence`, has a docstring of one summary sentence and
    the sections of :data:`SECTIONS`, and defines :meth:`check`. What is missing raises
    :class:`RuleDefinitionError` when the class is made. A base class that several rules share is declared with
    ``class Base(Rule, abstract=True)``.

    Args:
        options: the user's settings for this rule by option name; others keep their declared default.
        severity: the user's severity for this rule; none keeps the rule's own.

    Raises:
        OptionError: an option that the rule does not declare, or a value of another type than its default.
    """

    code: ClassVar[str]
    """``OTP201``: three or more capitals for the pack, then the number; never reused."""
    name: ClassVar[str]
    """``broad-except-in-handler``: taken from the name of the rule's file."""
    severity: ClassVar[Severity]
    confidence: ClassVar[Confidence]
    """Confidence of a finding for which ``check`` says nothing else."""
    frameworks: ClassVar[tuple[str, ...]] = ()
    """Frameworks whose actors the rule is asked about; empty for all."""
    about_tests: ClassVar[bool] = False
    """True for a rule about tests; any other is asked about no code in test files: nobody runs that live."""
    preview: ClassVar[bool] = False
    """Off unless it is selected."""
    options: ClassVar[tuple[Option, ...]] = ()
    proof: ClassVar[str] = ""
    """``same construct``, ``analogue`` or ``exempt``; empty where there is no fixture."""
    fix: ClassVar[str] = ""
    """``safe`` or ``unsafe`` where some findings come with a mechanical repair; empty where none does."""
    pack: ClassVar[str] = "otplint"
    """The distribution that ships the rule; set when the pack is loaded."""
    summary: ClassVar[str] = ""
    """The docstring's first sentence; set when the class is made."""
    abstract: ClassVar[bool] = True
    """Whether the class is only a base of rules; said with ``class Base(Rule, abstract=True)``."""
    sections: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """The docstring's sections by heading, dedented; set when the class is made."""

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: object) -> None:
        """Take the name from the file and check what the class says about itself."""
        super().__init_subclass__(**kwargs)
        cls.abstract = abstract
        if abstract:
            return
        if "name" not in vars(cls):
            cls.name = cls.__module__.rpartition(".")[2].replace("_", "-")
        _check_definition(cls)
        if cls.__doc__ is None and sys.flags.optimize > 1:
            return  # -OO took the docstrings away: the rule works, its page is empty
        cls.summary, sections = _read_docstring(cls)
        cls.sections = MappingProxyType(sections)

    def __init__(self, options: Mapping[str, object] | None = None, *, severity: Severity | None = None) -> None:
        self._severity = severity or type(self).severity
        self._fixed_severity = severity is not None
        self._values = _typed(type(self), options or {})

    @abstractmethod
    def check(self, actor: Actor) -> Iterator[Finding]:
        """The findings in one actor, in any order."""

    def info(self) -> RuleInfo:
        """What readers of a report need to know about the rule, with the user's severity."""
        return RuleInfo(
            code=self.code,
            name=self.name,
            severity=self._severity,
            confidence=self.confidence,
            summary=self.summary,
            sections=dict(self.sections),
            options=self.options,
            preview=self.preview,
            report=_report_item(self.sections.get("Report", "")),
            proof=self.proof,
            pack=self.pack,
            fix=self.fix,
            frameworks=self.frameworks,
        )

    def option(self, name: str, kind: type[_Kind]) -> _Kind:
        """The value of option ``name``, which is of type ``kind``: the user's, else the default.

        Raises:
            KeyError: the rule declares no such option.
            TypeError: the option is of another type.
        """
        value = self._values[name]
        if not isinstance(value, kind):
            raise TypeError(f"{type(self).__name__}: option {name!r} is a {type(value).__name__}, not {kind.__name__}")
        return value

    def finding(
        self,
        actor: Actor | None,
        function: Place,
        node: syntax.Node,
        *,
        problem: str,
        consequence: str = "",
        remedy: str = "",
        related: Iterable[tuple[Place, syntax.Node, str]] = (),
        confidence: Confidence | None = None,
        severity: Severity | None = None,
        fix: Fix | None = None,
    ) -> Finding:
        """A finding at ``node`` of ``function``.

        Args:
            actor: the actor that the finding is about; none for code outside actors.
            function: where the node stands; its name is the finding's handler.
            node: the smallest part that a reader would change: a header, a call, a name.
            problem: what is wrong here, one sentence with names from the code.
            consequence: what happens at run time.
            remedy: what to do.
            related: other places that tell part of the story, each with its function, node and a message.
            confidence: how sure this finding is, where it differs from the rule's.
            severity: how bad this finding is, where it differs from the rule's; the user's setting counts more.
            fix: a mechanical repair, inside of the finding's own file; the rule says so with :attr:`fix`.
        """
        return Finding(
            code=self.code,
            name=self.name,
            severity=self._severity if self._fixed_severity else severity or self._severity,
            confidence=confidence or self.confidence,
            span=function.span(node),
            problem=problem,
            consequence=consequence,
            remedy=remedy,
            actor="" if actor is None else actor.name,
            handler=function.name,
            framework="" if actor is None else actor.framework.name,
            related=tuple(Related(place.span(part), message) for place, part, message in related),
            fix=fix,
            pack=self.pack,
        )


class ProjectRule(Rule, abstract=True):
    """A query over all actors of a scan together: cycles of calls, who depends on whom."""

    def check(self, actor: Actor) -> Iterator[Finding]:  # noqa: ARG002  (the contract of all rules)
        """Nothing: one actor alone says nothing here."""
        return iter(())

    @abstractmethod
    def check_project(self, actors: Sequence[Actor]) -> Iterator[Finding]:
        """The findings over all actors, which come by file and place."""

    def check_functions(self, facts: Facts) -> Iterator[Finding]:  # noqa: ARG002
        """The findings in code that belongs to no actor; none for most rules."""
        return iter(())


def _check_definition(cls: type[Rule]) -> None:
    """Raise for a class that lacks a code, a name, a severity, a confidence or a check."""

    def wrong(what: str) -> RuleDefinitionError:
        return RuleDefinitionError(f"{cls.__module__}.{cls.__qualname__}: {what}")

    code = getattr(cls, "code", None)
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise wrong(f"code is {code!r}; set it to three or more capitals and three or four digits, e.g. 'OTP201'")
    if not _NAME.fullmatch(cls.name):
        raise wrong(f"its name would be {cls.name!r}; name the file for the bad pattern: broad_except_in_handler.py")
    if not isinstance(getattr(cls, "severity", None), Severity):
        raise wrong("no severity; set it to a Severity")
    if not isinstance(getattr(cls, "confidence", None), Confidence):
        raise wrong("no confidence; set it to a Confidence")
    if cls.proof not in _PROOFS:
        raise wrong(f"proof is {cls.proof!r}; it is one of {', '.join(map(repr, _PROOFS))}")
    if cls.fix not in _FIXES:
        raise wrong(f"fix is {cls.fix!r}; it is one of {', '.join(map(repr, _FIXES))}")
    if not all(isinstance(option, Option) for option in cls.options):
        raise wrong("options must be a tuple of Option")
    missing = [name for name in ("check", "check_project") if _is_abstract(cls, name)]
    if missing:
        raise wrong(f"no {missing[0]}(); define it, or declare the class with abstract=True")


def _is_abstract(cls: type[Rule], method: str) -> bool:
    return bool(getattr(getattr(cls, method, None), "__isabstractmethod__", False))


def _read_docstring(cls: type[Rule]) -> tuple[str, dict[str, str]]:
    """The summary and the sections of a rule's docstring, checked."""

    def wrong(what: str) -> RuleDefinitionError:
        return RuleDefinitionError(f"{cls.__module__}.{cls.__qualname__}: {what}")

    if "__doc__" not in vars(cls) or not cls.__doc__:
        raise wrong("no docstring; it needs a summary and the sections " + ", ".join(SECTIONS))
    head, sections = _split(inspect.cleandoc(cls.__doc__))
    summary = " ".join(head.split("\n\n")[0].split())
    if not summary.endswith(".") or re.search(r"[.!?] [A-Z]", summary):
        raise wrong(f"the docstring must begin with one sentence and its period, not {summary[:60]!r}")
    missing = [heading for heading in SECTIONS if not sections.get(heading)]
    if missing:
        raise wrong(f"the docstring lacks {', '.join(f'{heading}:' for heading in missing)}")
    if [heading for heading in sections if heading in SECTIONS] != list(SECTIONS):
        raise wrong(f"the docstring's sections must come in the order {', '.join(SECTIONS)}")
    for heading in ("Bad", "Good"):
        try:
            ast.parse(sections[heading])
        except (SyntaxError, ValueError) as error:
            raise wrong(f"the code under {heading}: does not parse: {error}") from error
    return summary, sections


def _split(text: str) -> tuple[str, dict[str, str]]:
    """The text before the first heading, and each section's text without its common indentation."""
    head: list[str] = []
    sections: dict[str, str] = {}
    lines = head
    heading = ""
    bodies: dict[str, list[str]] = {}
    for line in text.split("\n"):
        match = _HEADING.fullmatch(line)
        if match is None:
            lines.append(line)
            continue
        heading = match[1]
        lines = bodies.setdefault(heading, [])
        if match[2]:
            lines.append(match[2])
    for heading, body in bodies.items():
        first, rest = ("", body) if not body or body[0][:1].isspace() or not body[0] else (body[0], body[1:])
        inner = textwrap.dedent("\n".join(rest)).strip("\n")
        sections[heading] = "\n".join(part for part in (first, inner) if part).rstrip()
    return "\n".join(head), sections


def _report_item(section: str) -> str:
    """The item that the Report section names: its text up to the first stop or line end."""
    return re.split(r"[.:;\n]", section, maxsplit=1)[0].strip()


def _typed(cls: type[Rule], given: Mapping[str, object]) -> Mapping[str, Value]:
    """All option values of a rule: the given ones, checked, over the defaults."""
    values: dict[str, Value] = {option.name: option.default for option in cls.options}
    for key, value in given.items():
        if key not in values:
            near = difflib.get_close_matches(key, values, n=1, cutoff=0)
            hint = f"; did you mean {near[0]!r}?" if near else "; it has none"
            raise OptionError(f"{cls.code} {cls.name} has no option {key!r}{hint}")
        values[key] = _coerced(cls, key, values[key], value)
    return MappingProxyType(values)


def _coerced(cls: type[Rule], key: str, default: Value, value: object) -> Value:
    """``value`` as the type of ``default``: a list of strings becomes a tuple, an integer may stand for a float."""
    if isinstance(default, tuple):
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return tuple(value)
        wanted = "a list of strings"
    elif isinstance(default, float):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        wanted = "a number"
    else:
        if type(value) is type(default):
            return value
        wanted = {bool: "true or false", int: "a whole number", str: "a string"}[type(default)]
    raise OptionError(f"{cls.code} {cls.name}: option {key!r} must be {wanted}, not {value!r}")
