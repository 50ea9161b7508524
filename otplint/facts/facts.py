"""The facts of a scan: sources by path, actors of a file, functions and constants by name."""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TypeVar, cast

from otplint.facts import kinds, recognise, shapes
from otplint.facts.actors import Actor
from otplint.facts.exemptions import Exemptions
from otplint.facts.frameworks import ActorKind, Framework, Vocabulary
from otplint.facts.index.entries import ClassEntry, FunctionEntry, ModuleIndex, Unparsable
from otplint.facts.index.project import Answer, Project, Question
from otplint.facts.kinship import SETUP_ROLES, Kinship
from otplint.facts.library import Library
from otplint.facts.methods import Method, Role
from otplint.facts.module_actors import module_actor, modules_given
from otplint.facts.passed_state import read_as_attributes
from otplint.facts.queries.callers import calls_of
from otplint.facts.source import Source
from otplint.facts.syntax import code
from otplint.findings import Confidence, Span

_Answer = TypeVar("_Answer")
_PLAIN = Framework("python")
_NO_ACTOR = ActorKind()


class Facts:
    """Builds sources and actors when asked for, and keeps them.

    :param read: the decoded text of a project file by its relative path.
    :param is_test: whether a relative path is a test file.
    """

    def __init__(
        self,
        project: Project,
        vocabulary: Vocabulary,
        kinship: Kinship,
        read: Callable[[str], str],
        is_test: Callable[[str], bool] = lambda _path: False,
    ) -> None:
        self.project = project
        self.vocabulary = vocabulary
        self.kinship = kinship
        self.is_test = is_test
        self.recorded = False
        """Whether somebody wants to know what answers hang on: the cache."""
        self.exemptions: Exemptions | None = None
        """Who wants to hear why rules are silent; none in a scan."""
        self._library = Library(project, read)
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
        self._setup_words: dict[str, frozenset[str]] = {}
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
            plain = self._function_actor(source, function) if function.name not in taken else None
            if plain is not None:
                found.append(plain)
        body = self._module_setup(source)
        if body is not None:
            found.append(body)
        return found

    # -- classes

    def actor(self, index: ModuleIndex, entry: ClassEntry) -> Actor | None:
        """The actor that a class is, if it is one or sets supervision up."""
        key = (index.path, entry.qualname)
        if key not in self._actors:
            self._actors[key] = None
            self._actors[key] = self._class_actor(self.source(index), entry)
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
            self._owners[qualified] = self._build_class(
                self.source(index), entry, _PLAIN, _NO_ACTOR, "setup", Confidence.HIGH, "is named"
            )
        return self._owners[qualified]

    def _class_actor(self, source: Source, entry: ClassEntry) -> Actor | None:
        qualified = f"{source.index.module}.{entry.qualname}"
        text = source.text[entry.start : entry.end]
        root = self.kinship.actor_root(qualified)
        applied = self._decorator(source, entry)
        decorator = applied or self.kinship.made.wrapped.get(qualified, "")
        if root or decorator:
            how = "derives from" if root else "is decorated with" if applied else "is made an actor by"
            framework, kind = self.vocabulary.bases[root] if root else self.vocabulary.decorators[decorator]
            return self._build_class(
                source,
                entry,
                framework,
                kind,
                "class",
                Confidence.HIGH,
                f"{how} {root or decorator}",
            )
        if self._may_live(source, entry):
            shaped = self._build_class(
                source,
                entry,
                self._by_name("threads"),
                recognise.SHAPE,
                "class",
                Confidence.MEDIUM,
                "lives by its own loop or callbacks",
            )
            if any(m.role in (Role.LOOP, Role.HANDLER) for m in shaped.everything):
                shaped.framework = self._by_name(shapes.runs_on(shaped))
                return shaped
        if self._sets_up(source, text):
            setup = self._build_class(source, entry, _PLAIN, _NO_ACTOR, "setup", Confidence.HIGH, "sets supervision up")
            if setup.events(*SETUP_ROLES):
                return setup
        return None

    def _may_live(self, source: Source, entry: ClassEntry) -> bool:
        """A cheap look: does the class, or a base of it in the project, live by a loop or by callbacks?"""
        callbacks = self.vocabulary.callbacks
        own = source.text[entry.start : entry.end]
        if shapes.may_live(own, callbacks) or recognise.may_go_through(own, source.text):
            return True
        for name in self.project.mro(f"{source.index.module}.{entry.qualname}")[1:]:
            located = self.project.find_class(name)
            if located is not None:
                text = self.source(located[0]).text[located[1].start : located[1].end]
                if shapes.seems_to_live(text, callbacks):
                    return True
        return False

    def _lives(self, index: ModuleIndex, entry: ClassEntry) -> bool:
        """Whether a base class is an actor by its shape: its functions are judged there."""
        found = self.actor(index, entry)
        return found is not None and found.is_actor

    def _build_class(
        self,
        source: Source,
        entry: ClassEntry,
        framework: Framework,
        kind: ActorKind,
        form: str,
        confidence: Confidence,
        evidence: str,
    ) -> Actor:
        node = self._class_node(source, entry)
        actor = Actor(
            self,
            source,
            entry.qualname,
            framework,
            kind,
            form=form,
            node=node,
            confidence=confidence,
            evidence=evidence,
        )
        own: list[Method] = self._methods(actor, source, node, actor.qualname)
        inherited: list[Method] = []
        names = {m.name for m in own if m.outer is None}
        for base in self.project.mro(actor.qualname)[1:]:
            located = self.project.find_class(base)
            if located is None:
                continue
            base_index, base_entry = located
            base_source = self.source(base_index)
            base_node = self._class_node(base_source, base_entry)
            methods = self._methods(actor, base_source, base_node, base)
            extended = recognise.extended([*own, *inherited])
            fresh = [m for m in methods if (m.outer or m).name not in names - extended]
            names.update(m.name for m in methods if m.outer is None)
            judged_there = form == "setup" or bool(self.kinship.actor_root(base)) or self._lives(base_index, base_entry)
            (inherited if judged_there else own).extend(fresh)
        actor.methods, actor.inherited = tuple(own), tuple(inherited)
        if kind.passes_state:
            read_as_attributes(actor)
        if form == "class":
            kinds.settle(actor)
            shapes.mark_living(actor)
            if kind is recognise.SHAPE:
                recognise.leave_strangers(actor)
        return actor

    def _class_node(self, source: Source, entry: ClassEntry) -> code.Class:
        node = self._parsed(source, entry)
        assert isinstance(node, code.Class)
        return node

    def _parsed(self, source: Source, entry: ClassEntry | FunctionEntry) -> code.Stmt:
        return source.region(entry.start, entry.end)[0]

    def _methods(self, actor: Actor, source: Source, node: code.Class, owner: str) -> list[Method]:
        found: list[Method] = []
        for stmt in code.statements(node.body):
            if isinstance(stmt, code.Function):
                method = Method(actor, stmt, source, Role.HELPER, owner)
                method.role = recognise.role_of(stmt, actor.kind, method.decorators, is_actor=actor.is_actor)
                found += [method, *recognise.nested(method)]
        return found

    def class_body(self, index: ModuleIndex, entry: ClassEntry) -> Method:
        """The statements of a class itself, actor or not, as a function without parameters."""
        key = (index.path, entry.start)
        if key not in self._bodies:
            source = self.source(index)
            owner = Actor(
                self,
                source,
                entry.qualname,
                _PLAIN,
                _NO_ACTOR,
                form="setup",
                node=self._class_node(source, entry),
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
        source = self._library.opened(span.path)
        return source.header_lines(span) if source is not None else (span.line, span.end_line)

    # -- decorators

    def _decorator(self, source: Source, entry: ClassEntry | FunctionEntry) -> str:
        """The decorator that makes an actor of a class or function, by its dotted name."""
        names = (self.kinship.made.decorator(source.resolve(d)) for d in entry.decorators)
        return next((d for d in names if d in self.vocabulary.decorators), "")

    def given_by_decorator(self, qualified: str) -> str:
        """The type of what a decorator makes of a class or function of the project; empty where that stays what it is.

        Args:
            qualified: the absolute dotted name.
        """
        located = (self.project.find_class(qualified) or self.project.find_function(qualified)) if qualified else None
        if located is None:
            return ""
        decorator = self._decorator(self.source(located[0]), located[1]) if located[1].decorators else ""
        kind = self.vocabulary.decorators[decorator][1] if decorator else _NO_ACTOR
        return kind.gives if isinstance(located[1], ClassEntry) else kind.gives_function

    # -- functions and modules

    def _function_actor(self, source: Source, entry: FunctionEntry) -> Actor | None:
        text = source.text[entry.start : entry.end]
        decorator = self._decorator(source, entry)
        if decorator:
            framework, kind = self.vocabulary.decorators[decorator]
            actor = self._build_function(source, entry, framework, kind, "function", f"is decorated with {decorator}")
            actor.methods[0].role = Role.HANDLER
            kinds.settle(actor)
            return actor
        if recognise.may_drain(text) or recognise.may_go_through(text, source.text):
            actor = self._build_function(
                source, entry, self._by_name("threads"), recognise.SHAPE, "function", "drains a queue in a loop"
            )
            draining = [m for m in actor.methods if recognise.drains(m) is not None]
            if draining:
                for method in draining:
                    method.role = Role.LOOP
                actor.framework = self._by_name(shapes.runs_on(actor))
                return actor
        if self._sets_up(source, text):
            actor = self._build_function(source, entry, _PLAIN, _NO_ACTOR, "setup", "sets supervision up")
            if actor.events(*SETUP_ROLES):
                return actor
        return None

    def _build_function(
        self, source: Source, entry: FunctionEntry, framework: Framework, kind: ActorKind, form: str, evidence: str
    ) -> Actor:
        node = self._parsed(source, entry)
        assert isinstance(node, code.Function)
        confidence = Confidence.MEDIUM if kind is recognise.SHAPE else Confidence.HIGH
        actor = Actor(
            self,
            source,
            entry.qualname,
            framework,
            kind,
            form=form,
            node=node,
            confidence=confidence,
            evidence=evidence,
        )
        method = Method(actor, node, source, Role.SETUP if form == "setup" else Role.HELPER, "")
        actor.methods = (method, *recognise.nested(method))
        return actor

    def _by_name(self, name: str) -> Framework:
        return next((f for f in self.vocabulary.frameworks if f.name == name), _PLAIN)

    def _sets_up(self, source: Source, text: str) -> bool:
        """A cheap look: does the text name something that supervises?"""
        names = self._setup_locals(source)
        return bool(names) and any(re.search(rf"\b{re.escape(name)}\b", text) for name in names)

    def _setup_locals(self, source: Source) -> frozenset[str]:
        """How this file may write the names of supervisors: local names, and last parts below imported packages."""
        found = self._setup_words.get(source.path)
        if found is None:
            local = {
                c.name for c in source.index.classes if self.kinship.sets_up(f"{source.index.module}.{c.qualname}")
            }
            for name, target in source.index.imports.items():
                local |= self.kinship.setup_words(name, target, source.resolve)
            if source.index.stars:
                local |= self.kinship.setup_last
            found = self._setup_words[source.path] = frozenset(local)
        return found

    def _module_setup(self, source: Source) -> Actor | None:
        """The statements of the module itself, where they set supervision up."""
        spans = [(c.start, c.end) for c in source.index.constants] + list(source.index.statements)
        spans = sorted({s for s in spans if self._sets_up(source, source.text[s[0] : s[1]])})
        if not spans:
            return None
        actor = self.module(source.index, spans)
        return actor if actor.events(*SETUP_ROLES) else None

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
            _PLAIN,
            _NO_ACTOR,
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
                actor = self._build_function(self.source(index), entry, _PLAIN, _NO_ACTOR, "setup", "is called")
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
