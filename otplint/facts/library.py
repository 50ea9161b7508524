"""The files of a scan: each opened once, and searched for words."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from otplint.facts.index.entries import ModuleIndex
from otplint.facts.index.project import Project
from otplint.facts.source import Source
from otplint.facts.syntax.parse import Regions
from otplint.sources.triage import words_of

_MOST = 6_000_000
"""Characters of parsed text that are kept; their records weigh some forty bytes each."""


class Library:
    """The sources of the modules of a project, shared by all who ask about it.

    :param read: the decoded text of a project file by its relative path.
    :param kept: what was parsed in earlier scans.
    """

    def __init__(self, project: Project, read: Callable[[str], str], kept: Regions) -> None:
        self.project = project
        self._read = read
        self._kept = kept
        self._sources: dict[str, Source] = {}
        self._holders: dict[bytes, list[int]] | None = None

    def source(self, index: ModuleIndex) -> Source:
        """The file of an index."""
        self.project.note("text", index.path)
        return self._open(index)

    def _open(self, index: ModuleIndex) -> Source:
        found = self._sources.pop(index.path, None)
        if found is None:
            found = Source(index, self._read(index.path), self.project, self._kept)
        self._sources[index.path] = found  # the latest at the end
        return found

    def bound(self) -> None:
        """Forget the files that were asked for longest ago; nobody may hold on to what was parsed of them."""
        weight = sum(source.weight for source in self._sources.values())
        while weight > _MOST and len(self._sources) > 1:
            path = next(iter(self._sources))
            weight -= self._sources.pop(path).weight

    def holding(self, words: Iterable[str]) -> list[ModuleIndex]:
        """The given modules of the project whose text holds one of some names as a whole word, by path.

        Of a name that is no identifier any part counts: ``APP`` of ``APP-ENV``.
        """
        if self._holders is None:
            self._holders = {}
            for place, index in enumerate(self.project.modules):
                opened = self._sources.get(index.path)  # most files are only searched: nothing of them is kept
                text = opened.text if opened is not None else self._read(index.path)
                for word in words_of(text.encode("utf-8", "surrogatepass")):
                    self._holders.setdefault(word, []).append(place)
        wanted = {part for word in words for part in words_of(word.encode("utf-8", "surrogatepass"))}
        places = {place for part in wanted for place in self._holders.get(part, ())}
        found = [self.project.modules[place] for place in sorted(places)]
        self.project.note("holding", *sorted(part.decode("utf-8", "surrogatepass") for part in wanted),
                          answer=tuple(index.path for index in found))  # fmt: skip
        return found
