"""The ways into an actor: its handlers, and the branches of a handler that takes several kinds of messages.

``match`` and ``if`` over the message, tables of methods by message, ``getattr(self, f"on_{kind}")`` and
``singledispatchmethod`` are the ways in which Python programs write what other languages have clauses for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.methods import Method, Role
from otplint.facts.queries.messaging.messages import comes_with_message
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor

_EQUAL = ("==", "is", "in", "match")
_PLAIN = {
    "int",
    "str",
    "float",
    "bool",
    "bytes",
    "dict",
    "list",
    "tuple",
    "set",
    "frozenset",
    "None",
    "type",
    "complex",
}


@dataclass(frozen=True)
class Entry:
    """What an actor does about one kind of message."""

    name: str
    """As a reader would call it: the message's type, the constant it is known by, or the method's name."""
    method: Method
    node: code.Node
    """What to point at: the branch's test or ``case``, or the function."""
    body: code.Block
    """The statements that run."""
    types: tuple[str, ...] = ()
    """Qualified names of the message types."""
    values: tuple[object, ...] = ()
    """Constants that tell the message from others."""

    @property
    def message(self) -> str:
        """The kind of message that it is for, where that is known, else its name."""
        told = [type_.rpartition(".")[2] for type_ in self.types] + [str(value) for value in self.values]
        return told[0] if self.node is self.method.code and told else self.name


def entries(actor: Actor) -> tuple[Entry, ...]:
    """The ways into an actor, its bases' included, in source order of each class."""
    found: list[Entry] = []
    split: set[int] = set()
    for method in actor.everything:
        if method.role in (Role.HANDLER, Role.LOOP) and id(method.code) not in split:
            strict = method.role is Role.HANDLER and method.name not in actor.kind.handlers
            found += _split(method, split, strict) or [_whole(method, strict)]
    known = {id(entry.method.code) for entry in found if entry.node is entry.method.code} | split
    for method in _tabled(actor):
        if id(method.code) not in known:
            known.add(id(method.code))
            found.append(Entry(method.name, method, method.code, method.body))
    return tuple(found)


def _whole(method: Method, strict: bool) -> Entry:
    """A function that does one thing, if need be for the one kind of message that it asks for."""
    asked = [] if strict else list(_branches(method.body, method))
    types, values = (asked[0].types, asked[0].values) if len(asked) == 1 else ((), ())
    return Entry(method.name, method, method.code, method.body, types, values)


def _split(method: Method, split: set[int], strict: bool) -> list[Entry]:
    """The branches of a function that tells messages apart, those of the helpers it hands them to included.

    ``strict`` where the function's name tells most, as in a method that is called by proxy: there only the types of a
    single parameter tell messages apart, and an ``int`` or a ``str`` is an argument.
    """
    if id(method.code) in split or (strict and not _takes_one(method)):
        return []
    split.add(id(method.code))
    branches = list(_branches(method.body, method))
    if strict and any(not b.types or _PLAIN & {t.rpartition(".")[2] for t in b.types} for b in branches):
        branches = []
    found: list[Entry] = []
    inside: set[int] = set()
    for branch in branches:
        inner = [e for helper in _handed_to(branch.body, method) for e in _split(helper, split, strict)]
        inside |= {id(stmt) for stmt in code.statements(branch.body)}
        found += inner or [branch]
    rest = [stmt for stmt in method.statements if id(stmt) not in inside]
    for helper in _handed_to(rest, method, flat=True):
        found += _split(helper, split, strict)
    if len(found) < 2:
        split.discard(id(method.code))
        return []
    return found


def _takes_one(method: Method) -> bool:
    """True for a function of one parameter, or of a message and its context."""
    return len(method.code.params) - bool(method.self_name) in (1, 2)


def _branches(block: code.Block, method: Method) -> Iterator[Entry]:
    """The first branches that a message can take."""
    for stmt in block:
        match stmt:
            case code.Function() | code.Class():
                continue
            case code.If(test=test, body=body, orelse=orelse):
                told = _told(test, method)
                if told is not None:
                    yield Entry(told[0], method, test, body, *told[1:])
                    yield from _branches(orelse, method)
                    continue
            case code.Match(subject=subject, cases=cases) if _is_message(subject, method):
                for case in cases:
                    told = _pattern(case.pattern, method)
                    if told is not None:
                        yield Entry(told[0], method, case, case.body, *told[1:])
                continue
        for inner in code.blocks(stmt):
            yield from _branches(inner, method)


_Told = tuple[str, tuple[str, ...], tuple[object, ...]]


def _told(test: code.Expr, method: Method) -> _Told | None:
    """What a test says about the message: a name for it, types and constants."""
    match test:
        case code.Bool(op="and", parts=parts):
            return next((told for part in parts if (told := _told(part, method)) is not None), None)
        case code.Bool(op="or", parts=parts):
            alternatives = [_told(part, method) for part in parts]
            told_all = [told for told in alternatives if told is not None]
            return _joined(told_all) if len(told_all) == len(alternatives) else None
        case code.Call(args=(subject, kinds)) if code.dotted(test.func) == "isinstance":
            return _pattern(kinds.value, method, types=True) if _is_message(subject.value, method) else None
        case code.Compare(left=left, ops=(op,), rights=(right,)) if op in _EQUAL:
            if op == "in":
                return _pattern(right, method) if isinstance(right, code.Seq) and _is_message(left, method) else None
            typed = _type_call(left)
            if typed is not None:
                return _pattern(right, method, types=True) if _is_message(typed, method) else None
            for one, other in ((left, right), (right, left)):
                if _constant(other) and _is_message(one, method):
                    return _pattern(other, method)
    return None


def _type_call(expr: code.Expr) -> code.Expr | None:
    if isinstance(expr, code.Call) and code.dotted(expr.func) == "type" and len(expr.args) == 1:
        return expr.args[0].value
    return None


def _constant(expr: code.Expr) -> bool:
    """A literal other than None, True and False, or a dotted name such as an enumeration's member."""
    if isinstance(expr, code.Const):
        return isinstance(expr.value, (str, bytes, int)) and not isinstance(expr.value, bool)
    return isinstance(expr, (code.Attr, code.Name)) and bool(code.dotted(expr))


def _is_message(expr: code.Expr, method: Method) -> bool:
    if isinstance(expr, code.Seq):
        return bool(expr.items) and _is_message(expr.items[0], method)
    if (typed := _type_call(expr)) is not None:
        return _is_message(typed, method)
    return comes_with_message(expr, method)


def _pattern(pattern: code.Expr, method: Method, *, types: bool = False) -> _Told | None:
    """What a ``case`` pattern, or the constant that a message is compared with, tells it by."""
    match pattern:
        case code.Binary(op="|", left=left, right=right):
            return _joined([t for p in (left, right) if (t := _pattern(p, method, types=types)) is not None])
        case code.Walrus(value=value) | code.Star(value=value):
            return _pattern(value, method)
        case code.Call(func=func):
            return _named(func, method)
        case code.Const(value=value) if _constant(pattern):
            return str(value), (), (value,)
        case code.Attr():
            return _named(pattern, method) if types else (pattern.name, (), (method.qualname(pattern),))
        case code.Name() if types:
            return _named(pattern, method)
        case code.Name(id=name) if name != "_" and not method.is_local(name):
            return name, (), (method.qualname(pattern),)
        case code.Seq(items=items) if types or pattern.kind == "set" or all(map(_constant, items)):
            return _joined([t for item in items if (t := _pattern(item, method, types=types)) is not None])
        case code.Seq(items=items):
            return next((t for item in items if (t := _pattern(item, method)) is not None), None)
        case code.Dict(items=items):
            return next((t for _, value in items if (t := _pattern(value, method)) is not None), None)
    return None


def _named(expr: code.Expr, method: Method) -> _Told | None:
    written = code.dotted(expr)
    return (written.rpartition(".")[2], (method.qualname(expr) or written,), ()) if written else None


def _joined(told: list[_Told]) -> _Told | None:
    if not told:
        return None
    return (
        "/".join(name for name, _, _ in told),
        tuple(t for _, types, _ in told for t in types),
        tuple(v for _, _, values in told for v in values),
    )


def _handed_to(block: Iterable[code.Stmt], method: Method, *, flat: bool = False) -> list[Method]:
    """The own helpers that are given the message in these statements."""
    found: list[Method] = []
    for stmt in block if flat else code.statements(tuple(block)):
        for head in code.expressions(stmt):
            for expr in code.walk(head):
                if isinstance(expr, code.Call) and any(_is_message(a.value, method) for a in expr.args):
                    helper = method.actor.own_method(expr, method)
                    if helper is not None and helper is not method and helper not in found:
                        found.append(helper)
    return found


# -- tables


def _tabled(actor: Actor) -> Iterator[Method]:
    """Own functions that messages are sent to by a table, by a name put together, or by the message's type."""
    names = {m.name: m for m in actor.everything if m.outer is None}
    alive = [m for m in actor.everything if m.role in (Role.HANDLER, Role.LOOP)]
    living = {id(m) for m in actor.reached(*alive)} if alive else set()
    for method in (*actor.everything, actor.class_body):
        for expr in method.exprs():
            if isinstance(expr, code.Dict):
                values = [_own_name(value, method) for _, value in expr.items]
                if len(values) >= 2 and all(value in names for value in values):
                    yield from (names[value] for value in values)
            elif isinstance(expr, code.Call) and id(method) in living and (prefix := _prefix(expr, method)):
                yield from (m for name, m in names.items() if name.startswith(prefix) and name != prefix)
    for method in actor.everything:
        for decorator in method.code.decorators:
            func = decorator.func if isinstance(decorator, code.Call) else decorator
            generic = names.get(code.dotted(func).removesuffix(".register"))
            if code.dotted(func).endswith(".register") and generic is not None and id(generic) in living:
                yield method


def _own_name(expr: code.Expr, method: Method) -> str:
    """The own function that a table's entry is: ``self.f``, or ``f`` in the body of the class."""
    if isinstance(expr, code.Name) and method is method.actor.class_body:
        return expr.id
    own = (method.self_name, method.actor.name.rpartition(".")[2])
    if isinstance(expr, code.Attr) and isinstance(expr.base, code.Name) and expr.base.id in own:
        return expr.name
    return ""


def _prefix(call: code.Call, method: Method) -> str:
    """The fixed beginning of the name in ``getattr(self, f"on_{kind}")``."""
    if code.dotted(call.func) != "getattr" or len(call.args) < 2:
        return ""
    if not isinstance(call.args[0].value, code.Name) or call.args[0].value.id != method.self_name:
        return ""
    name = call.args[1].value
    head: code.Expr | None = None
    if isinstance(name, code.Text) and name.parts:
        head = name.parts[0]
    elif isinstance(name, code.Binary) and name.op == "+":
        head = name.left
    prefix = head.value if isinstance(head, code.Const) and isinstance(head.value, str) else ""
    return prefix if prefix.strip("_") else ""
