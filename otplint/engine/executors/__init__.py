"""Where the work of a scan is done: in this machine's processes, or on a cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from otplint.engine.pool import Pool

LOCAL = "local"
_ADDRESS = re.compile(r"(?:tcp|tls)://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}", re.ASCII)
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class ExecutorError(Exception):
    """The work cannot be done where it was asked for; the message is one line that says what to do."""


class Workers(Protocol):
    """Whoever does the work of one scan, between entering and leaving."""

    def __enter__(self) -> Workers:  # noqa: PYI034 - typing.Self needs Python 3.11
        """Get ready.

        Raises:
            ExecutorError: nobody is there to do the work.
        """

    def __exit__(self, *_: object) -> None:
        """Let go."""

    def each(
        self, chunks: Sequence[Sequence[_Item]], function: Callable[..., _Result], *extra: Any
    ) -> Iterator[tuple[Sequence[_Item], _Result]]:
        """Each chunk with ``function(chunk, *extra)``, in order.

        Raises:
            ExecutorError: the work could not be done; what was given before is right.
        """


Executor = Callable[[int | None, int], Workers]
"""Makes the workers of a scan from the number of local processes (none for as many as pay) and of the files to scan."""


def chosen(text: str, seconds: float) -> Executor:
    """The executor of ``--executor``.

    Args:
        text: ``local`` or ``dask=ADDRESS``.
        seconds: how long a scheduler may take to answer, or a cluster without workers to get one.

    Raises:
        ExecutorError: it is neither, the address is none, or the extra is not installed.
    """
    if text == LOCAL:
        return Pool
    kind, equals, address = text.partition("=")
    if kind != "dask" or not equals:
        raise ExecutorError(f"unknown executor {text!r}; write local, or dask=ADDRESS as in dask=tcp://127.0.0.1:8786")
    if not _ADDRESS.fullmatch(address) or int(address.rpartition(":")[2]) > 65535:
        raise ExecutorError(f"{address!r} is not the address of a scheduler; write dask=tcp://HOST:PORT")
    try:
        from otplint.engine.executors.dask import Dask
    except ModuleNotFoundError as error:
        if error.name not in ("dask", "distributed"):
            raise
        raise ExecutorError("dask is not installed; run: pip install 'otplint[dask]'") from error
    return Dask(address, seconds)
