"""The project's own ways to make actors: decorators that apply a framework's, and calls that apply one to a class.

``remote = ray.remote(num_cpus=1)``, ``def actor(cls): return ray.remote(cls)``, ``Far = ray.remote(Near)`` in another
file than ``Near``, ``app = make_celery()`` behind ``@app.task``. What the texts say is noted once for each file; what
the names in it mean is settled for a project, because that changes while its files are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from otplint.facts.frameworks import Vocabulary
from otplint.facts.index.entries import ModuleIndex
from otplint.facts.index.project import Project

_GIVEN = r"\(\s*(?:[^()]*\)\s*\(\s*)?(\**[A-Za-z_][\w.]*)?\s*([=(,)]?)"
"""What a call, or the call of a call's result, is given first, if that is a name: ``f(Name)``, ``f(a=1)(Name)``."""
_OWNER = re.compile(r"(?<![\w.@])(?:[A-Za-z_]\w*\.)*\Z")
_RETURN = re.compile(r"\breturn[ \t(]+\Z")


class _Note(NamedTuple):
    """What a text says; names are as written."""

    module: str
    callee: str
    given: str
    """What is applied to; empty for a function that gives the decorator itself."""
    function: str
    """The module level function around it that gives the result back, or empty."""


class Makers:
    """What the files that were read say about making actors."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._known = vocabulary.decorating
        self._owners = {name.rpartition(".")[0] for name in self._known}
        self._applied = {name for name, (_, kind) in vocabulary.decorators.items() if kind.gives}
        self._last = {name.rpartition(".")[2] for name in self._known}
        self._objects = {owner.rpartition(".")[2] for owner in self._owners if owner.rpartition(".")[2][:1].isupper()}
        self._notes: dict[str, list[_Note]] = {}

    def read(self, index: ModuleIndex, text: str) -> None:
        """Note what one file says."""
        wanted = {name for name in (*self._last, *self._objects) if f"{name}(" in text}
        own = {c.name for c in index.constants if c.call and c.call.rpartition(".")[2] in (*self._last, "partial")}
        own |= {name for name, target in index.aliases.items() if target.rpartition(".")[2] in self._last}
        imported = {name for name, target in index.imports.items() if target.rpartition(".")[2] in self._last}
        wanted |= {name for name in own | imported if f"{name}(" in text}
        notes = [*self._said(index, text, wanted)] if wanted else []
        if notes:
            self._notes[index.path] = notes

    def _said(self, index: ModuleIndex, text: str, wanted: set[str]) -> Iterator[_Note]:
        functions = [(f.start, f.end, f.name) for f in index.functions]
        for found in re.finditer(rf"\b({'|'.join(sorted(map(re.escape, wanted)))}){_GIVEN}", text):
            name, given, after = found.groups()
            before = _OWNER.search(text, max(0, found.start() - 80), found.start())
            if before is None:
                continue
            callee, start = before[0] + name, before.start()
            applied = given or "" if after in (",", ")") else ""
            around = next((n for first, end, n in functions if first <= start < end), "")
            returned = around if _RETURN.search(text, max(0, start - 40), start) else ""
            if name in self._objects:
                if around:
                    yield _Note(index.module, callee, "", around)
            elif returned and (not applied or _is_parameter(applied, text, functions, start)):
                yield _Note(index.module, callee, "", returned)
            elif applied and not applied.startswith("*"):
                yield _Note(index.module, callee, applied, "")

    def settle(self, project: Project) -> Made:
        """What all of it means in a project."""
        return Made(self._known, self._applied, project, [n for notes in self._notes.values() for n in notes])

    def targets(self, made: Made, project: Project) -> Iterator[str]:
        """Classes of other files that decorators are applied to by calls, by the names that ``project`` gives them."""
        for note in (n for notes in self._notes.values() for n in notes if n.given):
            if made.decorator(project.resolve(note.module, note.callee)) in self._applied:
                yield project.resolve(note.module, note.given)


def _is_parameter(name: str, text: str, functions: list[tuple[int, int, str]], place: int) -> bool:
    """Whether a function around the place, at module level or nested, has a parameter of that name."""
    start = next((start for start, end, _ in functions if start <= place < end), place)
    return re.search(rf"def \w+\s*\([^()]*(?<!\w){re.escape(name)}\b", text[start:place]) is not None


class Made:
    """What makes actors in one project, beside the decorators that the frameworks' data names."""

    def __init__(self, known: frozenset[str], applied: set[str], project: Project, notes: list[_Note]) -> None:
        self._known = known
        self._project = self.witness = project
        self._answers: dict[str, str] = {}
        self._objects: dict[str, str] = {}
        self._owners = {name.rpartition(".")[0] for name in known}
        self.decorators: dict[str, str] = {}
        """The project's own decorators by their qualified names, with the framework's that each applies."""
        self.wrapped: dict[str, str] = {}
        """Classes to which some file applies a decorator by a call."""
        waiting, count = notes, len(notes) + 1
        while len(waiting) < count:  # one's own decorator may apply another one of one's own
            count = len(waiting)
            waiting = [note for note in waiting if not self._settled(note)]
            self._answers.clear()
            self._from_constants()
        for note in notes:
            decorator = self.decorator(project.resolve(note.module, note.callee)) if note.given else ""
            if decorator in applied:
                self.wrapped[project.resolve(note.module, note.given)] = decorator

    def _settled(self, note: _Note) -> bool:
        callee = self._project.resolve(note.module, note.callee)
        if note.function and callee in self._owners:
            self._objects[f"{note.module}.{note.function}"] = callee
            return True
        decorator = self.decorator(callee)
        if decorator and note.function:
            self.decorators[f"{note.module}.{note.function}"] = decorator
        return bool(decorator)

    def _from_constants(self) -> None:
        """``remote = ray.remote(num_cpus=1)``, ``remote = partial(ray.remote, num_cpus=1)``."""
        last = {name.rpartition(".")[2] for name in (*self._known, *self.decorators)}
        for index in self._project.modules:
            for constant in index.constants:
                call, given = constant.call, constant.given
                if call.rpartition(".")[2] == "partial" and given:
                    call, given = given[0], given[1:]
                if call and not given and index.imports.get(call, call).rpartition(".")[2] in last:
                    decorator = self.decorator(self._project.resolve(index.module, call))
                    if decorator:
                        self.decorators[f"{index.module}.{constant.name}"] = decorator

    def decorator(self, qualified: str) -> str:
        """The framework's decorator that a qualified name leads to; empty where it leads to none."""
        if qualified in self._known:
            return qualified
        if qualified not in self._answers:
            self._answers[qualified] = self._through(qualified)
        self.witness.note("decorator", qualified, answer=self._answers[qualified])
        return self._answers[qualified]

    def _through(self, qualified: str) -> str:
        if qualified in self.decorators:
            return self.decorators[qualified]
        owner, _, last = qualified.rpartition(".")
        through = f"{self.owner(owner)}.{last}" if owner else ""
        return through if through in self._known else ""

    def owner(self, qualified: str) -> str:
        """``celery.Celery`` for the module level object ``app`` with ``app = Celery(...)`` or ``app = make_app()``."""
        located = self._project.find_constant(qualified)
        if located is None or not located[1].call:
            return ""
        made = self._project.resolve(located[0].module, located[1].call)
        return self._objects.get(made, made)

    # -- how other files may write it

    def words(self) -> frozenset[str]:
        """Names of the decorators that the project itself defines, under whatever name a file imports them."""
        defined = {name: name for name in self._known if self._project.find_function(name) is not None}
        return frozenset(self._local({**self.decorators, **defined}))

    def marks(self) -> frozenset[str]:
        """Decorators as files may write them: ``@app.task`` where some file has ``app = Celery(...)``, ``@far``."""
        by_owner: dict[str, set[str]] = {}
        for name in self._known:
            owner, _, last = name.rpartition(".")
            by_owner.setdefault(owner, set()).add(last)
        found: set[str] = set()
        for name, made in self._named_objects().items():
            found.update(f"@{name}.{last}" for last in by_owner.get(made, ()))
        for index in self._project.modules:
            for local, target in index.imports.items():
                if target in self._known and local != target.rpartition(".")[2]:
                    found.update((f"@{local}", f"@{index.module.rpartition('.')[2]}.{local}"))
        return frozenset(found)

    def objects(self) -> frozenset[str]:
        """Names of the objects behind such decorators: where an import renames one, that file matters as well."""
        return frozenset(self._named_objects())

    def _named_objects(self) -> dict[str, str]:
        found: dict[str, str] = {}
        last = {name.rpartition(".")[2] for name in (*self._owners, *self._objects)}
        for index in self._project.modules:
            for constant in index.constants:
                call = constant.call
                if call and index.imports.get(call, call).rpartition(".")[2] in last:
                    made = self.owner(f"{index.module}.{constant.name}")
                    if made in self._owners:
                        found[constant.name] = made
        for index in self._project.modules if found else ():
            for local, target in index.imports.items():
                if target.rpartition(".")[2] in found and local != target.rpartition(".")[2]:
                    made = self.owner(self._project.resolve(index.module, local))
                    if made in self._owners:
                        found[local] = made
        return found

    def _local(self, names: dict[str, str]) -> Iterator[str]:
        last = {name.rpartition(".")[2] for name in names}
        yield from last
        known = {name.rpartition(".")[2] for name in self._known} | last
        for index in self._project.modules:
            for local, target in index.imports.items() if last else ():
                if local != target.rpartition(".")[2] in last and self._project.resolve(index.module, local) in names:
                    yield local
            for local, target in index.aliases.items():
                if target.rpartition(".")[2] in known and self.decorator(self._project.resolve(index.module, local)):
                    yield local
