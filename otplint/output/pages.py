"""The page of a rule, made from its docstring: for ``otplint explain``, ``docs/rules`` and SARIF's help."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from otplint.findings import Option, RuleInfo
from otplint.output.plain import sentence

HOMEPAGE = "https://github.com/otplint/otplint"
"""Where people who read a report find the project."""

_TITLES = {
    "Why": "Why",
    "Harm": "What happens at run time",
    "Bad": "Bad",
    "Good": "Good",
    "Limits": "What it leaves alone",
    "Report": "Where it comes from",
}
FAMILIES = {
    "OTP1": "Watches and resources",
    "OTP2": "Failure",
    "OTP3": "Operational parameters",
    "OTP4": "Messaging",
    "OTP5": "Supervision",
    "OTP6": "State",
    "OTP9": "Housekeeping",
}
"""What the rules of a family are about, by the start of their codes."""

_CODE = ("Bad", "Good")
_PROOFS = {
    "same construct": "`otplint prove {code}` runs the bad and the good example and shows the harm.",
    "analogue": "`otplint prove {code}` shows the mechanism by another construct on the reference runtime.",
    "exempt": "There is no proof: the harm cannot be shown on the reference runtime.",
}


_FIXES = {"": "none", "safe": "safe, by --fix", "unsafe": "unsafe, by --fix --unsafe-fixes"}


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    body: str
    code: bool = False


def page_name(info: RuleInfo) -> str:
    """File name of a rule's page: ``OTP201-broad-except-in-handler.md``."""
    return f"{info.code}-{info.name}.md"


def page_url(info: RuleInfo, version: str) -> str:
    """Address of a built-in rule's page as it was in that version; empty for rules of other packs."""
    return f"{HOMEPAGE}/blob/v{version}/docs/rules/{page_name(info)}" if info.pack == "otplint" else ""


def rule_page(info: RuleInfo) -> str:
    """The page in Markdown, ending with a line end."""
    blocks = [f"# {info.name} ({info.code})", summary_of(info), _facts(info, bold="**")]
    for section in _sections(info):
        blocks.append(f"## {section.title}")
        blocks.append(fenced(section.body, "python") if section.code else section.body)
    if info.options:
        blocks += ["## Options", _option_table(info.options)]
    if _can_be_accepted(info):
        blocks += ["## To accept one place", fenced(_suppression(info), "python")]
    return "\n\n".join(blocks) + "\n"


def rule_text(info: RuleInfo) -> str:
    """The same page without markup, for readers that show plain text; ends with a line end."""
    blocks = [f"{info.name} ({info.code})", summary_of(info), _facts(info, bold="")]
    for section in _sections(info):
        body = section.body if section.code else section.body.replace("`", "")
        blocks.append(f"{section.title}:\n{_indented(body)}")
    if info.options:
        listed = "\n".join(f"{option.name} = {_toml(option.default)}  {option.help}" for option in info.options)
        blocks.append(f"Options:\n{_indented(listed)}")
    if _can_be_accepted(info):
        blocks.append(f"To accept one place:\n{_indented(_suppression(info))}")
    return "\n\n".join(blocks) + "\n"


def index_page(infos: Iterable[RuleInfo], verdicts: Mapping[str, str]) -> str:
    """The catalogue in Markdown: a table for each family, each rule with a link to its page.

    Args:
        infos: the rules, by code.
        verdicts: what each rule's proof says (``proved``, ``shown``), by code; a rule without one has a dash.
    """
    blocks = []
    for family, rules in itertools.groupby(infos, lambda info: re.sub(r"\d\d$", "", info.code)):
        title = FAMILIES.get(family, "")
        rows = ["| code | name | severity | finds | proof | fix | from |", "|---|---|---|---|---|---|---|"]
        for info in rules:
            link = f"[{info.name}]({page_name(info)})"
            severity = f"{info.severity.value}, preview" if info.preview else info.severity.value
            proof = verdicts.get(info.code) or ("exempt" if info.proof == "exempt" else "-")
            cells = (info.code, link, severity, summary_of(info), proof, info.fix or "-", info.report or "-")
            rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        blocks += [f"## {family}xx {title}".rstrip(), "\n".join(rows)]
    return "\n\n".join(blocks) + "\n"


def summary_of(info: RuleInfo) -> str:
    """The rule's summary; its name as a sentence where docstrings were stripped (``python -OO``)."""
    return sentence(info.summary) or sentence(info.name.replace("-", " ").capitalize())


def fenced(code: str, language: str = "") -> str:
    """``code`` as a Markdown block, in a fence longer than any inside it."""
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"


def _sections(info: RuleInfo) -> Iterator[_Section]:
    """The docstring's sections in the order of a page, then any that a pack adds."""
    for heading in (*_TITLES, *(heading for heading in info.sections if heading not in _TITLES)):
        body = info.sections.get(heading, "").strip("\n")
        if not body.strip():
            continue
        is_code = heading in _CODE
        # Docstrings may write ``name`` as reStructuredText does.
        yield _Section(
            _TITLES.get(heading, heading), body if is_code else re.sub("``([^`]+)``", r"`\1`", body), is_code
        )
    if info.proof in _PROOFS:
        yield _Section("Proof", _PROOFS[info.proof].format(code=info.code))


def _facts(info: RuleInfo, bold: str) -> str:
    facts = [
        f"{bold}Severity:{bold} {info.severity.value}.",
        f"{bold}Confidence:{bold} {info.confidence.value}.",
    ]
    if info.preview:
        facts.append(f"{bold}Preview:{bold} off unless it is selected.")
    facts.append(f"{bold}Frameworks:{bold} {', '.join(info.frameworks) or 'all'}.")
    facts.append(f"{bold}Fix:{bold} {_FIXES[info.fix]}.")
    if info.pack != "otplint":
        facts.append(f"{bold}Pack:{bold} {info.pack}.")
    return " ".join(facts)


def _option_table(options: tuple[Option, ...]) -> str:
    rows = ["| Option | Default | Meaning |", "|---|---|---|"]
    for option in options:
        cells = (f"`{option.name}`", f"`{_toml(option.default)}`", option.help)
        rows.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(rows)


def _toml(value: object) -> str:
    """``value`` as one writes it in the configuration."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value)


def _can_be_accepted(info: RuleInfo) -> bool:
    """Rules about comments are switched off in the configuration, not by comments."""
    return not (info.pack == "otplint" and info.code.startswith("OTP9"))


def _suppression(info: RuleInfo) -> str:
    return f"# otplint: ignore[{info.code}] the reason, for the next reader"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))
