"""Whether the arm of a clause reports the failure to somebody who will act on it."""

from __future__ import annotations

from collections.abc import Iterator

from otplint.facts.flow import Point
from otplint.facts.methods import Method, Role
from otplint.facts.queries.failure.reaction import LOUD, QUIET, answers, describes, logged
from otplint.facts.queries.failure.results import fails_by, hands_on
from otplint.facts.syntax import code

__all__ = ["Reports"]

_HANDS_OVER = frozenset({"set_exception", "set_exc_info"})


class Reports:
    """Whether a point of the flow reports the exception that an arm of a clause holds.

    Args:
        method: the function of the clause.
        name: the variable that holds the exception; empty where none does.
        body: what the arm does.
        around: the statement that the clause belongs to.
        strictly: handing the exception on counts only where a future takes it.
    """

    def __init__(self, method: Method, name: str, body: code.Block, around: code.Stmt, *, strictly: bool) -> None:
        self.method = method
        self.actor = method.actor
        self.strictly = strictly
        self.names = {id(method.code): {name}} if name else {}
        """Variables that hold the exception, by function."""
        self._follow(body, method, 0)
        self.ends = _loop_switches(around, method)

    def __call__(self, point: Point) -> bool:
        """True for a point by which somebody learns of the failure, or that ends the actor."""
        node = point.node
        if isinstance(node, code.Raise):
            return True
        owner = self.actor.method_of(point.function) or self.method
        if isinstance(node, code.Call):
            return self._stops(node, owner) or self._hands_over(node, owner)
        if isinstance(node, code.Return) and node.value is not None and not self.strictly:
            names = self.names.get(id(point.function), set())
            if point.function is not self.method.code or owner.role is Role.HANDLER or not _holds(node.value, names):
                return False
            callers = owner.actor.facts.calls_of(owner)  # an error that is made a value is lost unless one looks at it
            if isinstance(node.value, code.Name) and any(hands_on(call, caller) for call, caller in callers):
                return True
            return (
                any(fails_by(call, caller) for call, caller in callers) if callers else not _is_error_value(node.value)
            )
        if isinstance(node, code.Assign) and node.value is not None:
            names = self.names.get(id(point.function), set())
            for target in node.targets:
                if _switch(target, owner) in self.ends:
                    return True
                if not self.strictly and _holds(node.value, names) and self._is_passed_on(target, owner):
                    return True
        return False

    def ends_it(self, point: Point) -> bool:
        """Accepts what fails or stops the actor after the arm, for whatever reason."""
        owner = self.actor.method_of(point.function) or self.method
        node = point.node
        return isinstance(node, code.Raise) or (isinstance(node, code.Call) and self._stops(node, owner))

    def _follow(self, body: code.Block, method: Method, depth: int) -> None:
        """Find under which names own helpers, called from the arm, hold the exception."""
        names = self.names.get(id(method.code), set())
        for call in code.calls(body):
            helper = self.actor.own_method(call, method)
            if helper is None or depth > 3 or id(helper.code) in self.names:
                continue
            params = helper.code.params[1:] if isinstance(call.func, code.Attr) else helper.code.params
            held = {
                a.name or (params[i].name if i < len(params) else "")
                for i, a in enumerate(call.args)
                if _holds(a.value, names)
            } - {""}
            if held:
                self.names[id(helper.code)] = held
            self._follow(helper.body, helper, depth + 1)

    def _stops(self, call: code.Call, owner: Method) -> bool:
        """Ends the actor, its process, or the loop that it is."""
        event = owner.event(call)
        if event is not None and event.role == "stop":
            return True
        if event is not None and event.role == "kill":
            attribute = owner.own_attribute(event.target)
            own = attribute in owner.actor.kind.attributes
            mine = any(owner.qualname(c.func) == "os.getpid" for a in call.args for c in code.walk(a.value)
                       if isinstance(c, code.Call))  # fmt: skip
            return own or mine
        return (
            isinstance(call.func, code.Attr) and call.func.name == "set" and _switch(call.func.base, owner) in self.ends
        )

    def _hands_over(self, call: code.Call, owner: Method) -> bool:
        """True where the exception object itself goes to somebody who is not a log."""
        func = call.func.name if isinstance(call.func, code.Attr) else code.dotted(call.func)
        if func in _HANDS_OVER:
            return True
        names = self.names.get(id(owner.code), set())
        if any(isinstance(a.value, code.Attr) and a.value.name in _HANDS_OVER for a in call.args):
            return True  # loop.call_soon_threadsafe(future.set_exception, error)
        if not names or self.strictly or logged(call, owner) is not None or describes(call, owner):
            return False
        if func in LOUD or func in QUIET or func.startswith(("format", "capture_", "record_")):
            return False
        if self.actor.own_method(call, owner) is not None:
            return False  # its own statements are in the flow
        if answers(call, owner) or self._makes(call, owner):
            return False  # an error made a value; what makes the caller fail is no reply
        return any(_holds(a.value, names) for a in call.args)

    def _makes(self, call: code.Call, owner: Method) -> bool:
        """True for a class: what becomes of the object that it makes of the error is another step."""
        name = owner.qualname(call.func)
        nested = not isinstance(owner.parent(call), code.Do)
        is_class = name.rpartition(".")[2][:1].isupper() or self.actor.facts.project.find_class(name) is not None
        return nested and bool(name) and is_class

    def _is_passed_on(self, target: code.Expr, owner: Method) -> bool:
        """True where what ``target`` now holds is raised or read elsewhere."""
        if isinstance(target, code.Sub):
            return True
        if isinstance(target, code.Attr):
            attribute = owner.own_attribute(target)
            return not attribute or any(u.kind == "read" for u in self.actor.uses_of(attribute))
        if not isinstance(target, code.Name):
            return False
        return any(self._is_used(target.id, place) for place in _sharing(target.id, owner))

    def _is_used(self, name: str, owner: Method) -> bool:
        """True where the variable is raised, or given to somebody who is no log."""
        for stmt in code.statements(owner.body):
            if isinstance(stmt, code.Raise) and stmt.error is not None and _holds(stmt.error, {name}):
                return True
        return any(
            not describes(c, owner) and logged(c, owner) is None and any(_holds(a.value, {name}) for a in c.args)
            for c in owner.calls
        )


def _sharing(name: str, method: Method) -> Iterator[Method]:
    """The functions that see the variable: the one that binds it, and where it says so those around it."""
    yield method
    place = method
    while place.outer is not None and any(
        isinstance(s, code.Scope) and name in s.names for s in code.statements(place.body)
    ):
        place = place.outer
        yield place


def _holds(expr: code.Expr, names: set[str]) -> bool:
    """True where the exception itself, not text about it, is part of the value."""
    match expr:
        case code.Name(id=name):
            return name in names
        case code.Seq(items=items):
            return any(_holds(item, names) for item in items)
        case code.Dict(items=entries):
            return any(_holds(value, names) for _, value in entries)
        case code.Call(func=func, args=args):
            return code.dotted(func) not in ("str", "repr", "type", "format") and any(
                _holds(a.value, names) for a in args
            )
    return False


def _is_error_value(expr: code.Expr) -> bool:
    """``("error", exc)``, ``{"reason": exc}``: the failure made a value with a verdict, that nobody has to raise."""
    if isinstance(expr, code.Seq):
        return any(isinstance(i, code.Const) and isinstance(i.value, (str, bool)) for i in expr.items)
    return isinstance(expr, code.Dict)


def _loop_switches(around: code.Node, method: Method) -> set[str]:
    """What the tests of the loops around the clause look at: setting it in the arm ends the loop."""
    found = set()
    for up in method.above(around):
        if isinstance(up, code.While):
            for expr in code.walk(up.test):
                found.add(_switch(expr, method))
    return found - {"", "self"}


def _switch(expr: code.Expr, method: Method) -> str:
    own = method.own_attribute(expr) if isinstance(expr, (code.Name, code.Attr)) else ""
    return f"self.{own}" if own else code.dotted(expr)
