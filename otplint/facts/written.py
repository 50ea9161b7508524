"""What is written in one function, whoever it belongs to: statements, expressions, parents, local names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from otplint.facts.syntax import code
from otplint.facts.values import matched


class Written:
    """One function as its file has it; nothing here depends on the actor, so all who ask share it.

    :param package: of the file, which relative imports start from.
    :param outer: the function around it.
    """

    def __init__(self, function: code.Function, package: str, outer: Written | None) -> None:
        self.code = function
        self.package = package
        self.outer = outer
        self._aliases: dict[tuple[str, str], dict[str, str]] = {}

    @cached_property
    def statements(self) -> tuple[code.Stmt, ...]:
        """All statements in source order, those of nested functions left out."""
        return tuple(code.statements(self.code.body))

    @cached_property
    def parents(self) -> dict[int, code.Node]:
        """The node right above each one, by its id."""
        found: dict[int, code.Node] = {}
        for stmt in self.statements:
            heads: list[tuple[code.Node, code.Expr]] = [(stmt, e) for e in code.expressions(stmt)]
            if isinstance(stmt, code.Try):
                for handler in stmt.handlers:
                    found[id(handler)] = stmt
                    found.update({id(s): handler for s in handler.body})
                found.update({id(s): stmt for s in (*stmt.body, *stmt.orelse, *stmt.final)})
            elif isinstance(stmt, code.Match):
                for case in stmt.cases:
                    found[id(case)] = stmt
                    found.update({id(s): case for s in case.body})
                    heads += [(case, e) for e in (case.pattern, case.guard) if e is not None]
            elif not isinstance(stmt, (code.Function, code.Class)):
                found.update({id(s): stmt for block in code.blocks(stmt) for s in block})
            for parent, head in heads:
                found[id(head)] = parent
                for expr in code.walk(head, lambdas=True):
                    inner = (expr.body,) if isinstance(expr, code.Lambda) else code.parts(expr)
                    found.update({id(part): expr for part in inner})
        return found

    @cached_property
    def exprs(self) -> tuple[code.Expr, ...]:
        """Every expression, nested functions left out."""
        return tuple(self._all_exprs())

    def _all_exprs(self) -> Iterator[code.Expr]:
        for stmt in self.statements:
            heads = [*code.expressions(stmt)]
            if isinstance(stmt, code.Match):
                heads += [c.guard for c in stmt.cases if c.guard is not None]
            for head in heads:
                yield from code.walk(head, lambdas=True)

    @cached_property
    def calls(self) -> tuple[code.Call, ...]:
        """Every call written in the function, in source order."""
        return tuple(e for e in self.exprs if isinstance(e, code.Call))

    @cached_property
    def handlers(self) -> tuple[tuple[code.Try, code.Handler], ...]:
        """The ``except`` clauses, each with its ``try``."""
        return tuple((s, h) for s in self.statements if isinstance(s, code.Try) for h in s.handlers)

    @cached_property
    def bindings(self) -> dict[str, str]:
        """Local names: the import target, or the empty string for a variable."""
        found: dict[str, str] = {} if self.outer is None else dict(self.outer.bindings)
        escaped: set[str] = set()
        for param in self.code.params:
            found[param.name] = ""
        for stmt in self.statements:
            if isinstance(stmt, code.Import):
                found.update({local: _absolute(target, self.package) for local, target in stmt.names})
            elif isinstance(stmt, code.Scope):
                escaped.update(stmt.names)
            elif isinstance(stmt, (code.Function, code.Class)):
                found.setdefault(stmt.name, "")
            found.update(dict.fromkeys(_made_by(stmt), ""))
            for name in _looped(stmt):
                found.setdefault(name, "")
        for name in escaped:
            found.pop(name, None)
        return found

    def aliases(self, instance: str, state: str) -> dict[str, str]:
        """Locals that only ever name one attribute of the instance, or of the state that is passed, by these names."""
        key = (instance, state)
        if key not in self._aliases:
            self._aliases[key] = self._named(instance, state)
        return self._aliases[key]

    def _named(self, instance: str, state: str) -> dict[str, str]:
        found: dict[str, str] = {}
        broken: set[str] = {p.name for p in self.code.params}
        for stmt in self.statements:
            for target in _targets(stmt):
                for name in _bound(target):
                    base = matched(target, stmt.value, name) if isinstance(stmt, code.Assign) and stmt.value else None
                    if isinstance(stmt, code.Assign) and base is stmt.value and not isinstance(target, code.Name):
                        base = None  # what is unpacked is not the attribute
                    names: list[str] = []
                    while isinstance(base, code.Attr):
                        names.append(base.name)
                        base = base.base
                    own = isinstance(base, code.Name) and base.id in (instance, state) and names
                    if own and found.get(name, path := ".".join(reversed(names))) == path:
                        found[name] = path
                    else:
                        broken.add(name)
        return {n: path for n, path in found.items() if n not in broken}

    @cached_property
    def local_assignments(self) -> dict[str, list[tuple[code.Stmt, code.Expr]]]:
        """The plain assignments of each local with their values, in order; see :func:`values.local_assignments`."""
        found: dict[str, list[tuple[code.Stmt, code.Expr]]] = {}
        for stmt in self.statements:
            if isinstance(stmt, code.Assign) and stmt.value is not None:
                for target in stmt.targets:
                    for name in dict.fromkeys(_bound(target)):
                        value = matched(target, stmt.value, name)
                        if value is not None:
                            found.setdefault(name, []).append((stmt, value))
            elif isinstance(stmt, code.With):
                for context, bound in stmt.items:
                    if isinstance(bound, code.Name):
                        found.setdefault(bound.id, []).append((stmt, context))
            else:
                for expr in (e for head in code.expressions(stmt) for e in code.walk(head)):
                    if isinstance(expr, code.Walrus):
                        found.setdefault(expr.target.id, []).append((stmt, expr.value))
        return found


def _targets(stmt: code.Stmt) -> tuple[code.Expr, ...]:
    match stmt:
        case code.Assign(targets=targets):
            return targets
        case code.Augment(target=target) | code.For(target=target):
            return (target,)
        case code.With(items=items):
            return tuple(t for _, t in items if t is not None)
    return ()


def _made_by(stmt: code.Stmt) -> Iterator[str]:
    """The variables that a statement gives a value, comprehensions' own left out."""
    if isinstance(stmt, code.Try):
        yield from (h.name for h in stmt.handlers if h.name)
    elif isinstance(stmt, code.Match):
        for case in stmt.cases:
            yield from _bound(case.pattern)
    for target in _targets(stmt):
        yield from _bound(target)
    for head in code.expressions(stmt):
        yield from (e.target.id for e in code.walk(head) if isinstance(e, code.Walrus))


def _looped(stmt: code.Stmt) -> Iterator[str]:
    """The variables of the comprehensions in a statement."""
    for head in code.expressions(stmt):
        for expr in code.walk(head):
            for clause in expr.clauses if isinstance(expr, code.Comp) else ():
                yield from _bound(clause.target)


def _bound(target: code.Expr) -> Iterator[str]:
    """The names that an assignment target or a ``case`` pattern binds."""
    match target:
        case code.Name(id=name):
            yield name
        case code.Seq(items=items):
            for item in items:
                yield from _bound(item)
        case code.Star(value=value):
            yield from _bound(value)
        case code.Walrus(target=inner, value=value):
            yield inner.id
            yield from _bound(value)
        case code.Call(args=args):
            for arg in args:
                yield from _bound(arg.value)
        case code.Binary(left=left, right=right):
            yield from _bound(left)
            yield from _bound(right)
        case code.Dict(items=items):
            for _, value in items:
                yield from _bound(value)


def _absolute(target: str, package: str) -> str:
    """A local import's target with its leading dots resolved."""
    dots = len(target) - len(target.lstrip("."))
    if not dots:
        return target
    parts = package.split(".")
    kept = parts[: len(parts) - (dots - 1)] if dots > 1 else parts
    return ".".join([*kept, target[dots:]])
