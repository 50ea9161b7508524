"""Which functions get their arguments from a message."""

from __future__ import annotations

from otplint.facts.methods import Method, Role
from otplint.facts.recognise import matches

__all__ = ["is_asked", "is_only_offered"]


def is_asked(method: Method) -> bool:
    """True for a handler whose arguments are a message: a named one, or a public one that proxies call for an answer.

    A public function that the actor itself uses is a helper, and so is one of an actor that answers nobody.
    """
    if method.role is not Role.HANDLER:
        return False
    kind = method.actor.kind
    if matches(method.name, kind.handlers) or kind.handler_decorators:
        return True
    return not kind.public_methods or ("reply" in kind.on_failure and not method.actor.callers(method))


def is_only_offered(method: Method) -> bool:
    """True for a public function that the actor itself never calls."""
    return method.role is Role.HANDLER and not method.actor.callers(method)
