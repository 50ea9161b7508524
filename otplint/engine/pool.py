"""Work in this process or in several: the same chunks, the same order, the same results."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

_FEW = 20
"""Below this number of items a second process costs more than it saves."""
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# What forked workers inherit: functions and facts need not be pickled, only chunks and results.
_work: tuple[Callable[..., Any], Sequence[Sequence[Any]], tuple[Any, ...]] | None = None


def _do(position: int) -> Any:
    assert _work is not None
    function, chunks, extra = _work
    return function(chunks[position], *extra)


def spread(items: Sequence[_Item], size: int) -> list[Sequence[_Item]]:
    """The items in chunks of at most ``size``, in order."""
    return [items[i : i + size] for i in range(0, len(items), size)]


class Pool:
    """Some processes, or none where they do not pay or cannot be forked.

    :param jobs: processes to use; none for one a processor.
    :param items: how many files the scan has.
    """

    def __init__(self, jobs: int | None, items: int) -> None:
        wanted = jobs if jobs is not None else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        self.jobs = max(1, wanted) if hasattr(os, "fork") and items >= _FEW else 1

    def __enter__(self) -> Pool:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def each(
        self, chunks: Sequence[Sequence[_Item]], function: Callable[..., _Result], *extra: Any
    ) -> Iterator[tuple[Sequence[_Item], _Result]]:
        """Each chunk with ``function(chunk, *extra)``, in order."""
        global _work  # noqa: PLW0603 - what a fork hands on has to be reachable without arguments
        if self.jobs == 1 or len(chunks) < 2:
            for chunk in chunks:
                yield chunk, function(chunk, *extra)
            return
        import multiprocessing

        _work = (function, chunks, extra)
        try:
            context = multiprocessing.get_context("fork")
            with context.Pool(min(self.jobs, len(chunks))) as workers:
                yield from zip(chunks, workers.imap(_do, range(len(chunks))), strict=True)
        finally:
            _work = None
