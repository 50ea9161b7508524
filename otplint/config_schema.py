"""A JSON schema of the configuration, for editors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from otplint.config import EXTEND, KEYS, Key
from otplint.findings import Option, RuleInfo

_STRINGS = {"type": "array", "items": {"type": "string"}}
_OPTION = {"type": ["boolean", "integer", "number", "string", "array"], "items": {"type": "string"}}


def schema(rules: Sequence[RuleInfo] = ()) -> dict[str, Any]:
    """A JSON schema (draft 7) of ``otplint.toml`` and of ``[tool.otplint]``.

    Args:
        rules: makes the schema name these rules' options with their types, defaults and help.
    """
    properties: dict[str, Any] = {"extend": {"type": "string", "description": EXTEND.help}}
    for key, declared in KEYS.items():
        properties[key] = {**_shape(declared), "description": declared.help}
    by_rule = {name: _rule_options(rule) for rule in rules if rule.options for name in (rule.code, rule.name)}
    if by_rule:
        properties["options"]["properties"] = by_rule
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "otplint",
        "description": "Settings of otplint: otplint.toml, or the table tool.otplint of pyproject.toml.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _shape(key: Key) -> dict[str, Any]:
    shapes: dict[str, dict[str, Any]] = {
        "strings": dict(_STRINGS),
        "flag": {"type": "boolean"},
        "choice": {"enum": list(key.choices)},
        "lists": {"type": "object", "additionalProperties": _STRINGS},
        "choices": {"type": "object", "additionalProperties": {"enum": list(key.choices)}},
        "options": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": _OPTION}},
        "tables": {"type": "object", "additionalProperties": {"type": "object"}},
    }
    return shapes[key.kind]


def _rule_options(rule: RuleInfo) -> dict[str, Any]:
    return {
        "type": "object",
        "description": f"{rule.code} {rule.name}: {rule.summary}",
        "properties": {option.name: _option(option) for option in rule.options},
        "additionalProperties": False,
    }


def _option(option: Option) -> dict[str, Any]:
    default = option.default
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    if isinstance(default, tuple):
        return {**_STRINGS, "default": list(default), "description": option.help}
    return {"type": names[type(default)], "default": default, "description": option.help}
