"""The command line: one file for each command.

Exit statuses: 0 nothing reported at or above the threshold, 1 findings, 2 otplint could not do what was asked.
"""

from __future__ import annotations

from collections.abc import Sequence

OK = 0
FINDINGS = 1
FAILED = 2


def run(arguments: Sequence[str]) -> int:
    """Run one command, print its errors as one line on standard error, and return the exit status."""
    import click

    from otplint.cli.group import otplint
    from otplint.cli.terminal import be_robust, complain

    be_robust()
    try:
        status = otplint.main(args=list(arguments) or ["--help"], prog_name="otplint", standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "otplint"
        complain(f"{error.format_message()} (see '{command} --help')")
        return FAILED
    except click.ClickException as error:
        complain(error.format_message())
        return FAILED
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        return FAILED
    return status if isinstance(status, int) else OK
