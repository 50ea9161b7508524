"""The entry of the command line; answers ``--version`` before anything heavy is imported."""

from __future__ import annotations

import sys

from otplint import __version__


def main() -> None:
    """Run the command line on ``sys.argv`` and leave with its exit status."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"otplint {__version__}\n")
        return
    from otplint.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
