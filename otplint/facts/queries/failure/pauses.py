"""Whether code waits: between two tries, or for its turn."""

from __future__ import annotations

from otplint.facts.methods import Event, Method
from otplint.facts.recognise import takes_from_queue
from otplint.facts.syntax import code

__all__ = ["pauses", "waits_its_turn"]

_MAX_DEPTH = 3
_WAITS = frozenset({"sleep", "wait", "wait_for", "pause", "backoff", "call_later", "send_after"})
"""Methods of objects that the project does not define."""
_TURNS = frozenset({"recv", "recv_multipart", "accept", "read", "readline", "select", "poll", "wait", "drain_events",
                    "receive", "recv_json", "recvfrom", "readexactly", "readuntil", "get_message", "dequeue", "blpop",
                    "brpop"})  # fmt: skip


def pauses(block: code.Block, method: Method, depth: int = 0) -> bool:
    """True where the block sleeps or waits, itself or in a function of the project that it calls."""
    for call in code.calls(block):
        event = method.event(call)
        if event is not None and event.role in ("sleep", "wait", "timer", "take"):
            if not _is_at_once(event):
                return True
            continue
        helper = method.actor.own_method(call, method) or method.actor.facts.function(method.qualname(call.func))
        if helper is not None:
            if depth < _MAX_DEPTH and helper.code is not method.code and pauses(helper.body, helper, depth + 1):
                return True
            continue
        name = call.func.name if isinstance(call.func, code.Attr) else code.dotted(call.func)
        if name.rpartition(".")[2] in _WAITS:
            return True
    return False


def _is_at_once(event: Event) -> bool:
    """True for a delay of zero."""
    delay = next((event.argument(name) for name in event.operation.limits), None)
    return event.role in ("sleep", "timer") and isinstance(delay, code.Const) and not delay.value


def waits_its_turn(block: code.Block, method: Method) -> bool:
    """True where the block waits for a message, an event or a connection each time: a loop around it receives."""
    for call in code.calls(block):
        event = method.event(call)
        if event is not None and event.role in ("take", "wait", "sleep"):
            return True
        if takes_from_queue(call, method):
            return True
        if (
            isinstance(call.func, code.Attr)
            and call.func.name in _TURNS
            and method.actor.own_method(call, method) is None
        ):
            return True
    return False
