"""What the class of a rule must say about itself: checked when the class is made, its docstring read."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from typing import TYPE_CHECKING

from otplint.findings import Confidence, Option, Severity

if TYPE_CHECKING:
    from otplint.api.rule import Rule

SECTIONS = ("Why", "Harm", "Bad", "Good", "Limits", "Report")
"""Headings that every rule's docstring has, in this order."""

_CODE = re.compile(r"[A-Z]{3,}\d{3,4}")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_HEADING = re.compile(rf"({'|'.join(SECTIONS)}):(?:[ \t]+(.*))?")
_PROOFS = ("", "same construct", "analogue", "exempt")
_FIXES = ("", "safe", "unsafe")


class RuleDefinitionError(TypeError):
    """A rule's class does not say what a rule must say."""


def check_definition(cls: type[Rule]) -> None:
    """Raise for a class that lacks a code, a name, a severity, a confidence or a check."""

    def wrong(what: str) -> RuleDefinitionError:
        return RuleDefinitionError(f"{cls.__module__}.{cls.__qualname__}: {what}")

    code = getattr(cls, "code", None)
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise wrong(f"code is {code!r}; set it to three or more capitals and three or four digits, e.g. 'OTP201'")
    if not _NAME.fullmatch(cls.name):
        raise wrong(f"its name would be {cls.name!r}; name the file for the bad pattern: broad_except_in_handler.py")
    if not isinstance(getattr(cls, "severity", None), Severity):
        raise wrong("no severity; set it to a Severity")
    if not isinstance(getattr(cls, "confidence", None), Confidence):
        raise wrong("no confidence; set it to a Confidence")
    if cls.proof not in _PROOFS:
        raise wrong(f"proof is {cls.proof!r}; it is one of {', '.join(map(repr, _PROOFS))}")
    if cls.fix not in _FIXES:
        raise wrong(f"fix is {cls.fix!r}; it is one of {', '.join(map(repr, _FIXES))}")
    if not all(isinstance(option, Option) for option in cls.options):
        raise wrong("options must be a tuple of Option")
    missing = [name for name in ("check", "notes", "check_project") if _is_abstract(cls, name)]
    if missing:
        raise wrong(f"no {missing[0]}(); define it, or declare the class with abstract=True")


def _is_abstract(cls: type[Rule], method: str) -> bool:
    return bool(getattr(getattr(cls, method, None), "__isabstractmethod__", False))


def read_docstring(cls: type[Rule]) -> tuple[str, dict[str, str]]:
    """The summary and the sections of a rule's docstring, checked."""

    def wrong(what: str) -> RuleDefinitionError:
        return RuleDefinitionError(f"{cls.__module__}.{cls.__qualname__}: {what}")

    if "__doc__" not in vars(cls) or not cls.__doc__:
        raise wrong("no docstring; it needs a summary and the sections " + ", ".join(SECTIONS))
    head, sections = _split(inspect.cleandoc(cls.__doc__))
    summary = " ".join(head.split("\n\n")[0].split())
    if not summary.endswith(".") or re.search(r"[.!?] [A-Z]", summary):
        raise wrong(f"the docstring must begin with one sentence and its period, not {summary[:60]!r}")
    missing = [heading for heading in SECTIONS if not sections.get(heading)]
    if missing:
        raise wrong(f"the docstring lacks {', '.join(f'{heading}:' for heading in missing)}")
    if [heading for heading in sections if heading in SECTIONS] != list(SECTIONS):
        raise wrong(f"the docstring's sections must come in the order {', '.join(SECTIONS)}")
    for heading in ("Bad", "Good"):
        try:
            ast.parse(sections[heading])
        except (SyntaxError, ValueError) as error:
            raise wrong(f"the code under {heading}: does not parse: {error}") from error
    return summary, sections


def _split(text: str) -> tuple[str, dict[str, str]]:
    """The text before the first heading, and each section's text without its common indentation."""
    head: list[str] = []
    sections: dict[str, str] = {}
    lines = head
    heading = ""
    bodies: dict[str, list[str]] = {}
    for line in text.split("\n"):
        match = _HEADING.fullmatch(line)
        if match is None:
            lines.append(line)
            continue
        heading = match[1]
        lines = bodies.setdefault(heading, [])
        if match[2]:
            lines.append(match[2])
    for heading, body in bodies.items():
        first, rest = ("", body) if not body or body[0][:1].isspace() or not body[0] else (body[0], body[1:])
        inner = textwrap.dedent("\n".join(rest)).strip("\n")
        sections[heading] = "\n".join(part for part in (first, inner) if part).rstrip()
    return "\n".join(head), sections


def report_item(section: str) -> str:
    """The item that the Report section names: its text up to the first stop or line end."""
    return re.split(r"[.:;\n]", section, maxsplit=1)[0].strip()
