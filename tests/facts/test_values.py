"""Types of expressions that were made only to ask for them."""

from __future__ import annotations

from otplint.facts.facts import Facts
from otplint.facts.frameworks import Vocabulary, shipped
from otplint.facts.index.by_ast import index_module
from otplint.facts.index.project import Project
from otplint.facts.kinship import Kinship
from otplint.facts.syntax import code

TEXT = """\
import collections, queue, threading
from otplint.runtime import Server

class Till(Server):
    def __init__(self):
        self.lock = threading.Lock()
        self.coins = collections.deque()
        self.inbox = queue.Queue()
"""


def test_an_expression_that_is_gone_does_not_answer_for_the_next_one() -> None:
    """Its address may be the next one's."""
    index = index_module(TEXT, "app.py", "app", is_package=False)
    project = Project([index])
    vocabulary = Vocabulary(shipped())
    [actor] = Facts(project, vocabulary, Kinship(project, vocabulary), lambda _: TEXT).actors(index)
    method = actor.methods[0]

    def type_of(name: str) -> str:
        return actor.values.type_of(code.Attr(0, 0, code.Name(0, 0, "self"), name), method)

    wanted = {"lock": "threading.Lock", "coins": "collections.deque", "inbox": "queue.Queue"}
    assert [type_of(name) for name in [*wanted] * 20] == [*wanted.values()] * 20
