"""Every use of the actor's own attributes: what writes, fills, empties, asks and reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.methods import Method

_INSERTS = {"append": "append", "appendleft": "prepend", "add": "insert", "extend": "append", "setdefault": "insert",
            "update": "insert", "insert": "insert", "extendleft": "prepend"}  # fmt: skip
_REMOVES = {"pop": "remove", "popitem": "remove", "remove": "remove", "discard": "remove", "popleft": "remove",
            "clear": "clear"}  # fmt: skip
_LOOKUPS = {"get", "keys", "values", "items", "copy", "count", "index", "__contains__"}


class Use(NamedTuple):
    """One use of an attribute of the actor."""

    attribute: str
    """Dotted, below the instance: ``_monitors``, ``stats.errors``."""
    kind: str
    """``write``, ``update``, ``insert``, ``append``, ``prepend``, ``remove``, ``clear``, ``lookup``,
    ``test`` or ``read``."""
    node: code.Node
    method: Method
    key: code.Expr | None = None
    value: code.Expr | None = None

    @property
    def removes(self) -> bool:
        """True where an entry leaves the container."""
        return self.kind in ("remove", "clear")

    @property
    def adds(self) -> bool:
        """True where an entry enters the container."""
        return self.kind in ("insert", "append", "prepend")


def changes_container(name: str) -> str:
    """The kind of use that a container's function of this name is; empty for one that changes nothing."""
    return _INSERTS.get(name) or _REMOVES.get(name) or ""


def uses(method: Method) -> Iterator[Use]:
    """The uses in one function, those of statements first."""
    seen: set[int] = set()
    for stmt in method.statements:
        for use in _statement_uses(stmt, method):
            seen.add(id(use.node if not isinstance(use.node, code.Sub) else use.node.base))
            yield use
    for expr in method.exprs():
        if isinstance(expr, code.Call) and isinstance(expr.func, code.Attr):
            attribute = method.own_attribute(expr.func.base)
            kind = changes_container(expr.func.name)
            if attribute and (kind or expr.func.name in _LOOKUPS):
                seen.update((id(expr.func), id(expr.func.base)))
                values = [a.value for a in expr.args if not a.star]
                key = values[0] if values else None
                if expr.func.name == "insert" and len(values) == 2:
                    zero = isinstance(key, code.Const) and key.value == 0
                    yield Use(attribute, "prepend" if zero else "insert", expr, method, key, values[1])
                    continue
                yield Use(attribute, kind or "lookup", expr, method, key, values[-1] if values else None)
        elif isinstance(expr, code.Compare) and expr.ops[-1] in ("in", "not in"):
            attribute = method.own_attribute(expr.rights[-1])
            if attribute:
                seen.add(id(expr.rights[-1]))
                yield Use(attribute, "test", expr, method, expr.left)
    for expr in method.exprs():
        if isinstance(expr, (code.Attr, code.Name)) and id(expr) not in seen:
            attribute = method.own_attribute(expr)
            parent = method.parent(expr)
            if attribute and not (isinstance(parent, code.Attr) and parent.base is expr):
                yield Use(attribute, "read", expr, method)


def _statement_uses(stmt: code.Stmt, method: Method) -> Iterator[Use]:
    match stmt:
        case code.Assign(targets=targets, value=value):
            for target in targets:
                yield from _target_uses(target, value, method, "write")
        case code.Augment(target=target, value=value):
            yield from _target_uses(target, value, method, "update")
        case code.For(target=target):
            yield from _target_uses(target, None, method, "write")
        case code.Delete(targets=targets):
            for target in targets:
                if isinstance(target, code.Sub) and (attribute := method.own_attribute(target.base)):
                    kind = "clear" if isinstance(target.key, code.Slice) and not target.key.parts else "remove"
                    yield Use(attribute, kind, target, method, target.key)
                elif attribute := method.own_attribute(target) if isinstance(target, code.Attr) else "":
                    yield Use(attribute, "clear", target, method)


def _target_uses(target: code.Expr, value: code.Expr | None, method: Method, kind: str) -> Iterator[Use]:
    if isinstance(target, code.Seq):
        parts = value.items if isinstance(value, code.Seq) and len(value.items) == len(target.items) else None
        for i, item in enumerate(target.items):
            yield from _target_uses(item, parts[i] if parts else None, method, kind)
    elif isinstance(target, code.Attr) and (attribute := method.own_attribute(target)):
        yield Use(attribute, kind, target, method, None, value)
    elif isinstance(target, code.Sub) and (attribute := method.own_attribute(target.base)):
        yield Use(attribute, "insert" if kind == "write" else "update", target, method, target.key, value)
