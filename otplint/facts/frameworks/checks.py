"""Whether a framework's data makes sense: names that are dotted names, roles that exist, watches with a release."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from otplint.facts.frameworks import ActorKind, Framework, FrameworkError, Operation

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")
_TYPE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_MADE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+\([^()]*\)")
_MESSAGES = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*\.\*(?:\.[^\W\d]\w*)?")
_PATTERN = re.compile(r"[^\W\d]\w*\*?")


def check(framework: Framework, where: str) -> None:
    """Raise for what a user's table says that cannot be meant.

    :raises FrameworkError: naming ``where``, the key and the way out; one line.
    """
    _check_names(framework, ("down", "call_failures", "undelivered", "open_circuits"), _TYPE, where)
    for name in framework.down_made:
        if not _MADE.fullmatch(name):
            raise FrameworkError(f"{where}.down_made: '{name}' is no call of a word; write package.function(WORD)")
    for number, kind in enumerate(framework.actors, 1):
        place = f"{where}.actor" if len(framework.actors) == 1 else f"{where}.actor {number}"
        _check_actor(kind, place)
    for number, operation in enumerate(framework.operations, 1):
        place = f"{where}.operation" if len(framework.operations) == 1 else f"{where}.operation {number}"
        _check_operation(operation, place)
    if not framework.actors and not framework.operations:
        raise FrameworkError(f"{where}: says nothing; add [[actor]] with bases or decorators, or [[operation]]")
    roles = {operation.role for operation in framework.operations}
    lasting = next((o for o in framework.operations if o.role == "watch" and not o.undone_by), None)
    if lasting is not None and "release" not in roles:
        name = lasting.names[0]
        raise FrameworkError(f"{where}: '{name}' watches and nothing releases it; add an operation of role 'release'")
    if lasting is None and "release" in roles and "watch" not in roles:
        raise FrameworkError(f"{where}: an operation releases and none watches; add one of role 'watch'")


def _check_actor(kind: ActorKind, where: str) -> None:
    if not (kind.bases or kind.decorators or kind.modules):
        raise FrameworkError(f"{where}: no class is one by this; add bases or decorators")
    _check_names(kind, ("bases", "decorators", "modules", "handler_decorators", "unanswered"), _DOTTED, where)
    _check_names(kind, ("stop_exceptions",), _TYPE, where)
    for key in ("handlers", "loops", "starts", "stops", "down_handlers"):
        for name in getattr(kind, key):
            if not _PATTERN.fullmatch(name):
                raise FrameworkError(f"{where}.{key}: '{name}' is no function's name; write it as after 'def'")
    for name in set(kind.unanswered) - set(kind.handler_decorators):
        raise FrameworkError(f"{where}.unanswered: '{name}' is not among handler_decorators")
    for name, type_ in kind.attributes.items():
        if not _TYPE.fullmatch(str(type_)):
            raise FrameworkError(f"{where}.attributes.{name}: a type's dotted name is expected")


def _check_operation(operation: Operation, where: str) -> None:
    if not operation.names:
        raise FrameworkError(f"{where}: names no function; add names = ['package.function']")
    for name in operation.names:
        if not _DOTTED.fullmatch(name) and not _MESSAGES.fullmatch(name):
            raise FrameworkError(_not_dotted(name, f"{where}.names"))
    _check_names(operation, ("returns",), _TYPE, where)
    for key in ("target", "payload", "reference", "timeout", "tied", "window", "named"):
        name = getattr(operation, key)
        if name and not name.isidentifier():
            raise FrameworkError(f"{where}.{key}: '{name}' is no parameter's name")


def _check_names(record: object, keys: Iterable[str], form: re.Pattern[str], where: str) -> None:
    for key in keys:
        for name in _listed(getattr(record, key)):
            if not form.fullmatch(name):
                raise FrameworkError(_not_dotted(name, f"{where}.{key}"))


def _listed(value: str | tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, tuple):
        yield from value
    elif value:
        yield value


def _not_dotted(name: str, where: str) -> str:
    if name.isidentifier():
        return f"{where}: '{name}' is no dotted name; write where it is imported from, 'package.{name}'"
    return f"{where}: '{name}' is no dotted name such as 'package.module.Name'"
