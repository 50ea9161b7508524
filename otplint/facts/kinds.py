"""What the frameworks' data leaves to the actor at hand: who restarts it, where it runs, which tables hold handlers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from otplint.facts.methods import Method, Role
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor


def settle(actor: Actor) -> None:
    """Fill in the actor's kind, and give the functions that a table names their role."""
    kind = actor.kind
    if kind.scheduler == "async-decides":
        one_is_async = any(m.code.is_async and m.outer is None for m in actor.everything)
        kind = replace(kind, scheduler="event-loop" if one_is_async else "thread")
    if _is_made_with(kind.restarted_with, actor, none="0"):
        kind = replace(kind, on_failure=tuple(dict.fromkeys((*kind.on_failure, "restart"))))
    if _is_made_with(kind.beside_with, actor, none="1"):
        kind = replace(kind, several_at_once=True)
    actor.kind = kind
    if kind.tables:
        for method in _dispatched(actor):
            if method.role in (Role.HELPER, Role.START):
                method.role = Role.HANDLER


def _is_made_with(keywords: tuple[str, ...], actor: Actor, *, none: str) -> bool:
    """``@remote(max_restarts=3)`` on the class, or ``Name.options(max_restarts=3)`` in its file; ``none`` is none."""
    if not keywords:
        return False
    for decorator in actor.node.decorators if actor.node is not None else ():
        for arg in decorator.args if isinstance(decorator, code.Call) else ():
            if arg.name in keywords:
                return not (isinstance(arg.value, code.Const) and str(arg.value.value) == none)
    last = re.escape(actor.name.rpartition(".")[2])
    given = "|".join(map(re.escape, keywords))
    return re.search(rf"\b{last}\)?\.options\([^()]*\b(?:{given})\s*=\s*(?!{none}\b)", actor.source.text) is not None


def _dispatched(actor: Actor) -> Iterator[Method]:
    """The own functions that are values of the actor's message tables."""
    for method in (*actor.everything, actor.class_body):
        for stmt in method.statements:
            if isinstance(stmt, code.Assign) and stmt.value is not None:
                for target in stmt.targets:
                    if isinstance(target, code.Sub) and _is_table(target.base, actor):
                        yield from _named(stmt.value, method)
                    elif _is_table(target, actor) and isinstance(stmt.value, code.Dict):
                        yield from _values(stmt.value, method)
        for call in method.calls:
            for arg in call.args:
                if arg.name in actor.kind.tables and isinstance(arg.value, code.Dict):
                    yield from _values(arg.value, method)
            func, given = call.func, call.positional(0)
            if isinstance(func, code.Attr) and func.name == "update" and isinstance(given, code.Dict):
                yield from _values(given, method) if _is_table(func.base, actor) else ()


def _is_table(expr: code.Expr, actor: Actor) -> bool:
    name = expr.name if isinstance(expr, code.Attr) else expr.id if isinstance(expr, code.Name) else ""
    return name in actor.kind.tables


def _values(table: code.Dict, method: Method) -> Iterator[Method]:
    for _, value in table.items:
        yield from _named(value, method)


def _named(value: code.Expr, method: Method) -> Iterator[Method]:
    """The function behind ``self.method``, also inside ``partial(self.method, ...)``."""
    found = method.actor.named(value, method)
    if found is not None:
        yield found
