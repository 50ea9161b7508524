"""Numbers that no configuration can reach: literals, and the constants, locals and helpers that only hold literals.

The question is asked backwards from a value that matters (a limit, one side of a comparison). A parameter, a default
of one, an attribute of the instance, an environment or settings look-up anywhere on the way makes the value
configurable, and then there is no answer. Neither is there one where a test chooses between numbers: what chooses
them is then the question, and that is another rule's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.syntax import code
from otplint.facts.values import local_values

if TYPE_CHECKING:
    from otplint.facts.index.entries import ClassEntry, ModuleIndex
    from otplint.facts.methods import Method
    from otplint.facts.source import Source

_MAX_DEPTH = 6
_CONVERSIONS = {"int", "float", "round", "abs"}
_DELTAS = {"datetime.timedelta": (86400.0, 1.0, 1e-6, 1e-3, 60.0, 3600.0, 604800.0)}
_UNITS = ("days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks")
_RECORDS = {"BaseModel", "BaseSettings", "NamedTuple", "Struct", "TypedDict", "Enum", "IntEnum", "HasTraits"}
_SETTINGS_MODULES = {"settings", "config", "conf", "configuration"}


class Fixed(NamedTuple):
    """A number that is written down once and for all."""

    value: float
    """Seconds for a ``timedelta``."""
    node: code.Expr
    """The literal, or the name that the constant's definition binds."""
    place: Method
    """The function, class body or module that it is written in."""
    kind: str
    """``literal`` where it is used, ``local`` elsewhere in a function, ``class`` or ``module`` for a constant."""
    name: str = ""
    """The constant's name."""
    conventional: bool = False
    """True in a module that is a settings file by its name."""

    @property
    def is_constant(self) -> bool:
        """True for a number with a name outside functions."""
        return self.kind in ("class", "module")

    @property
    def is_trivial(self) -> bool:
        """True for 0, 1 and -1, which are no settings."""
        return self.value in (0, 1, -1)


def number(expr: code.Expr | None, method: Method | None = None) -> float | None:
    """The value of a literal number or of arithmetic on literals; a ``timedelta`` of literals counts in seconds."""
    match expr:
        case code.Const(value=value) if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
        case code.Unary(op=("-" | "+") as op, value=inner):
            found = number(inner, method)
            return None if found is None else -found if op == "-" else found
        case code.Binary(op=op, left=left, right=right):
            first, second = number(left, method), number(right, method)
            return None if first is None or second is None else _computed(op, first, second)
        case code.Call(func=func, args=args) if method is not None and args:
            units = _DELTAS.get(method.qualname(func))
            values = [number(a.value, method) for a in args]
            if units is None or any(v is None for v in values) or any(a.star for a in args):
                return None
            places = [_UNITS.index(a.name) if a.name in _UNITS else i for i, a in enumerate(args)]
            return sum(units[p] * v for p, v in zip(places, values, strict=True) if v is not None and p < len(units))
    return None


def _computed(op: str, first: float, second: float) -> float | None:
    try:
        match op:
            case "+":
                return first + second
            case "-":
                return first - second
            case "*":
                return first * second
            case "/":
                return first / second
            case "//":
                return first // second
            case "**" if abs(second) <= 64:
                return float(first**second)
            case "<<" if isinstance(first, int) and isinstance(second, int) and 0 <= second <= 64:
                return first << second
    except ArithmeticError:
        return None
    return None


def fixed(expr: code.Expr, method: Method) -> list[Fixed]:
    """The numbers that alone make ``expr`` up; empty where something configurable has a part in it."""
    return _fixed(expr, method, 0, "literal") or []


def _fixed(expr: code.Expr, method: Method, depth: int, kind: str) -> list[Fixed] | None:
    value = number(expr, method)
    if value is not None:
        return [Fixed(value, expr, method, kind)]
    if depth > _MAX_DEPTH:
        return None
    match expr:
        case code.Await(value=inner) | code.Walrus(value=inner) | code.Unary(op="-", value=inner):
            return _fixed(inner, method, depth + 1, kind)
        case code.Binary(op="+" | "-" | "*" | "/" | "//", left=left, right=right):
            return _all([left, right], method, depth, kind)
        case code.Call(func=code.Name(id=name), args=(only,)) if name in _CONVERSIONS and not only.star:
            return _fixed(only.value, method, depth + 1, kind)
        case code.Call():
            if method.qualname(expr.func) in _DELTAS:
                return _all([a.value for a in expr.args], method, depth, kind)
            return _returned(expr, method, depth)
        case code.Name():
            return _named(expr, method, depth)
        case code.Attr():
            return _attribute(expr, method, depth)
    return None


def _all(parts: list[code.Expr], method: Method, depth: int, kind: str) -> list[Fixed] | None:
    found: list[Fixed] = []
    for part in parts:
        inner = _fixed(part, method, depth + 1, kind)
        if inner is None:
            return None
        found += inner
    return found or None


def _returned(call: code.Call, method: Method, depth: int) -> list[Fixed] | None:
    helper = method.actor.own_method(call, method) or method.actor.facts.function(method.qualname(call.func))
    if helper is None or helper.code is method.code or _is_overridden(helper):
        return None
    return _returns(helper, depth)


def _returns(helper: Method, depth: int) -> list[Fixed] | None:
    results = [s for s in helper.statements if isinstance(s, code.Return)]
    if len(results) != 1 or results[0].value is None:
        return None
    return _fixed(results[0].value, helper, depth + 1, "local")


def _is_overridden(helper: Method) -> bool:
    """A method that subclasses define anew is a way to configure."""
    project = helper.actor.facts.project
    below = project.subclasses(helper.owner) if helper.owner else ()
    found = (project.find_class(name) for name in below)
    return any(any(m.name == helper.name for m in located[1].methods) for located in found if located is not None)


def _named(expr: code.Name, method: Method, depth: int) -> list[Fixed] | None:
    place: Method | None = method
    while place is not None:
        if any(p.name == expr.id for p in place.code.params):
            return None
        values = list(local_values(expr.id, place))
        if values:
            if len(values) > 1 or is_rebound(expr.id, place):
                return None
            return _fixed(values[0], place, depth + 1, "local")
        if place.is_local(expr.id) and (place.outer is None or not place.outer.is_local(expr.id)):
            return None
        place = place.outer
    return _module_constant(method.qualname(expr), method, depth)


def is_rebound(name: str, method: Method) -> bool:
    """True where the local is also changed by a loop, an augmented assignment or the like."""
    for stmt in code.statements(method.body, nested=True):
        match stmt:
            case code.Augment(target=code.Name(id=found)) if found == name:
                return True
            case code.For(target=target) if any(code.dotted(e) == name for e in code.walk(target)):
                return True
            case code.Scope(names=names) if name in names:
                return True
    return False


def _attribute(expr: code.Attr, method: Method, depth: int) -> list[Fixed] | None:
    own = method.own_attribute(expr)
    if own:
        return None if "." in own else _own_attribute(own, method, depth)
    base, project = expr.base, method.actor.facts.project
    if isinstance(base, code.Name) and base.id == "cls" and method.is_local("cls"):
        return _own_attribute(expr.name, method, depth)
    asked = isinstance(base, code.Call) and code.dotted(base.func) == "type"
    if asked or (isinstance(base, code.Attr) and base.name == "__class__"):
        return _own_attribute(expr.name, method, depth)
    owner = method.qualname(base)
    if owner and project.find_class(owner) is not None:
        own_class = owner in project.mro(method.actor.qualname)
        return _class_constant(expr.name, owner, method, depth, plain_only=not own_class)
    return _module_constant(method.qualname(expr), method, depth)


def _own_attribute(name: str, method: Method, depth: int) -> list[Fixed] | None:
    actor = method.actor
    if not isinstance(actor.node, code.Class):
        return None
    prop = actor.method(name)
    if prop is not None:
        is_property = any(code.dotted(d).endswith("property") for d in prop.code.decorators)
        return _returns(prop, depth + 1) if is_property and not _is_overridden(prop) else None
    return _class_constant(name, actor.qualname, method, depth, plain_only=False)


def _class_constant(name: str, start: str, method: Method, depth: int, *, plain_only: bool) -> list[Fixed] | None:
    """The constant ``name`` of the class ``start`` or the nearest ancestor that has it."""
    facts = method.actor.facts
    for owner in facts.project.mro(start):
        located = facts.project.find_class(owner)
        if located is None or name not in located[1].assigned:
            continue
        index, entry = located
        if plain_only and (entry.bases or entry.decorators):
            return None
        body = facts.class_body(index, entry)
        written = [
            (stmt, target)
            for stmt in body.body
            if isinstance(stmt, code.Assign)
            for target in stmt.targets
            if isinstance(target, code.Name) and target.id == name
        ]
        if len(written) != 1 or written[0][0].value is None or _is_field(written[0][0], entry, owner, method):
            return None
        if _class_is_configured(name, start, owner, index, entry, method):
            return None
        return _constant(written[0][0].value, written[0][1], body, depth, "class", name)
    return None


def _constant(
    value: code.Expr, target: code.Expr, place: Method, depth: int, kind: str, name: str
) -> list[Fixed] | None:
    """The constant itself, however many numbers it is made of."""
    found = _fixed(value, place, depth + 1, kind)
    if found is None:
        return None
    worth = number(value, place)
    others = [f for f in found if f.is_constant and f.place is not place]
    if worth is None and len(others) == len(found) == 1:
        return found  # a mere alias of another constant
    module = place.source.index.module.rpartition(".")[2]
    single = worth if worth is not None else max((f.value for f in found), key=abs)
    return [Fixed(single, target, place, kind, name, module in _SETTINGS_MODULES)]


def _is_field(stmt: code.Assign, entry: ClassEntry, owner: str, method: Method) -> bool:
    """True for a field of a dataclass or the like: each instance may get another value."""
    if stmt.annotation is None:
        ancestors = method.actor.facts.project.mro(owner)
        return any(a.rpartition(".")[2] in {"Enum", "IntEnum", "HasTraits"} for a in ancestors)
    if any("ClassVar" in code.dotted(e) or "Final" in code.dotted(e) for e in code.walk(stmt.annotation)):
        return False
    made = {"dataclass", "define", "attrs", "s", "frozen", "mutable"}
    if any(d.rpartition(".")[2] in made for d in entry.decorators):
        return True
    return any(a.rpartition(".")[2] in _RECORDS for a in method.actor.facts.project.mro(owner))


def _class_is_configured(
    name: str, start: str, owner: str, index: ModuleIndex, entry: ClassEntry, method: Method
) -> bool:
    """True where a subclass, an instance or anybody in the files at hand gives the constant another value."""
    facts = method.actor.facts
    sources = [facts.source(index), method.actor.source, method.source]
    inheritors = {*facts.project.subclasses(owner), *facts.project.mro(start)}
    for inheritor in sorted(inheritors - {owner}):
        located = facts.project.find_class(inheritor)
        if located is None:
            continue
        if name in located[1].assigned and inheritor not in facts.project.mro(owner):
            return True
        sources.append(facts.source(located[0]))
    region = facts.source(index).text[entry.start : entry.end]
    if re.search(r"\bsetattr\(\s*(self|cls)\b|\b__dict__\b|\bvars\(self\)", region):
        return True
    return any(source.remembered(_is_given, name) for source in _distinct(sources))


def _module_constant(qualified: str, method: Method, depth: int) -> list[Fixed] | None:
    facts = method.actor.facts
    entries = list(facts.constants(qualified))
    if len(entries) != 1:
        return None
    place, stmt, value = entries[0]
    name = facts.project.canonical(qualified).rpartition(".")[2]
    targets = stmt.targets if isinstance(stmt, code.Assign) else ()
    target = next((t for t in targets if isinstance(t, code.Name) and t.id == name), None)
    if target is None or place.source.lines.position(stmt.start)[1] > 1:
        return None
    if place.source.remembered(_is_rebound, name):
        return None
    if any(source.remembered(_is_given, name) for source in _distinct([place.source, method.source])):
        return None
    return _constant(value, target, place, depth, "module", name)


def _is_rebound(source: Source, name: str) -> bool:
    """True where a function of the file declares the name global."""
    return name in source.text and re.search(rf"^\s+global\s[^\n]*\b{name}\b", source.text, re.MULTILINE) is not None


def _distinct(sources: list[Source]) -> Iterator[Source]:
    seen = set()
    for source in sources:
        if source.path not in seen:
            seen.add(source.path)
            yield source


def _is_given(source: Source, name: str) -> bool:
    """True where the name is a default that others may override, or is assigned through a module or an instance."""
    escaped = re.escape(name)
    if name not in source.text:
        return False
    dotted = rf"(?:\w+\.)*{escaped}\b"
    return bool(
        re.search(rf"\bdef\s+\w+\s*\((?:[^()]|\([^()]*\))*=\s*{dotted}", source.text)
        or re.search(rf"\.{escaped}\s*(?::[^=\n]+)?=[^=]", source.text)
        or re.search(
            rf"""\.?\b(?:get|getenv|pop|getint|getfloat)\([^()\n]*,\s*(?:\w+=)?{dotted}\s*,?\s*\)""", source.text
        )
        or re.search(rf"\bor\s+{dotted}|\belse\s+{dotted}|\bdefault\s*=\s*{dotted}", source.text)
    )
