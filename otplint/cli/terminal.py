"""The two standard streams: results on one, everything else on the other, and neither may bring the program down."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import IO

PATIENCE = 0.7
"""Seconds of work before the progress bar is shown."""


def be_robust() -> None:
    """Let odd characters (a lone surrogate in a file name, any name on an ASCII terminal) through as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def put(text: str) -> None:
    """Write a result to standard output; a reader that has gone away (``| head``) is no error.

    Raises:
        click.ClickException: it cannot be written, e.g. because the disk is full.
    """
    try:
        _write(sys.stdout, text)
    except OSError as error:
        import click

        raise click.ClickException(f"cannot write to standard output: {error.strerror}") from error


def put_bytes(data: bytes) -> None:
    """Write a source to standard output as it is; otherwise as :func:`put`."""
    if sys.stdout is None:
        return
    try:
        _written(sys.stdout, lambda: sys.stdout.buffer.write(data))
    except OSError as error:
        import click

        raise click.ClickException(f"cannot write to standard output: {error.strerror}") from error


def say(text: str) -> None:
    """Write one line about the work to standard error, if that is possible at all."""
    put_aside(f"{text}\n")


def put_aside(text: str) -> None:
    """Write to standard error, if that is possible at all."""
    with suppress(OSError):
        _write(sys.stderr, text)


def read_all() -> bytes:
    """Standard input to its end.

    Raises:
        click.ClickException: there is none, or it cannot be read.
    """
    import click

    if sys.stdin is None:
        raise click.ClickException("standard input is closed")
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise click.ClickException(f"cannot read standard input: {error.strerror}") from error


def complain(text: str) -> None:
    """Write an error to standard error, on one line."""
    say("otplint: error: " + " ".join(text.split()))


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether somebody looks at the stream; none is a stream that was closed before the program began."""
    return stream is not None and not stream.closed and stream.isatty()


def wants_colour(stream: IO[str] | None) -> bool:
    """Whether to colour: terminals only, unless NO_COLOR (no-color.org) is set or TERM is dumb."""
    if os.environ.get("NO_COLOR"):
        return False
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Columns of the terminal on standard output, 80 where there is none."""
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A callback ``(done, total)`` that draws a bar on standard error once the work takes longer than a moment.

    None where nobody would see it; rich is imported only when the bar is first drawn.
    """
    if quiet or not is_terminal(sys.stderr):
        yield None
        return
    bar = _Bar()
    try:
        yield bar.update
    finally:
        bar.close()


class _Bar:
    """A bar that waits for its moment."""

    def __init__(self) -> None:
        self._start = monotonic()
        self._draw: Callable[[int, int], None] | None = None
        self._stop: Callable[[], None] | None = None

    def update(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` files are analysed."""
        if self._draw is None:
            if monotonic() - self._start < PATIENCE:
                return
            self._open()
        if self._draw is not None:
            self._draw(done, total)

    def close(self) -> None:
        """Take the bar away."""
        if self._stop is not None:
            self._stop()

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        bar = Progress(
            TextColumn("analysing"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("files"),
            console=Console(stderr=True, force_terminal=True),
            transient=True,
        )
        task = bar.add_task("analysing", total=None)
        bar.start()
        self._stop = bar.stop
        self._draw = lambda done, total: bar.update(task, completed=done, total=total)


def _write(stream: IO[str] | None, text: str) -> None:
    if stream is not None:
        _written(stream, lambda: stream.write(text))


def _written(stream: IO[str], write: Callable[[], int]) -> None:
    try:
        write()
        stream.flush()
    except OSError as error:
        # The interpreter flushes once more at exit: give it a stream that takes everything.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise
