"""What a class, a function or the statements of a module are: an actor, code that sets supervision up, or neither."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otplint.facts import kinds, recognise, shapes, steering
from otplint.facts.actors import Actor
from otplint.facts.frameworks import ActorKind, Framework
from otplint.facts.index.entries import ClassEntry, FunctionEntry, ModuleIndex
from otplint.facts.kinship import SETUP_ROLES
from otplint.facts.methods import Method, Role
from otplint.facts.passed_state import read_as_attributes
from otplint.facts.source import Source
from otplint.facts.syntax import code
from otplint.findings import Confidence

if TYPE_CHECKING:
    from otplint.facts.facts import Facts

PLAIN = Framework("python")
NO_ACTOR = ActorKind()


class Recogniser:
    """Tells actors from other code, and builds them.

    :param facts: who keeps what is built, and knows the other files.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._setup_words: dict[str, frozenset[str]] = {}

    def class_actor(self, source: Source, entry: ClassEntry) -> Actor | None:
        """The actor that a class is, or the owner of its code where that sets supervision up."""
        qualified = f"{source.index.module}.{entry.qualname}"
        text = source.text[entry.start : entry.end]
        root = self.facts.kinship.actor_root(qualified)
        applied = self.decorator(source, entry)
        decorator = applied or self.facts.kinship.made.wrapped.get(qualified, "")
        if root or decorator:
            how = "derives from" if root else "is decorated with" if applied else "is made an actor by"
            framework, kind = self.facts.vocabulary.bases[root] if root else self.facts.vocabulary.decorators[decorator]
            return self.build_class(
                source,
                entry,
                framework,
                kind,
                "class",
                Confidence.HIGH,
                f"{how} {root or decorator}",
            )
        shaped = self._shaped(source, entry)
        if shaped is not None:
            return shaped
        if self._sets_up(source, text):
            setup = self.build_class(source, entry, PLAIN, NO_ACTOR, "setup", Confidence.HIGH, "sets supervision up")
            if setup.events(*SETUP_ROLES):
                return setup
        if steering.may_steer(source, text, self.facts.vocabulary):
            driver = self.build_class(source, entry, PLAIN, NO_ACTOR, "setup", Confidence.HIGH, "looks after actors")
            return driver if steering.anybody_steers(driver) else None
        return None

    def _shaped(self, source: Source, entry: ClassEntry) -> Actor | None:
        """The actor that a class is by its shape; that it is none is found out once for all facts of a scan."""
        built: list[Actor] = []

        def build() -> Actor:
            evidence = "lives by its own loop or callbacks"
            threads = self._by_name("threads")
            return self.build_class(source, entry, threads, recognise.SHAPE, "class", Confidence.MEDIUM, evidence)

        def lives() -> bool:
            if not self._may_live(source, entry):
                return False
            built.append(build())
            return any(m.role in (Role.LOOP, Role.HANDLER) for m in built[0].everything)

        if not self.facts.project.remembered(("shape", source.path, entry.qualname, str(entry.start)), lives):
            return None
        shaped = built[0] if built else build()
        shaped.framework = self._by_name(shapes.runs_on(shaped))
        return shaped

    def _may_live(self, source: Source, entry: ClassEntry) -> bool:
        """A cheap look: does the class, or a base of it in the project, live by a loop or by callbacks?"""
        callbacks_in = self.facts.vocabulary.callbacks_in
        own = source.text[entry.start : entry.end]
        if shapes.may_live(own, callbacks_in(source.text)) or recognise.may_go_through(own, source.text):
            return True
        for name in self.facts.project.mro(f"{source.index.module}.{entry.qualname}")[1:]:
            located = self.facts.project.find_class(name)
            if located is not None:
                text = self.facts.source(located[0]).text
                if shapes.seems_to_live(text[located[1].start : located[1].end], callbacks_in(text)):
                    return True
        return False

    def _lives(self, index: ModuleIndex, entry: ClassEntry) -> bool:
        """Whether a base class is an actor by its shape: its functions are judged there."""
        found = self.facts.actor(index, entry)
        return found is not None and found.is_actor

    def build_class(
        self,
        source: Source,
        entry: ClassEntry,
        framework: Framework,
        kind: ActorKind,
        form: str,
        confidence: Confidence,
        evidence: str,
    ) -> Actor:
        """A class with its functions, own and inherited, as the owner of what they do."""
        node = self.class_node(source, entry)
        actor = Actor(
            self.facts,
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
        for base in self.facts.project.mro(actor.qualname)[1:]:
            located = self.facts.project.find_class(base)
            if located is None:
                continue
            base_index, base_entry = located
            base_source = self.facts.source(base_index)
            base_node = self.class_node(base_source, base_entry)
            methods = self._methods(actor, base_source, base_node, base)
            extended = recognise.extended([*own, *inherited])
            fresh = [m for m in methods if (m.outer or m).name not in names - extended]
            names.update(m.name for m in methods if m.outer is None)
            judged_there = (
                form == "setup" or bool(self.facts.kinship.actor_root(base)) or self._lives(base_index, base_entry)
            )
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

    def class_node(self, source: Source, entry: ClassEntry) -> code.Class:
        """The statement, parsed."""
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

    def decorator(self, source: Source, entry: ClassEntry | FunctionEntry) -> str:
        """The decorator that makes an actor of a class or function, by its dotted name."""
        names = (self.facts.kinship.made.decorator(source.resolve(d)) for d in entry.decorators)
        return next((d for d in names if d in self.facts.vocabulary.decorators), "")

    def function_actor(self, source: Source, entry: FunctionEntry) -> Actor | None:
        """The actor that a function is, or the owner of its code where that sets supervision up."""
        text = source.text[entry.start : entry.end]
        decorator = self.decorator(source, entry)
        if decorator:
            framework, kind = self.facts.vocabulary.decorators[decorator]
            actor = self.build_function(source, entry, framework, kind, "function", f"is decorated with {decorator}")
            actor.methods[0].role = Role.HANDLER
            kinds.settle(actor)
            return actor
        if recognise.may_drain(text) or recognise.may_go_through(text, source.text):
            actor = self.build_function(
                source, entry, self._by_name("threads"), recognise.SHAPE, "function", "drains a queue in a loop"
            )
            draining = [m for m in actor.methods if recognise.drains(m) is not None]
            if draining:
                for method in draining:
                    method.role = Role.LOOP
                actor.framework = self._by_name(shapes.runs_on(actor))
                return actor
        if self._sets_up(source, text):
            actor = self.build_function(source, entry, PLAIN, NO_ACTOR, "setup", "sets supervision up")
            if actor.events(*SETUP_ROLES):
                return actor
        if steering.may_steer(source, text, self.facts.vocabulary):
            driver = self.build_function(source, entry, PLAIN, NO_ACTOR, "setup", "looks after actors")
            return driver if steering.anybody_steers(driver) else None
        return None

    def build_function(
        self, source: Source, entry: FunctionEntry, framework: Framework, kind: ActorKind, form: str, evidence: str
    ) -> Actor:
        """A function with those nested in it as the owner of what they do."""
        node = self._parsed(source, entry)
        assert isinstance(node, code.Function)
        confidence = Confidence.MEDIUM if kind is recognise.SHAPE else Confidence.HIGH
        actor = Actor(
            self.facts,
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
        return next((f for f in self.facts.vocabulary.frameworks if f.name == name), PLAIN)

    def _sets_up(self, source: Source, text: str) -> bool:
        """A cheap look: does the text name something that supervises?"""
        names = self._setup_locals(source)
        return bool(names) and any(re.search(rf"\b{re.escape(name)}\b", text) for name in names)

    def _setup_locals(self, source: Source) -> frozenset[str]:
        """How this file may write the names of supervisors: local names, and last parts below imported packages."""
        found = self._setup_words.get(source.path)
        if found is None:
            local = {
                c.name
                for c in source.index.classes
                if self.facts.kinship.sets_up(f"{source.index.module}.{c.qualname}")
            }
            for name, target in source.index.imports.items():
                local |= self.facts.kinship.setup_words(name, target, source.resolve)
            if source.index.stars:
                local |= self.facts.kinship.setup_last
            found = self._setup_words[source.path] = frozenset(local)
        return found

    def module_setup(self, source: Source) -> Actor | None:
        """The statements of the module itself, where they set supervision up."""
        spans = [(c.start, c.end) for c in source.index.constants] + list(source.index.statements)
        spans = sorted({s for s in spans if self._sets_up(source, source.text[s[0] : s[1]])})
        if not spans:
            return None
        actor = self.facts.module(source.index, spans)
        return actor if actor.events(*SETUP_ROLES) else None
