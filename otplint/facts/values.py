"""Types of receivers and meanings of calls.

All answers are from what is written, without running anything: assignments of a local are taken together whatever
their order, those of an attribute over all methods of the actor, its bases included.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otplint.facts.elements import element_type, loop_sources
from otplint.facts.frameworks import BY_SHAPE, Framework, Operation, Vocabulary
from otplint.facts.passed_state import state_type
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_MAX_DEPTH = 6


class Values:
    """Answers for the functions of one actor."""

    def __init__(self, actor: Actor, vocabulary: Vocabulary) -> None:
        self.actor = actor
        self.vocabulary = vocabulary
        # With the expression itself: one made for a question alone must live on, or another one gets its id.
        self._types: dict[tuple[int, int], tuple[code.Expr, str]] = {}
        self._spoken: dict[str, bool] = {}

    # -- types

    def type_of(self, expr: code.Expr | None, method: Method, depth: int = 0) -> str:
        """The dotted type of an expression, or the empty string."""
        if expr is None or depth > _MAX_DEPTH:
            return ""
        key = (id(expr), id(method))
        if key not in self._types:
            self._types[key] = (expr, "")
            self._types[key] = (expr, self._type(expr, method, depth))
        return self._types[key][1]

    def _type(self, expr: code.Expr, method: Method, depth: int) -> str:
        match expr:
            case code.Await(value=value) | code.Walrus(value=value):
                return self.type_of(value, method, depth + 1)
            case code.Call():
                return self._call_type(expr, method, depth)
            case code.Name(id=name):
                if name == method.self_name and name:
                    return self.actor.qualname
                return self._name_type(name, method, depth)
            case code.Attr():
                return self._of_attribute(expr, method, depth)
            case code.Cond(then=then, other=other):
                return self.type_of(then, method, depth + 1) or self.type_of(other, method, depth + 1)
            case code.Bool(parts=parts):
                return next((t for p in reversed(parts) if (t := self.type_of(p, method, depth + 1))), "")
            case code.Dict():
                return "dict"
            case code.Sub(base=code.Call() as call, key=code.Const(value=int(position))):
                return dict(enumerate(self.parts_of(call, method))).get(position, "")
            case code.Comp(kind=kind) | code.Seq(kind=kind):
                return kind
        return ""

    def _of_attribute(self, expr: code.Attr, method: Method, depth: int) -> str:
        own = method.own_attribute(expr)
        if own and "." not in own:
            return self.attribute_type(own, depth)
        owner = self.actor.facts.owner(self.type_of(expr.base, method, depth + 1))
        if owner is not None:
            return owner.values.attribute_type(expr.name, depth + 1)
        return self._constant_type(method.qualname(expr), depth)  # bus.BUS, of a module of the project

    def _call_type(self, call: code.Call, method: Method, depth: int) -> str:
        known = self.operation(call, method, depth + 1)
        if known is not None and known[1].gives:
            names = known[1].parameters
            position = names.index(known[1].gives) if known[1].gives in names else len(call.args)
            return self.type_of(call.argument(position, known[1].gives), method, depth + 1)
        if known is not None and known[1].returns:
            return known[1].returns
        if made := self._wrapped_type(call, method):
            return made
        name = method.qualname(call.func)
        if name:
            last = name.rpartition(".")[2]
            if last[:1].isupper() or known is not None or name in ("dict", "list", "set"):
                return name
            found = self.actor.facts.function(name)
            if found is not None:
                return annotation_type(found.code.returns, found)
            return ""
        helper = self.actor.own_method(call, method)
        if helper is not None:
            return annotation_type(helper.code.returns, helper)
        return ""

    def parts_of(self, expr: code.Expr | None, method: Method) -> tuple[str, ...]:
        """The types of what a call gives to be unpacked; none where nothing is known."""
        called = expr.func if isinstance(expr, code.Call) else None
        called = called.base if isinstance(called, code.Sub) else called
        known = self.vocabulary.exact.get(method.qualname(called))
        return known[1].unpacks if known is not None else ()

    def _name_type(self, name: str, method: Method, depth: int) -> str:
        for param in method.code.params:
            if param.name == name:
                return annotation_type(param.annotation, method)
        parts = (unpacked(stmt, v, name) for stmt, v in local_assignments(name, method))
        found = {self.type_of(v, method, depth + 1) for v in parts} - {""}
        if len(found) == 1:
            return found.pop()
        if not found:
            looped = loop_sources(name, method)
            found = {
                element_type(self, s, method, depth + 1, second=second) or _declared_items(s, method)
                for s, second in looped
            } - {""}
        if not found and method.outer is not None and not binds(method, name):
            return self._name_type(name, method.outer, depth + 1)
        if not found and not method.is_local(name):
            qualified = method.qualname(code.Name(0, 0, name))
            return self._constant_type(qualified, depth) or self.actor.facts.given_by_decorator(qualified)
        return found.pop() if len(found) == 1 else ""

    def _constant_type(self, qualified: str, depth: int) -> str:
        """The type of a name at module level, by all that is assigned to it."""
        constants = self.actor.facts.constants(qualified)
        found = {self.type_of(value, module, depth + 1) for module, _, value in constants} - {""}
        return found.pop() if len(found) == 1 else ""

    def attribute_type(self, name: str, depth: int = 0) -> str:
        """The dotted type of an attribute of the actor, by all that is assigned to it."""
        if depth > _MAX_DEPTH:
            return ""
        made = [*self.actor.assigned(name)]
        found = {annotation_type(annotation, method) for _, annotation, method in made} - {""}
        if len(found) != 1:  # what is declared counts before what is assigned
            found |= {self.type_of(v, m, depth + 1) for v, a, m in made if not annotation_type(a, m)} - {""}
        if len(found) == 1:
            return found.pop()
        return "" if found else self.actor.kind.attributes.get(name, "") or self._part_of_state(name, depth)

    def _part_of_state(self, name: str, depth: int) -> str:
        """The type of an attribute of the state that the actor's functions pass on, where it is an object."""
        kind = self.actor.remembered(state_type) if self.actor.kind.passes_state else ""
        owner = self.actor.facts.owner(kind)
        return "" if owner is None or owner is self.actor else owner.values.attribute_type(name, depth + 1)

    # -- meanings

    def operation(self, call: code.Call, method: Method, depth: int = 0) -> tuple[Framework, Operation, bool] | None:
        """What the call does in the language of actors; the flag is false where only the method's name speaks."""
        func = self._bound_method(call.func, method)
        if isinstance(func, code.Sub) and method.qualname(func.base) in self.vocabulary.exact:
            func = func.base  # open_memory_channel[int](0)
        if func is not call.func:
            call = code.Call(call.start, call.end, func, call.args)
        if name := method.qualname(call.func):
            return self._named(name) or self._of_decorated(call.func, method) or self._of_class(call, method)
        if not isinstance(call.func, code.Attr):
            return None
        if call.func.name == "__init__" and isinstance(call.func.base, code.Call):
            return self._base_init(call.func.base)
        return self._of_receiver(call.func, method, depth) if depth <= _MAX_DEPTH else None

    def _of_receiver(self, func: code.Attr, method: Method, depth: int) -> tuple[Framework, Operation, bool] | None:
        """What a call does by the type of the object before the dot; where that is unknown, by the name alone."""
        known = self.vocabulary.methods.get(func.name)
        if not known:
            return self._message(func, method, depth)
        receiver = self.type_of(func.base, method, depth + 1)
        if receiver:
            kin = self.actor.kind.bases if receiver == self.actor.qualname else ()  # the framework's own hierarchy
            for framework, operation, owner in known:
                if receiver == owner or owner in kin or self.actor.facts.project.derives_from(receiver, [owner]):
                    return (framework, operation, True)
        if (message := self._message(func, method, depth)) is not None or receiver:
            return message
        for framework, operation, _ in known:
            if framework is self.actor.framework and framework.name not in BY_SHAPE:
                return (framework, operation, False)
        return None

    # -- objects that take any name for a message, and what decorators make of classes and functions

    def _message(self, func: code.Attr, method: Method, depth: int) -> tuple[Framework, Operation, bool] | None:
        """``ref.add(1)`` and ``ref.add.tell(1)``, for a ``ref`` of a type that takes any name for a message."""
        if func.name.startswith("_") or not self._speaks(method):
            return None
        tails = {tail for _, tail in self.vocabulary.messages if tail}
        if isinstance(func.base, code.Attr) and func.name in tails:
            type_ = self.type_of(func.base.base, method, depth + 1)
            found = self._message_to(type_, func.name)
            if found is not None:
                return (*found, True)
            base = func.base.base
            mine = isinstance(base, code.Name) and (base.id == method.self_name or bool(method.qualname(func.base)))
            by_name = [m for (_, tail), m in self.vocabulary.messages.items() if tail == func.name]
            if not type_ and not mine and (own := [m for m in by_name if m[0] is self.actor.framework]):
                return (*own[0], False)
        found = self._message_to(self.type_of(func.base, method, depth + 1), "")
        return (*found, True) if found is not None else None

    def _message_to(self, type_: str, tail: str) -> tuple[Framework, Operation] | None:
        return self.vocabulary.messages.get((type_, tail)) if type_ else None

    def _speaks(self, method: Method) -> bool:
        """A cheap look: does the file name a package that has such objects?"""
        path = method.source.path
        if path not in self._spoken:
            packages = {owner.partition(".")[0] for owner in self.vocabulary.references}
            self._spoken[path] = method.source.holds(packages)
        return self._spoken[path]

    def _of_decorated(self, func: code.Expr, method: Method) -> tuple[Framework, Operation, bool] | None:
        """``Counter.remote()``, where a decorator has made something else of the class or function ``Counter``."""
        known = self.vocabulary.methods.get(func.name) if isinstance(func, code.Attr) else None
        if not known or not isinstance(func, code.Attr):
            return None
        type_ = self.actor.facts.given_by_decorator(method.qualname(func.base)) or self.type_of(func.base, method)
        return next(((f, operation, True) for f, operation, owner in known if type_ and owner == type_), None)

    def _of_class(self, call: code.Call, method: Method) -> tuple[Framework, Operation, bool] | None:
        """``Shelf.start()``, where the project's class ``Shelf`` has the function from a framework's."""
        func, given = call.func, call.positional(0)
        known = self.vocabulary.methods.get(func.name) if isinstance(func, code.Attr) else None
        of_base = isinstance(given, code.Name) and given.id == method.self_name  # Base.start(self)
        if not known or of_base or not isinstance(func, code.Attr):
            return None
        class_, project = method.qualname(func.base), self.actor.facts.project
        if project.find_class(class_) is None:
            return None
        return next(((f, op, True) for f, op, owner in known if project.derives_from(class_, [owner])), None)

    def _wrapped_type(self, call: code.Call, method: Method) -> str:
        """The type of ``ray.remote(Counter)`` and ``ray.remote(num_cpus=2)(Counter)``, decorators written as calls."""
        decorator = call.func.func if isinstance(call.func, code.Call) else call.func
        name = method.qualname(decorator)
        found = self.vocabulary.decorators.get(self.actor.facts.kinship.made.decorator(name)) if name else None
        wrapped = call.positional(0)
        if found is None or not wrapped:
            return ""
        is_function = self.actor.facts.project.find_function(method.qualname(wrapped)) is not None
        return found[1].gives_function if is_function else found[1].gives

    def _named(self, name: str) -> tuple[Framework, Operation, bool] | None:
        """What a call of a qualified name does."""
        exact = self.vocabulary.exact.get(name)
        if exact is None:
            root = self.actor.facts.project.ancestor_in(name, self.actor.facts.operation_names)
            exact = self.vocabulary.exact[root] if root else None
        return (*exact, True) if exact is not None else None

    def _bound_method(self, func: code.Expr, method: Method) -> code.Expr:
        """``self.system.monitor`` for a local or an attribute that only ever names it; ``func`` itself otherwise."""
        values: list[code.Expr | None] = []
        if isinstance(func, code.Name) and method.is_local(func.id):
            values = [*local_values(func.id, method)]
        elif isinstance(func, code.Attr) and (own := method.own_attribute(func)) and "." not in own:
            values = [value for value, _, _ in self.actor.assigned(own)]
        meant = values[0] if len(values) == 1 else None
        return meant if isinstance(meant, code.Attr) and meant.name in self.vocabulary.methods else func

    def _base_init(self, base: code.Call) -> tuple[Framework, Operation, bool] | None:
        """``super().__init__(...)`` of a class that derives from a supervisor or breaker sets that one up."""
        if code.dotted(base.func) != "super":
            return None
        root = self.actor.facts.project.ancestor_in(self.actor.qualname, self.actor.facts.operation_names)
        found = self.vocabulary.exact[root] if root else None
        return (*found, True) if found is not None and found[1].role in ("supervise", "breaker", "retry") else None


def annotation_type(annotation: code.Expr | None, method: Method) -> str:
    """The dotted type that an annotation names; ``Optional`` and ``| None`` are seen through."""
    match annotation:
        case code.Const(value=str(text)):
            plain = text.strip().partition("[")[0].removesuffix("| None").strip()
            return method.source.resolve(plain) if plain.replace(".", "").isidentifier() else ""
        case code.Binary(op="|", left=left, right=right):
            return annotation_type(left, method) or annotation_type(right, method)
        case code.Sub(base=base, key=key):
            outer = method.qualname(base)
            if outer.rpartition(".")[2] in ("Optional", "Annotated", "Final", "ClassVar", "Awaitable"):
                return annotation_type(key.items[0] if isinstance(key, code.Seq) and key.items else key, method)
            return outer
        case code.Name() | code.Attr():
            return method.qualname(annotation)
    return ""


def _declared_items(source: code.Expr, method: Method) -> str:
    """The type of the items of an own attribute by its annotation: ``dict[int, Task]``, ``list[Task]``."""
    if isinstance(source, code.Call) and isinstance(source.func, code.Attr) and not source.args:
        source = source.func.base  # its values(), items() or copy()
    for _, annotation, place in method.actor.assigned(method.own_attribute(source)):
        if isinstance(annotation, code.Sub):
            key = annotation.key
            return annotation_type(key.items[-1] if isinstance(key, code.Seq) and key.items else key, place)
    return ""


def local_assignments(name: str, method: Method) -> Iterator[tuple[code.Stmt, code.Expr]]:
    """The plain assignments of a local, each with its value; unpacking a tuple display is followed."""
    yield from method.local_assignments.get(name, ())


def local_values(name: str, method: Method) -> Iterator[code.Expr]:
    """The values of :func:`local_assignments`."""
    for _, value in local_assignments(name, method):
        yield value


def matched(target: code.Expr, value: code.Expr, name: str) -> code.Expr | None:
    """The part of ``value`` that ``target = value`` binds to ``name``."""
    if isinstance(target, code.Name):
        return value if target.id == name else None
    if isinstance(target, code.Seq) and isinstance(value, code.Seq) and len(target.items) == len(value.items):
        for item, part in zip(target.items, value.items, strict=True):
            found = matched(item, part, name)
            if found is not None:
                return found
        return None
    if isinstance(target, code.Seq) and any(matched(item, item, name) is not None for item in target.items):
        return value  # unpacks what a call gave: the whole is the best that can be said
    return None


def unpacked(stmt: code.Stmt, value: code.Expr, name: str) -> code.Expr:
    """``value[1]`` for the second of the names that ``stmt`` unpacks a call's ``value`` to; else ``value`` itself."""
    if isinstance(stmt, code.Assign) and stmt.value is value and isinstance(value, code.Call):
        for target in stmt.targets:
            for i, item in enumerate(target.items if isinstance(target, code.Seq) else ()):
                if isinstance(item, code.Name) and item.id == name:
                    return part(value, i)
    return value


def part(value: code.Expr, position: int) -> code.Expr:
    """``value[position]``, which nobody has written."""
    return code.Sub(value.start, value.end, value, code.Const(value.start, value.end, position))


def paired(target: code.Expr, value: code.Expr | None) -> Iterator[tuple[code.Expr, code.Expr | None]]:
    """The single targets of an assignment with their values; ``a, b = x, y`` makes two pairs."""
    if isinstance(target, code.Seq) and isinstance(value, code.Seq) and len(target.items) == len(value.items):
        for item, part in zip(target.items, value.items, strict=True):
            yield from paired(item, part)
    else:
        yield target, value


def binds(method: Method, name: str) -> bool:
    """True if the function itself gives the local a value."""
    return any(p.name == name for p in method.code.params) or any(local_values(name, method))


def given_value(expr: code.Expr) -> code.Expr:
    """What is handed on: the function inside ``functools.partial(f, ...)``, else the expression itself."""
    if isinstance(expr, code.Call) and code.dotted(expr.func).rpartition(".")[2] == "partial":
        return expr.positional(0) or expr
    return expr
