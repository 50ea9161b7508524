"""What a scan says, in the formats that people and machines read.

One module per format, each with ``render(report, ...) -> str``; a module is imported when its format is first asked
for, so that a run pays for one format only.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from otplint.findings import Report


@dataclass(frozen=True, slots=True)
class Format:
    """One output format; calling it imports the module that renders it.

    The options of ``text`` are ``colour`` and ``width`` (columns); those of ``sarif`` are ``category``, ``root``,
    ``repository`` and ``revision``. The other formats have none.
    """

    module: str
    """Name of the module inside ``otplint.output``."""
    help: str
    """One line for ``--help``."""

    def __call__(self, report: Report, **options: object) -> str:
        """The report in this format; raises what the format's ``render`` raises."""
        renderer: Callable[..., str] = importlib.import_module(f"{__name__}.{self.module}").render
        return renderer(report, **options)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "text": Format("text", "code frames with the reason and what to do, for people"),
        "concise": Format("concise", "path:line:col: CODE name problem, one line each"),
        "json": Format("json_object", "one object with findings, errors and summary"),
        "jsonl": Format("json_lines", "one object per line"),
        "sarif": Format("sarif", "SARIF 2.1.0, for code scanning"),
        "github": Format("github", "annotations in a GitHub Actions log"),
        "gitlab": Format("gitlab", "a GitLab code quality report"),
        "junit": Format("junit", "JUnit XML, for test dashboards"),
        "markdown": Format("markdown", "a comment or a job summary"),
    }
)
"""Every format, by the name that ``--format`` takes."""


def render(name: str, report: Report, **options: object) -> str:
    """The report in the format ``name``, ending with a line end unless there is nothing to say.

    Raises:
        ValueError: there is no such format; the text names those there are.
    """
    try:
        chosen = FORMATS[name]
    except KeyError:
        raise ValueError(f"unknown format {name!r}; choose one of {', '.join(FORMATS)}") from None
    return chosen(report, **options)
