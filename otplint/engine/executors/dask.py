"""Work on a cluster of ``dask.distributed``: nothing of a project but what is sent is known there.

What all tasks need is the result of a task itself: a worker that is lost takes nothing along that the scheduler could
not have made again. Workers ask for files that nobody foresaw by giving their names back as a result.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any, TypeVar

import dask.config
from distributed import Client, Future, KilledWorker, get_worker, rpc, wait

from otplint.engine.collect import look
from otplint.engine.executors import ExecutorError
from otplint.engine.executors.kit import difference, kit
from otplint.engine.executors.parcel import Packer, Parcel, Wanted
from otplint.engine.pool import Pool

_PART = 4 * 1024 * 1024
"""Bytes: distributed warns of larger tasks."""
_PATIENCE = 0.5
"""Seconds between two looks at whether anybody is still there."""
_TRIES = 5
"""How often a task whose data got lost with its workers is given out again."""
_TIMEOUTS = (TimeoutError, asyncio.TimeoutError)
"""One and the same since Python 3.11."""
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Dask:
    """The workers of a scheduler.

    Args:
        address: as in ``tcp://10.0.0.1:8786``.
        seconds: how long the scheduler may take to answer, and its cluster to get a worker where it has none.
    """

    address: str
    seconds: float

    def __call__(self, jobs: int | None, items: int) -> Cluster:  # noqa: ARG002 - the cluster has its own number
        """The workers for one scan."""
        return Cluster(self.address, self.seconds)


class Cluster(Pool):
    """A connection to a scheduler for as long as one scan takes.

    Files are read, sorted out and indexed here: sending all of them costs as much as that does.
    """

    def __init__(self, address: str, seconds: float) -> None:
        super().__init__(1, 0)  # a process with the threads of a client must not fork
        self._address = address
        self._seconds = seconds
        self._client: Client | None = None
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Cluster:  # noqa: PYI034 - typing.Self needs Python 3.11
        """Connect.

        Raises:
            ExecutorError: the scheduler does not answer, has no worker, or one that is not like this process.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(_quiet(self._seconds))
            self._client = self._connected()
            stack.callback(self._client.close, timeout=self._seconds)
            self._check()
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the scheduler; what it still does for this scan is given up."""
        with contextlib.suppress(OSError, *_TIMEOUTS):
            self._open.close()

    def each(
        self, chunks: Sequence[Sequence[_Item]], function: Callable[..., _Result], *extra: Any
    ) -> Iterator[tuple[Sequence[_Item], _Result]]:
        """As :meth:`Pool.each`."""
        if function is look or not chunks or self._client is None:
            yield from super().each(chunks, function, *extra)
            return
        results = _Round(self._client, self._address, self._seconds, Packer(function, chunks, extra), len(chunks))
        yield from zip(chunks, results, strict=True)

    def _connected(self) -> Client:
        try:
            asyncio.run(asyncio.wait_for(_identity(self._address), self._seconds))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about versions: they are compared below
                return Client(self._address, timeout=self._seconds, set_as_default=False)
        except (OSError, *_TIMEOUTS) as error:
            why = f" ({_line(error)})" if str(error) else ""
            raise ExecutorError(f"no scheduler answers at {self._address} within {self._seconds:g} s{why}") from error

    def _check(self) -> None:
        assert self._client is not None
        try:
            self._client.wait_for_workers(1, timeout=self._seconds)
        except _TIMEOUTS as error:
            raise ExecutorError(
                f"the scheduler at {self._address} has no worker, after {self._seconds:g} s of waiting"
            ) from error
        here = {"Python": kit()["Python"]}
        for address, said in sorted(self._client.get_versions(packages=["otplint"])["workers"].items()):
            packages = said["packages"]
            if packages.get("otplint") is None:
                raise ExecutorError(f"worker {address} has no otplint; install the version there that is here")
            python = ".".join(str(packages["python"]).split(".")[:2])
            wrong = difference(here, {"Python": python})
            if wrong:
                raise ExecutorError(f"worker {address} cannot do the work of this otplint: {wrong}")


class _Round:
    """The results of all chunks, in order, whatever happens to the workers meanwhile."""

    def __init__(self, client: Client, address: str, seconds: float, packer: Packer, count: int) -> None:
        self._client = client
        self._address = address
        self._seconds = seconds
        self._packer = packer
        self._waiting = list(range(count))[::-1]
        self._running: dict[Future, int] = {}
        self._done: dict[int, Any] = {}
        self._tries = [0] * count
        self._more: set[str] = set()
        self._asked: list[set[str]] = [set() for _ in range(count)]
        self._alone = 0.0
        """Since when there is no worker, of the monotonic clock; 0 where there is one."""
        self._parcel = self._sent()

    def _sent(self) -> Future:
        """The parcel on its way: made by a task, so that it can be made again."""
        parts = [self._packer.common[i : i + _PART] for i in range(0, len(self._packer.common), _PART)]
        held = [self._client.submit(bytes, part, pure=False) for part in parts[1:]]
        return self._client.submit(Parcel, parts[0], *held, pure=False)

    def __iter__(self) -> Iterator[Any]:
        try:
            for position in range(len(self._tries)):
                while position not in self._done:
                    self._give_out()
                    self._collect()
                yield self._done.pop(position)
        finally:
            self._client.cancel(list(self._running))

    def _give_out(self) -> None:
        """Keep every worker busy and no more: what is given out later knows what the others asked for."""
        room = 2 * max(self._workers(), 1) - len(self._running)
        for _ in range(min(room, len(self._waiting))):
            position = self._waiting.pop()
            future = self._client.submit(
                _perform, self._parcel, position, self._packer.task(position, self._more), pure=False
            )
            self._running[future] = position

    def _collect(self) -> None:
        try:
            with self._client.as_current():
                finished = wait(list(self._running), timeout=_PATIENCE, return_when="FIRST_COMPLETED").done
        except (*_TIMEOUTS, CancelledError):
            finished = {future for future in self._running if future.status != "pending"}
        for future in finished:
            position = self._running.pop(future)
            result = self._result(future, position)
            if isinstance(result, Wanted):
                self._more |= self._packer.around(result.paths)
                self._waiting.append(position)
            elif result is not None:
                self._done[position] = result[0]

    def _result(self, future: Future, position: int) -> Any:
        """What a task gave, in a tuple; none where it has to be done again."""
        try:
            found = pickle.loads(future.result(timeout=self._seconds))
        except ExecutorError as error:
            raise ExecutorError(str(error)) from None
        except _TIMEOUTS as error:
            if future.status == "error":
                raise ExecutorError(f"a worker at {self._address} failed: {type(error).__name__}") from error
            self._running[future] = position  # it is done, but gone with its worker: made again, if any worker comes
            return None
        except KilledWorker as error:
            raise ExecutorError(
                f"the workers at {self._address} were lost one after another over the same files; "
                "look at their memory and their logs"
            ) from error
        except CancelledError as error:
            return self._once_more(position, error)
        except Exception as error:
            raise ExecutorError(
                f"a worker at {self._address} failed: {type(error).__name__}: {_line(error)}"
            ) from error
        return found if isinstance(found, Wanted) else (found,)

    def _once_more(self, position: int, error: BaseException) -> None:
        """Give a task out again whose data got lost, and all that was to come from it."""
        if self._client.status != "running":
            raise ExecutorError(f"the connection to the scheduler at {self._address} is lost") from error
        self._tries[position] += 1
        if self._tries[position] == _TRIES:
            raise ExecutorError(f"the scheduler at {self._address} lost the same work {_TRIES} times") from error
        if self._parcel.status != "pending":
            self._parcel = self._sent()
        self._waiting.append(position)

    def _workers(self) -> int:
        """How many threads the cluster has.

        Raises:
            ExecutorError: it has had none for too long, or the scheduler is gone.
        """
        try:
            count = len(self._client.nthreads())
        except (OSError, *_TIMEOUTS, RuntimeError, CancelledError) as error:
            raise ExecutorError(f"the connection to the scheduler at {self._address} is lost") from error
        now = time.monotonic()
        self._alone = 0.0 if count else self._alone or now
        if self._alone and now - self._alone > self._seconds:
            raise ExecutorError(
                f"the scheduler at {self._address} has lost its last worker, and got none for {self._seconds:g} s"
            )
        return count


async def _identity(address: str) -> None:
    """Ask who is there: a client would wait for ever for one that takes its call and says nothing."""
    async with rpc(address) as scheduler:
        await scheduler.identity()


def _perform(parcel: Parcel, position: int, more: bytes) -> bytes:
    return parcel.do(position, more, get_worker().address)


@contextlib.contextmanager
def _quiet(seconds: float) -> Iterator[None]:
    """What the library logs is told by our own messages; and it should give up when we do."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    loud = [logger for logger in map(logging.getLogger, names) if not logger.disabled]
    for logger in loud:  # each has a level of its own
        logger.disabled = True
    try:
        with dask.config.set({"distributed.comm.timeouts.connect": seconds}):
            yield
    finally:
        for logger in loud:
            logger.disabled = False


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
