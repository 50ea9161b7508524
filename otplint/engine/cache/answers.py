"""What the questions of an earlier scan are answered today."""

from __future__ import annotations

from otplint.engine.cache.details import shape
from otplint.engine.cache.memory import Disk, digest
from otplint.engine.units import Unit
from otplint.facts.facts import Facts
from otplint.facts.index.project import Answer, Question


class Answers(dict[Question, Answer]):
    """What the questions of units are answered today, each worked out once."""

    def __init__(self, facts: Facts, disk: Disk) -> None:
        super().__init__()
        self._facts = facts
        self._disk = disk

    def __missing__(self, question: Question) -> Answer:
        self[question] = answer = self._answer(question)
        return answer

    def confirm(self, unit: Unit) -> bool:
        """Whether everything that a unit hangs on is as it was."""
        return all(self[question] == answer for question, answer in unit.asked.items())

    def complete(self, unit: Unit) -> None:
        """Fill in the answers that only the keeper knows: what files hold."""
        for question, answer in unit.asked.items():
            if answer is None and question[0] in ("text", "entry"):
                unit.asked[question] = self[question]

    def _answer(self, question: Question) -> Answer:
        facts = self._facts
        match question:
            case ("text", path):
                stamp = self._disk.stamp(path)
                return None if stamp is None else stamp.digest.hex()
            case ("entry", path):
                index = facts.project.at(path)
                return None if index is None else shape(index)
            case ("module", path):
                index = facts.project.at(path)
                return None if index is None else index.module
            case ("holding", *words):
                return tuple(index.path for index in facts.holding(*words))
            case ("actor_root", name):
                return facts.kinship.actor_root(name)
            case ("sets_up", name):
                return str(facts.kinship.sets_up(name))
            case ("decorator", name):
                return facts.kinship.made.decorator(name)
        return facts.project.ask(question)


def whole(facts: Facts) -> bytes:
    """What every unit hangs on."""
    known = (
        facts.kinship.whole(),
        sorted(facts.operation_names.items()),
        sorted((k, sorted(v)) for k, v in facts.modules_given.items()),
    )
    return digest(repr(known).encode("utf-8", "backslashreplace"))
