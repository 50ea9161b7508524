"""What a scan recognises: each framework with its actors, and by which evidence; and what it only finds named."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from otplint.config import Config
from otplint.engine.run import Survey, survey_of
from otplint.facts.actors import Actor
from otplint.facts.frameworks import SETUP_ROLES, Framework
from otplint.facts.index.entries import ModuleIndex, Unparsable
from otplint.findings import Failure


@dataclass(frozen=True, slots=True)
class Recognised:
    """One actor, or code that sets supervision up."""

    name: str
    """Absolute dotted name."""
    path: str
    line: int
    evidence: str
    """``derives from pykka.ThreadingActor``: the framework's word that decided."""
    through: tuple[str, ...] = ()
    """The classes in between, nearest first."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file."""

    path: str
    line: int


@dataclass(slots=True)
class Known:
    """What was recognised of one framework."""

    name: str
    own: bool
    """It is the configuration's own, ``[tool.otplint.frameworks.NAME]``."""
    documentation: str
    actors: list[Recognised] = field(default_factory=list)
    supervisors: list[Recognised] = field(default_factory=list)
    imported: list[Place] = field(default_factory=list)
    """Where files without any actor import it."""
    unknown: tuple[str, ...] = ()
    """Names of the framework's data that the project itself should define and does not, each with what is near."""

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to say of it."""
        return not (self.actors or self.supervisors or self.imported or self.unknown or self.own)


@dataclass(frozen=True, slots=True)
class Overview:
    """What was recognised in a project."""

    frameworks: tuple[Known, ...]
    """Those with something to say, the most actors first."""
    files: int
    analysed: int
    """Files that could hold actors."""
    failures: tuple[Failure, ...]


def overview(paths: Sequence[Path], config: Config, *, root: Path) -> Overview:
    """Look at a project as a scan does, without asking any rule.

    :raises WalkError: a path does not exist or cannot be listed.
    :raises FrameworkError: the configuration's frameworks are wrong.
    """
    known = survey_of(paths, config, root)
    found = {
        framework.name: Known(framework.name, framework.name in config.frameworks, framework.documentation)
        for framework in known.facts.vocabulary.frameworks
    }
    failures = [*known.found.failures]
    for index in known.indexes:
        if index.path in known.members:
            try:
                actors = known.facts.actors(index)
            except Unparsable as error:
                failures.append(Failure(index.path, error.line, f"syntax error: {error.message}"))
                continue
            for actor in actors:
                _sort_in(actor, found)
            _note_imports(index, actors, known, found)
    for framework in known.facts.vocabulary.frameworks:
        if found[framework.name].own:
            found[framework.name].unknown = tuple(_unknown(framework, known))
    told = sorted((f for f in found.values() if not f.is_silent), key=lambda f: (-len(f.actors), f.name))
    return Overview(tuple(told), len(known.members), len(known.found.indexes), tuple(sorted(failures)))


def _sort_in(actor: Actor, found: dict[str, Known]) -> None:
    place = actor.source.lines.position(actor.node.start)[0] if actor.node is not None else 1
    if actor.is_actor:
        itself = actor.facts.project.canonical(actor.evidence.rpartition(" ")[2]) == actor.qualname
        evidence = "is a base that the data names" if itself else actor.evidence
        seen = Recognised(actor.qualname, actor.path, place, evidence, tuple(_through(actor)))
        if actor.framework.name in found:
            found[actor.framework.name].actors.append(seen)
        return
    for event in actor.events(*SETUP_ROLES)[:1]:
        line = event.method.span(event.call).line
        told = f"calls {event.method.text(event.call.func)}"
        found[event.framework.name].supervisors.append(Recognised(actor.qualname, actor.path, line, told))


def _through(actor: Actor) -> Iterator[str]:
    """The classes between an actor and the framework's name that it descends from."""
    root = actor.evidence.rpartition(" ")[2]
    project = actor.facts.project
    if actor.evidence.startswith("derives from"):
        for name in project.mro(actor.qualname)[1:]:
            if name != root and root in project.mro(name):
                yield name


def _note_imports(index: ModuleIndex, actors: Iterable[Actor], known: Survey, found: dict[str, Known]) -> None:
    """Frameworks that a file imports although nothing in it is an actor or supervisor of theirs.

    Threads and the like are for more than actors, and a framework's own files are not its users.
    """
    there = {actor.framework.name for actor in actors} | {
        event.framework.name for actor in actors for event in actor.events(*SETUP_ROLES)
    }
    imported = {target.partition(".")[0] for target in (*index.imports.values(), *index.stars)}
    for framework in known.facts.vocabulary.frameworks:
        packages = (_packages(framework) & imported) - sys.stdlib_module_names
        packages = {package for package in packages if known.facts.project.module(package) is None}
        if packages and framework.name not in there:
            text = known.files.text(index.path)
            pattern = rf"^[ \t]*(?:from|import)[ \t]+(?:{'|'.join(sorted(packages))})\b"
            line = re.search(pattern, text, re.MULTILINE)
            place = Place(index.path, text.count("\n", 0, line.start()) + 1 if line else 1)
            found[framework.name].imported.append(place)


def _packages(framework: Framework) -> set[str]:
    """The packages that make actors by the framework's data."""
    return {name.partition(".")[0] for kind in framework.actors for name in (*kind.bases, *kind.decorators)}


def _unknown(framework: Framework, known: Survey) -> Iterator[str]:
    """What the data names in a package of the project that has no such class or function."""
    project = known.facts.project
    names = [name for kind in framework.actors for name in (*kind.bases, *kind.decorators, *kind.handler_decorators)]
    defined = [f"{index.module}.{entry.qualname}" for index in project.modules for entry in index.classes]
    defined += [f"{index.module}.{entry.qualname}" for index in project.modules for entry in index.functions]
    for name in dict.fromkeys(names):
        if project.module(name.partition(".")[0]) is None or _is_defined(name, known):
            continue
        last = name.rpartition(".")[2]
        near = [d for d in defined if d.rpartition(".")[2] == last] or difflib.get_close_matches(name, defined, n=1)
        yield f"{name} is not in the project" + (f"; did you mean {near[0]}?" if near else "")


def _is_defined(name: str, known: Survey) -> bool:
    project = known.facts.project
    if project.find_class(name) is not None or project.find_function(name) is not None:
        return True
    owner = name.rpartition(".")[0]  # a method of a class, or an attribute of an object
    return project.find_class(owner) is not None or project.find_constant(owner) is not None


def grouped(seen: Iterable[Recognised]) -> dict[str, list[Recognised]]:
    """By evidence, the most frequent first; each one's nearest example, the one with the shortest way, is its first."""
    groups: dict[str, list[Recognised]] = {}
    for each in seen:
        groups.setdefault(each.evidence, []).append(each)
    for group in groups.values():
        group.sort(key=lambda each: (len(each.through), each.path, each.line))
    return dict(sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])))
