from __future__ import annotations

import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from otplint.config import DEFAULT, KEYS, STRICT, Config, ConfigError, find, load
from otplint.config_schema import schema
from otplint.findings import Confidence, Option, RuleInfo, Severity

FULL = """
select = ["OTP2", "magic-threshold"]
extend-select = ["OTP406"]
ignore = ["OTP202"]
exclude = ["vendor/"]
respect-gitignore = false
test-files = ["spec/"]
min-confidence = "high"
fail-on = "never"
strict = false

[per-file-ignores]
"tests/**" = ["OTP3"]

[severity]
OTP201 = "critical"
magic-threshold = "off"

[options.OTP301]
allow = ["a", "b"]
limit = 3
factor = 0.5
loose = true
unit = "s"

[frameworks.ours]
actor = ["ours.Actor"]
nested = { any = [1, 2.5] }
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def as_table(text: str) -> str:
    """The text of an otplint.toml as a part of a pyproject.toml."""
    return "[tool.otplint]\n" + re.sub(r"(?m)^\[", "[tool.otplint.", text)


def test_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, isolated=True)
    assert config == Config()
    assert (config.select, config.min_confidence, config.fail_on) == (None, Confidence.MEDIUM, Severity.LOW)
    assert {setting.origin for setting in config.settings()} == {DEFAULT}


@pytest.mark.parametrize("name", ["otplint.toml", "pyproject.toml"])
def test_every_key(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name, as_table(FULL) if name == "pyproject.toml" else FULL)
    config = load(tmp_path / "deep/down")
    assert config.file == file
    assert config.select == ("OTP2", "magic-threshold")
    assert config.extend_select == ("OTP406",)
    assert config.ignore == ("OTP202",)
    assert config.exclude == ("vendor/",)
    assert config.test_files == ("spec/",)
    assert config.min_confidence is Confidence.HIGH
    assert config.fail_on is None
    assert not config.respect_gitignore
    assert config.per_file_ignores == {"tests/**": ("OTP3",)}
    assert config.severities == {"OTP201": Severity.CRITICAL}
    assert config.off == ("magic-threshold",)
    assert config.options == {"OTP301": {"allow": ("a", "b"), "limit": 3, "factor": 0.5, "loose": True, "unit": "s"}}
    assert config.frameworks == {"ours": {"actor": ["ours.Actor"], "nested": {"any": [1, 2.5]}}}
    assert pickle.loads(pickle.dumps(config)) == config


def test_says_where_each_setting_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "base.toml", 'ignore = ["OTP1"]\n[severity]\nOTP201 = "low"\nOTP301 = "off"\n')
    write(
        tmp_path / "a/otplint.toml",
        'extend = "../base.toml"\n[severity]\nOTP201 = "high"\n[per-file-ignores]\n"t/*" = []\n',
    )
    config = load(tmp_path / "a", overrides=["fail-on=high", "options.OTP301.limit=3"])
    config = config.override("--select", select=("OTP3",))
    settings = {setting.key: (setting.value, setting.origin) for setting in config.settings()}
    assert settings == {
        "select": (["OTP3"], "--select"),
        "extend-select": ([], DEFAULT),
        "ignore": (["OTP1"], "base.toml"),
        'per-file-ignores."t/*"': ([], "a/otplint.toml"),
        "severity.OTP201": ("high", "a/otplint.toml"),
        "severity.OTP301": ("off", "base.toml"),
        "options.OTP301.limit": (3, "--config"),
        "exclude": ([], DEFAULT),
        "respect-gitignore": (True, DEFAULT),
        "search-paths": ([], DEFAULT),
        "test-files": ("default", DEFAULT),
        "min-confidence": ("medium", DEFAULT),
        "fail-on": ("high", "--config"),
        "strict": (False, DEFAULT),
    }
    assert config.override("x", fail_on=None).settings()[-2].value == "never"
    replaced = config.override("--flag", severity={"OTP201": Severity.LOW}).settings()
    assert [(item.key, item.origin) for item in replaced if "severity" in item.key] == [("severity.OTP201", "--flag")]


class TestSearch:
    def test_the_closest_wins(self, tmp_path: Path) -> None:
        top = write(tmp_path / "pyproject.toml", "[tool.otplint]\n")
        inner = write(tmp_path / "a/otplint.toml", "")
        write(tmp_path / "a/b/pyproject.toml", "[tool.other]\nx = 'otplint'\n")  # has no table of ours
        assert find(tmp_path / "a/b/c") == inner
        assert find(tmp_path / "b") == top
        assert load(tmp_path / "a/b").file == inner

    def test_its_own_file_comes_before_pyproject(self, tmp_path: Path) -> None:
        write(tmp_path / "pyproject.toml", "[tool.otplint]\n")
        own = write(tmp_path / "otplint.toml", "")
        assert find(tmp_path) == own

    def test_files_are_not_merged(self, tmp_path: Path) -> None:
        write(tmp_path / "otplint.toml", "strict = true\n")
        write(tmp_path / "a/otplint.toml", "ignore = []\n")
        assert not load(tmp_path / "a").strict

    def test_a_broken_file_of_others_is_passed_by(self, tmp_path: Path) -> None:
        write(tmp_path / "pyproject.toml", "[tool.otplint]\n")
        write(tmp_path / "a/pyproject.toml", "[tool.black\n")
        assert find(tmp_path / "a") == tmp_path / "pyproject.toml"

    def test_isolated_reads_nothing(self, tmp_path: Path) -> None:
        write(tmp_path / "otplint.toml", "[[[")
        assert load(tmp_path, isolated=True).file is None
        assert load(tmp_path, isolated=True, overrides=["strict=true"]).strict


class TestExtend:
    def test_later_replaces_and_tables_join(self, tmp_path: Path) -> None:
        write(
            tmp_path / "pyproject.toml",
            as_table(
                'select = ["OTP1"]\nexclude = ["a"]\nextend-select = ["X", "Y"]\n[severity]\nOTP201 = "low"\n'
                "[options.OTP301]\na = 1\nb = 1\n[frameworks.one]\nx = 1\n"
            ),
        )
        write(
            tmp_path / "mid/base.toml", 'extend = "../pyproject.toml"\nignore = ["OTP9"]\n[severity]\nOTP202 = "off"\n'
        )
        write(
            tmp_path / "a/otplint.toml",
            'extend = "../mid/base.toml"\nselect = ["OTP2"]\nextend-select = ["Z", "X"]\n'
            "[options.OTP301]\nb = 2\n[frameworks.one]\ny = 2\n[frameworks.two]\n",
        )
        config = load(tmp_path / "a")
        assert config.file == tmp_path / "a/otplint.toml"
        assert (config.select, config.ignore, config.exclude) == (("OTP2",), ("OTP9",), ("a",))
        assert config.extend_select == ("X", "Y", "Z")
        assert config.severity == {"OTP201": Severity.LOW, "OTP202": None}
        assert config.options == {"OTP301": {"a": 1, "b": 2}}
        assert config.frameworks == {"one": {"x": 1, "y": 2}, "two": {}}

    @pytest.mark.parametrize(
        ("files", "message"),
        [
            ({"otplint.toml": 'extend = "otplint.toml"'}, "otplint.toml: extend: goes round in a circle"),
            (
                {"otplint.toml": 'extend = "b/x.toml"', "b/x.toml": 'extend = "../otplint.toml"'},
                "circle: otplint.toml -> b/x.toml -> otplint.toml",
            ),
            ({"otplint.toml": 'extend = "gone.toml"'}, "otplint.toml: extend: no such file: gone.toml"),
            ({"otplint.toml": 'extend = "."'}, "otplint.toml: extend: no such file: ."),
            ({"otplint.toml": "extend = [1]"}, "otplint.toml: extend: expected a string, found a list"),
            ({"otplint.toml": 'extend = "b/pyproject.toml"', "b/pyproject.toml": ""}, "has no table [tool.otplint]"),
            ({"otplint.toml": 'extend = "b.toml"', "b.toml": "selct = []"}, "b.toml: unknown key 'selct'"),
        ],
    )
    def test_errors(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], message: str) -> None:
        monkeypatch.chdir(tmp_path)
        for name, text in files.items():
            write(tmp_path / name, text)
        with pytest.raises(ConfigError, match=re.escape(message)):
            load(tmp_path)


class TestStrict:
    def test_it_reports_all(self, tmp_path: Path) -> None:
        config = load(tmp_path, isolated=True, overrides=["strict=true"])
        assert (config.select, config.min_confidence) == (("ALL",), Confidence.LOW)
        assert {item.key for item in config.settings() if item.origin == STRICT} == {"select", "min-confidence"}

    def test_explicit_settings_beat_it(self, tmp_path: Path) -> None:
        write(tmp_path / "base.toml", "strict = true\n")
        write(tmp_path / "otplint.toml", 'extend = "base.toml"\nmin-confidence = "high"\n')
        config = load(tmp_path)
        assert (config.select, config.min_confidence) == (("ALL",), Confidence.HIGH)
        assert load(tmp_path, overrides=["strict=false"]).select is None


class TestCommandLine:
    def test_a_file_takes_the_place_of_the_search(self, tmp_path: Path) -> None:
        write(tmp_path / "otplint.toml", "strict = true\n")
        other = write(tmp_path / "other=1.toml", 'ignore = ["OTP1"]\n')
        config = load(tmp_path, overrides=[str(other)])
        assert (config.file, config.strict, config.ignore) == (other, False, ("OTP1",))

    @pytest.mark.parametrize(
        ("setting", "field", "value"),
        [
            ('select=["OTP2"]', "select", ("OTP2",)),
            ("fail-on=high", "fail_on", Severity.HIGH),
            ('fail-on = "high"', "fail_on", Severity.HIGH),
            ("severity.OTP201=off", "severity", {"OTP201": None}),
            ('per-file-ignores."a/*.py"=["OTP1"]', "per_file_ignores", {"a/*.py": ("OTP1",)}),
            ("options.OTP301.unit=é, \\ü 😀", "options", {"OTP301": {"unit": "é, \\ü 😀"}}),
        ],
    )
    def test_single_settings(self, tmp_path: Path, setting: str, field: str, value: object) -> None:
        assert getattr(load(tmp_path, isolated=True, overrides=[setting]), field) == value

    @pytest.mark.parametrize(
        ("overrides", "message"),
        [
            (["nowhere.toml"], "--config: 'nowhere.toml' is neither a file nor KEY=VALUE"),
            (["selec=1"], "--config: unknown key 'selec'; did you mean select?"),
            (["strict=maybe"], "--config: strict: expected true or false, found a string"),
            (["=1"], "--config: '=1': not KEY=VALUE as in TOML"),
            (["a b=1"], "--config: 'a b=1': not KEY=VALUE as in TOML"),
            (["x=" + "[" * 9999], "--config: unknown key 'x'"),
            (["extend=one.toml"], "--config: extend counts only in a file"),
            (["one.toml", "two.toml"], "two files"),
        ],
    )
    def test_errors(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overrides: list[str], message: str) -> None:
        monkeypatch.chdir(tmp_path)
        for name in ("one.toml", "two.toml"):
            write(tmp_path / name, "")
        with pytest.raises(ConfigError, match=re.escape(message)):
            load(tmp_path, overrides=overrides)

    def test_isolated_and_a_file_contradict(self, tmp_path: Path) -> None:
        other = write(tmp_path / "other.toml", "")
        with pytest.raises(ConfigError, match="--isolated"):
            load(tmp_path, overrides=[str(other)], isolated=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min_confidence = 'low'", "unknown key 'min_confidence'; did you mean min-confidence?"),
        ("zzz = 1", "unknown key 'zzz'"),
        ("select = 'OTP2'", "select: expected a list of strings, found a string"),
        ("select = ['OTP2', 3]", "select: expected a list of strings, found a list"),
        ("strict = 1", "strict: expected true or false, found a number"),
        ("min-confidence = 'hgih'", "min-confidence: 'hgih' is not high, medium or low; did you mean high?"),
        ("fail-on = 3", "fail-on: expected critical, high, medium, low or never, found a number"),
        ("severity = 'high'", "severity: expected a table of strings, found a string"),
        ("severity.OTP201 = 'error'", "severity.OTP201: 'error' is not critical, high, medium, low or off"),
        ("severity.OTP201 = 2026-01-01", "severity.OTP201: expected critical, high, medium, low or off, found a date"),
        ("per-file-ignores = ['a']", "per-file-ignores: expected a table of lists of strings, found a list"),
        ("per-file-ignores.a = 'b'", "per-file-ignores.a: expected a list of strings, found a string"),
        ("options.OTP301 = 3", "options.OTP301: expected a table, found a number"),
        ("options.OTP301.x.y = 3", "options.OTP301.x: expected true, false, a number, a string or a list of strings"),
        ("frameworks.x = []", "frameworks.x: expected a table, found a list"),
        ("frameworks = 1", "frameworks: expected a table of tables, found a number"),
    ],
)
def test_wrong_settings_name_file_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "otplint.toml", text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert str(caught.value).startswith(f"otplint.toml: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "start"),
    [
        (b"a = 1\nb = \n", "otplint.toml:2: not valid TOML: "),
        (b"a = 1\n[x\n\n", "otplint.toml:2: not valid TOML: "),
        (b'a = 1\nb = """x\n\n', "otplint.toml:2: not valid TOML: "),
        (b"a = 1\na = 2\n", "otplint.toml:2: not valid TOML: "),
        (b"a = 1\nb = '\xff'\n", "otplint.toml:2: not valid TOML: not UTF-8"),
        (b"a = " + b"[" * 9999, "otplint.toml: not valid TOML: nested too deeply"),
    ],
)
def test_broken_toml_names_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, start: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "otplint.toml").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert str(caught.value).startswith(start)
    assert "\n" not in str(caught.value)


def test_broken_pyproject_that_names_us_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool.otplint]\nselect = [\n")
    with pytest.raises(ConfigError, match=r"pyproject\.toml:2: not valid TOML"):
        load(tmp_path)
    write(tmp_path / "pyproject.toml", "[tool]\notplint = 3\n")
    with pytest.raises(ConfigError, match=r"tool\.otplint: expected a table, found a number"):
        load(tmp_path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "otplint.toml").write_bytes(b"\xef\xbb\xbfstrict = true\r\n")
    assert load(tmp_path).strict


RULE = RuleInfo(
    "OTP301", "magic-threshold", Severity.MEDIUM, Confidence.HIGH, "A number.",
    options=(Option("limit", 3, "How many."), Option("allow", ("a",), "What."), Option("loose", False, "If.")),
)  # fmt: skip


def document(text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


class TestSchema:
    def test_it_is_a_schema(self) -> None:
        for rules in ((), (RULE,)):
            jsonschema.Draft7Validator.check_schema(schema(rules))
        assert set(schema()["properties"]) == {*KEYS, "extend"}

    def test_it_takes_what_the_loader_takes(self) -> None:
        jsonschema.validate(document('extend = "../base.toml"\n' + FULL), schema(), jsonschema.Draft7Validator)
        jsonschema.validate(document("[options.OTP301]\nlimit = 4"), schema([RULE]), jsonschema.Draft7Validator)

    @pytest.mark.parametrize(
        "text",
        [
            "selct = []", "select = 'x'", "strict = 1", "min-confidence = 'x'", "severity.OTP201 = 'error'",
            "per-file-ignores.a = 'b'", "options.OTP301 = 3", "frameworks.x = []", "extend = []",
            "options.OTP301.x.y = 3",
        ],
    )  # fmt: skip
    def test_it_refuses_what_the_loader_refuses(self, tmp_path: Path, text: str) -> None:
        write(tmp_path / "otplint.toml", text)
        with pytest.raises(ConfigError):
            load(tmp_path)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document(text), schema(), jsonschema.Draft7Validator)

    @pytest.mark.parametrize("text", ["limit = 'x'", "limt = 1", "allow = 'a'", "loose = 0"])
    def test_it_knows_the_options_of_rules(self, text: str) -> None:
        for name in ("OTP301", "magic-threshold"):
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(document(f"[options.{name}]\n{text}"), schema([RULE]), jsonschema.Draft7Validator)


def test_reading_no_file_parses_no_toml() -> None:
    code = (
        "import sys; from pathlib import Path; from otplint.config import load; load(Path.cwd(), isolated=True); "
        "sys.exit(bool({'tomllib', 'tomli'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
