"""A rule: what it is, says about itself and returns."""

from __future__ import annotations

import difflib
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Generic, Protocol, TypeVar

from otplint.api.definition import check_definition, read_docstring, report_item
from otplint.facts.actors import Actor
from otplint.facts.facts import Facts
from otplint.facts.index.entries import ModuleIndex
from otplint.facts.syntax import nodes
from otplint.findings import Confidence, Finding, Fix, Option, Related, RuleInfo, Severity, Span

API_VERSION = 1
"""A pack states the version that it was written for as its own ``API_VERSION``."""

Value = bool | int | float | str | tuple[str, ...]
_Note = TypeVar("_Note")
_Kind = TypeVar("_Kind", bool, int, float, str, tuple[str, ...])


class OptionError(ValueError):
    """A setting for a rule that the rule does not have, or of the wrong type."""


class Place(Protocol):
    """A function (or a module's body) of the facts: it knows its name and where its nodes are."""

    @property
    def name(self) -> str:
        """The function's own name, e.g. ``handle_call``."""

    def span(self, node: nodes.Node, /) -> Span:
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
        check_definition(cls)
        if cls.__doc__ is None and sys.flags.optimize > 1:
            return  # -OO took the docstrings away: the rule works, its page is empty
        cls.summary, sections = read_docstring(cls)
        cls.sections = MappingProxyType(sections)

    def __init__(self, options: Mapping[str, object] | None = None, *, severity: Severity | None = None) -> None:
        self._severity = severity or type(self).severity
        self._fixed_severity = severity is not None
        self._values = _typed(type(self), options or {})

    @abstractmethod
    def check(self, actor: Actor) -> Iterator[Finding]:
        """The findings in one actor, in any order; of several at one place the surest is reported."""

    def check_file(self, index: ModuleIndex, facts: Facts) -> Iterator[Finding]:  # noqa: ARG002
        """The findings in a file's functions, be they an actor's or not; none for most rules."""
        return iter(())

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
            report=report_item(self.sections.get("Report", "")),
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
        node: nodes.Node,
        *,
        problem: str,
        consequence: str = "",
        remedy: str = "",
        related: Iterable[tuple[Place, nodes.Node, str]] = (),
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


class ProjectRule(Rule, Generic[_Note], abstract=True):
    """A query that needs all files together: each actor gives notes, and all notes together give findings.

    Notes are plain data (frozen dataclasses, tuples, findings): they travel between processes and are kept in the
    cache, so they hold no actors, functions or nodes.
    """

    def check(self, actor: Actor) -> Iterator[Finding]:  # noqa: ARG002  (the contract of all rules)
        """Nothing: one actor alone says nothing here."""
        return iter(())

    @abstractmethod
    def notes(self, actor: Actor) -> Iterator[_Note]:
        """What one actor contributes."""

    @abstractmethod
    def check_project(self, notes: Sequence[_Note], facts: Facts) -> Iterator[Finding]:
        """The findings of all notes together, which come by file and place of their actors."""


def _typed(cls: type[Rule], given: Mapping[str, object]) -> Mapping[str, Value]:
    """All option values of a rule: the given ones, checked, over the defaults."""
    values: dict[str, Value] = {option.name: option.default for option in cls.options}
    for key, value in given.items():
        if key not in values:
            near = difflib.get_close_matches(key, values, n=1, cutoff=0)
            hint = f"; did you mean {near[0]!r}?" if near else "; it has none"
            raise OptionError(f"{cls.code} {cls.name} has no option {key!r}{hint}")
        values[key] = _coerced(cls, key, values[key], value)
    return values


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
