"""Why a process ended: the reasons of Erlang/OTP, and what they mean to links and supervisors."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

__all__ = ["KILL", "KILLED", "NOPROC", "NORMAL", "SHUTDOWN", "ExitReason", "Shutdown", "is_abnormal"]


class ExitReason(enum.Enum):
    """The reasons that have a meaning of their own. Any other object is a crash (mostly the exception itself)."""

    NORMAL = "normal"
    SHUTDOWN = "shutdown"
    KILL = "kill"
    KILLED = "killed"
    NOPROC = "noproc"

    def __repr__(self) -> str:
        return self.value


NORMAL: Final = ExitReason.NORMAL
"""Work done; never kills through a link (erlang:link/1)."""
SHUTDOWN: Final = ExitReason.SHUTDOWN
"""An orderly stop asked for by a supervisor."""
KILL: Final = ExitReason.KILL
"""Untrappable when sent with `System.exit`; the process ends as ``KILLED`` and that is what its links see."""
KILLED: Final = ExitReason.KILLED
"""What a process ended with that was sent ``KILL``."""
NOPROC: Final = ExitReason.NOPROC
"""The target of a monitor or link did not exist."""


@dataclass(frozen=True)
class Shutdown:
    """An orderly stop with an explanation, OTP's ``{shutdown, Term}``; a transient child is not restarted."""

    term: object


def is_abnormal(reason: object) -> bool:
    """Whether a transient child that ended so is restarted (supervisor.erl: not normal, shutdown, {shutdown, _})."""
    return not (reason is NORMAL or reason is SHUTDOWN or isinstance(reason, Shutdown))
