"""The facts of a scan: sources by path, actors of a file, functions and constants by name."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TypeVar, cast

from otplint.facts.actors import Actor
from otplint.facts.exemptions import Exemptions
from otplint.facts.frameworks import Vocabulary
from otplint.facts.index.entries import ClassEntry, ModuleIndex, Unparsable
from otplint.facts.index.project import Answer, Project, Question
from otplint.facts.kinship import Kinship
from otplint.facts.library import Library
from otplint.facts.methods import Method, Role
from otplint.facts.module_actors import module_actor, modules_given
from otplint.facts.queries.callers import calls_of
from otplint.facts.recogniser import NO_ACTOR, PLAIN, Recogniser
from otplint.facts.source import Source
from otplint.facts.syntax import code
from otplint.facts.syntax.parse import NoRegions, Regions
from otplint.findings import Confidence, Span

_Answer = TypeVar("_Answer")


class Facts:
    """Builds sources and actors when asked for, and keeps them.

    :param read: the decoded text of a project file by its relative path.
    :param is_test: whether a relative path is a test file.
    :param regions: what was parsed in earlier scans.
    """

    def __init__(
        self,
        project: Project,
        vocabulary: Vocabulary,
        kinship: Kinship,
        read: Callable[[str], str],
        is_test: Callable[[str], bool] = lambda _path: False,
        regions: Regions | None = None,
    ) -> None:
        self.project = project
        self.vocabulary = vocabulary
        self.kinship = kinship
        self._is_test = is_test
        self._tests: dict[str, bool] = {}
        self.recorded = False
        """Whether somebody wants to know what answers hang on: the cache."""
        self.exemptions: Exemptions | None = None
        """Who wants to hear why rules are silent; none in a scan."""
        self.regions = regions or NoRegions()
        self._library = Library(project, read, self.regions)
        self._forget()

    @contextlib.contextmanager
    def recording(self, asked: dict[Question, Answer]) -> Iterator[None]:
        """Note in ``asked`` what other files are asked meanwhile, if it is wanted (:attr:`recorded`)."""
        if not self.recorded:
            yield
            return
        with self.project.recording() as trace:
            yield
        asked.update(trace)

    def let_go(self) -> None:
        """End these facts: actors and functions know each other, and would stay while no collector runs."""
        known = (*self._actors.values(), *self._owners.values(), *self._module_actors.values())
        actors = [a for a in known if a is not None]
        actors += [m.actor for m in (*self._functions.values(), *self._modules.values(), *self._bodies.values()) if m]
        for actor in {id(a): a for a in actors}.values():
            for method in vars(actor).get("everything", actor.methods + actor.inherited):
                vars(method).clear()
            vars(actor).clear()
        self._forget()
        self._library.bound()

    def remembered(self, question: Callable[[Facts], _Answer]) -> _Answer:
        """The answer to a question about the whole project, worked out once."""
        if question not in self._answers:
            self._answers[question] = question(self)
        return cast("_Answer", self._answers[question])

    def _forget(self) -> None:
        self._answers: dict[object, object] = {}
        self._actors: dict[tuple[str, str], Actor | None] = {}
        self._functions: dict[str, Method | None] = {}
        self._module_actors: dict[str, Actor | None] = {}
        self._modules: dict[tuple[str, int], Method] = {}
        self._bodies: dict[tuple[str, int], Method] = {}
        self._recogniser = Recogniser(self)
        self._owners: dict[str, Actor | None] = {}
        self._calls: dict[int, list[tuple[code.Call, Method]]] = {}

    def listening(self, exemptions: Exemptions) -> Facts:
        """The same project with nothing worked out but what was parsed, so that whoever asks is told all reasons."""
        fresh = self.afresh()
        fresh.exemptions = exemptions
        return fresh

    def afresh(self) -> Facts:
        """The same project with nothing worked out but what was parsed."""
        fresh = copy.copy(self)
        fresh._forget()
        return fresh

    def is_test(self, path: str) -> bool:
        """Whether a file is a test file, by its relative path."""
        if path not in self._tests:
            self._tests[path] = self._is_test(path)
        return self._tests[path]

    def source(self, index: ModuleIndex) -> Source:
        """The file of an index."""
        return self._library.source(index)

    def holding(self, *words: str) -> list[ModuleIndex]:
        """The modules of the scan whose text holds one of some identifiers, by path."""
        return self._library.holding(words)

    def actors(self, index: ModuleIndex) -> list[Actor]:
        """The actors of one file in source order, code that sets supervision up included.

        :raises Unparsable: where a region has syntax that LibCST does not know.
        """
        source = self.source(index)
        found: list[Actor] = []
        for entry in index.classes:
            actor = self.actor(index, entry)
            if actor is not None:
                found.append(actor)
        module = self.module_actor(index)
        found += [module] if module is not None else []
        taken = {m.code.name for m in module.methods} if module is not None else set()
        for function in index.functions:
            plain = self._recogniser.function_actor(source, function) if function.name not in taken else None
            if plain is not None:
                found.append(plain)
        body = self._recogniser.module_setup(source)
        if body is not None:
            found.append(body)
        return found

    # -- classes

    def actor(self, index: ModuleIndex, entry: ClassEntry) -> Actor | None:
        """The actor that a class is, if it is one or sets supervision up."""
        key = (index.path, entry.qualname)
        if key not in self._actors:
            self._actors[key] = None
            self._actors[key] = self._recogniser.class_actor(self.source(index), entry)
        return self._actors[key]

    def owner(self, qualified: str) -> Actor | None:
        """Any class of the project as the owner of its functions and attributes, be it an actor or not."""
        located = self.project.find_class(qualified) if qualified else None
        if located is None:
            return None
        found = self.actor(*located)
        if found is not None:
            return found
        if qualified not in self._owners:
            self._owners[qualified] = None
            index, entry = located
            self._owners[qualified] = self._recogniser.build_class(
                self.source(index), entry, PLAIN, NO_ACTOR, "setup", Confidence.HIGH, "is named"
            )
        return self._owners[qualified]

    def class_body(self, index: ModuleIndex, entry: ClassEntry) -> Method:
        """The statements of a class itself, actor or not, as a function without parameters."""
        key = (index.path, entry.start)
        if key not in self._bodies:
            source = self.source(index)
            owner = Actor(
                self,
                source,
                entry.qualname,
                PLAIN,
                NO_ACTOR,
                form="setup",
                node=self._recogniser.class_node(source, entry),
                confidence=Confidence.HIGH,
                evidence="holds constants",
            )
            self._bodies[key] = owner.class_body
        return self._bodies[key]

    def ancestors(self, actor: Actor) -> list[Actor]:
        """The actors that ``actor`` derives from, nearest first."""
        located = [self.project.find_class(name) for name in self.project.mro(actor.qualname)[1:]]
        found = [self.actor(*entry) for entry in located if entry is not None]
        return [other for other in found if other is not None and other.is_actor]

    def actors_holding(self, *words: str) -> list[Actor]:
        """The actors, and what sets supervision up, in those files that hold one of some identifiers; tests left out.

        Files that cannot be parsed are left out as well: whoever judges them says so.
        """
        found: list[Actor] = []
        for index in self.holding(*words):
            if not self.is_test(index.path):
                with contextlib.suppress(Unparsable, RecursionError):
                    found += self.actors(index)
        return found

    def subclasses(self, actor: Actor) -> list[Actor]:
        """The actors that derive from ``actor``, sorted by name."""
        found = []
        for name in sorted(self.project.subclasses(actor.qualname)):
            located = self.project.find_class(name)
            other = self.actor(*located) if located is not None else None
            if other is not None and other is not actor:
                found.append(other)
        return found

    def header_lines(self, span: Span) -> tuple[int, int]:
        """First and last line of the header of the statement that a finding is in."""
        index = self.project.at(span.path)
        return self.source(index).header_lines(span) if index is not None else (span.line, span.end_line)

    # -- decorators

    def given_by_decorator(self, qualified: str) -> str:
        """The type of what a decorator makes of a class or function of the project; empty where that stays what it is.

        Args:
            qualified: the absolute dotted name.
        """
        located = (self.project.find_class(qualified) or self.project.find_function(qualified)) if qualified else None
        if located is None:
            return ""
        decorator = self._recogniser.decorator(self.source(located[0]), located[1]) if located[1].decorators else ""
        kind = self.vocabulary.decorators[decorator][1] if decorator else NO_ACTOR
        return kind.gives if isinstance(located[1], ClassEntry) else kind.gives_function

    # -- functions and modules

    def module(self, index: ModuleIndex, spans: list[tuple[int, int]]) -> Actor:
        """The module as the owner of some of its own statements."""
        source = self.source(index)
        body: list[code.Stmt] = []
        for start, end in spans:
            body.extend(source.region(start, end))
        actor = Actor(
            self,
            source,
            "<module>",
            PLAIN,
            NO_ACTOR,
            form="setup",
            node=None,
            confidence=Confidence.HIGH,
            evidence="sets supervision up",
        )
        start, end = spans[0] if spans else (0, 0)
        plain = tuple(s for s in body if not isinstance(s, (code.Function, code.Class)))
        function = code.Function(start, end, "<module>", (), (), plain, False, None)
        actor.methods = (Method(actor, function, source, Role.SETUP, ""),)
        return actor

    def function(self, qualified: str) -> Method | None:
        """The module-level function of that name, parsed when first asked for."""
        if not qualified:
            return None
        if qualified not in self._functions:
            self._functions[qualified] = None
            located = self.project.find_function(qualified)
            if located is not None:
                index, entry = located
                actor = self._recogniser.build_function(
                    self.source(index), entry, PLAIN, NO_ACTOR, "setup", "is called"
                )
                self._functions[qualified] = actor.methods[0]
        return self._functions[qualified]

    def module_actor(self, index: ModuleIndex) -> Actor | None:
        """The actor that a module is, if it is one."""
        if index.path not in self._module_actors:
            self._module_actors[index.path] = module_actor(self, self.source(index))
        return self._module_actors[index.path]

    @cached_property
    def modules_given(self) -> dict[str, frozenset[str]]:
        """The modules that are given to functions that run them as actors, by the name of the function."""
        return modules_given(self)

    @cached_property
    def operation_names(self) -> dict[str, str]:
        """The names of the frameworks' operations by what they lead to, where a framework itself is scanned."""
        return self.project.spelt(self.vocabulary.exact)

    def calls_of(self, method: Method) -> list[tuple[code.Call, Method]]:
        """The calls of a function that the project writes, each with the function around it."""
        found = self._calls.get(id(method.code))
        if found is None:
            found = self._calls[id(method.code)] = list(calls_of(method, self))
        return found

    def constants(self, qualified: str) -> Iterator[tuple[Method, code.Stmt, code.Expr]]:
        """The assignments of a module-level name: owner, statement and value of each."""
        located = self.project.find_constant(qualified) if qualified else None
        if located is None:
            return
        index = located[0]
        source = self.source(index)
        for entry in index.constants:
            if entry.name != located[1].name:
                continue
            key = (index.path, entry.start)
            if key not in self._modules:
                conditional = source.lines.position(entry.start)[1] > 1
                spans = [(0, len(source.text))] if conditional else [(entry.start, entry.end)]
                self._modules[key] = self.module(index, spans).methods[0]
            module = self._modules[key]
            for stmt in code.statements(module.body):
                if isinstance(stmt, code.Assign) and stmt.value is not None and stmt.start == entry.start:
                    yield module, stmt, stmt.value
