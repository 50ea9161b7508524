"""What programs say and set while they run stays inside."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout


@contextmanager
def quietly() -> Iterator[None]:
    """No log record and no print gets out; the environment is empty, and the same as before when the block ends.

    An empty environment makes a proof independent of the variables of whoever runs it.
    """
    threshold = logging.root.manager.disable
    environment = dict(os.environ)
    logging.disable(logging.CRITICAL)
    os.environ.clear()
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        logging.disable(threshold)
