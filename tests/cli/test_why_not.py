"""``otplint why-not FILE:LINE``: who looked at a line, what silenced each, and why nobody looked."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

APP = """\
import pykka


class Till(pykka.ThreadingActor):
    def __init__(self):
        super().__init__()
        self.log = []

    def on_receive(self, message):
        try:
            return self.count(message)
        except Exception:
            raise

    def tidy(self):
        try:
            self.count(None)
        except Exception:
            pass

    def count(self, message):
        try:
            return len(message)
        except Exception:
            pass
        return self.bank.ask(message)


class Plain(Base, list):
    def sum(self):
        return self.total()


def alone():
    return 1


TOP = 5
"""

SHARED = """\
from otplint.runtime import Server


class Till(Server):
    def __init__(self):
        self.names = []

    async def handle_cast(self, msg):
        self.names.append(msg)

    async def handle_call(self, req, frm):
        return self.names
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "tests").mkdir(parents=True)
    (folder / "otplint.toml").write_text("")
    (folder / "app.py").write_text(APP)
    (folder / "sums.py").write_text("def add(a, b):\n    return a + b\n")
    (folder / "tests" / "test_app.py").write_text(APP)
    return folder


def line_of(text: str, wanted: str, nth: int = 1) -> int:
    """The number of the nth line that holds some words."""
    return [i for i, line in enumerate(text.split("\n"), 1) if wanted in line][nth - 1]


def about(answer: str, code: str) -> str:
    """What is said of one rule, on one line."""
    paragraphs = [" ".join(part.split()) for part in answer.split("\n\n")]
    return next((part for part in paragraphs if part.startswith(code)), "")


def test_a_reason_for_silence_and_whose_line_it_is(otplint: Any, project: Path) -> None:
    answer = otplint(["why-not", f"app.py:{line_of(APP, 'except Exception')}"], project)
    assert (answer.status, answer.err) == (0, "")
    first, *_ = answer.out.split("\n")
    assert first == "app.py:12: except Exception:"
    whose = " ".join(answer.out.split("\n\n")[0].split("\n", 1)[1].split())
    assert whose == ("In Till.on_receive, a handler of the actor Till (pykka; it derives from pykka.ThreadingActor).")
    said = about(answer.out, "OTP201")
    assert said == "OTP201 broad-except-in-handler is silent because it raises again, at least some of the errors"


def test_a_finding_and_what_hides_it(otplint: Any, project: Path) -> None:
    place = f"app.py:{line_of(APP, 'except Exception', 3)}"
    assert about(otplint(["why-not", place], project).out, "OTP201").startswith(
        "OTP201 broad-except-in-handler reports this (high, high confidence) Till.count catches Exception"
    )
    hidden = {
        ("--ignore", "OTP201"): "but the rule is not selected",
        ("--config", 'per-file-ignores={"app.py"=["OTP201"]}'): "but per-file-ignores leaves the rule out of this file",
        ("--config", 'severity={OTP201="off"}'): "but the configuration switches the rule off",
    }
    for flags, reason in hidden.items():
        said = about(otplint(["why-not", place, *flags], project).out, "OTP201")
        assert "would report (high, high confidence)" in said
        assert reason in said, flags
    silenced = APP.replace("pass\n        return", "pass  # here\n        return")
    silenced = silenced.replace("len(message)\n        except Exception:", _SILENCED)
    (project / "app.py").write_text(silenced)
    said = about(otplint(["why-not", place], project).out, "OTP201")
    assert f"but a comment on line {place[7:]} suppresses it: counts are lost" in said


_SILENCED = "len(message)\n        except Exception:  # otplint: ignore[OTP201] counts are lost"


def test_low_confidence_is_a_reason_and_says_why(otplint: Any, project: Path) -> None:
    text = APP.replace(
        "            pass\n        return self.bank", "            self.repair()\n        return self.bank"
    )
    (project / "app.py").write_text(text)
    place = f"app.py:{line_of(text, 'except Exception', 3)}"
    said = about(otplint(["why-not", place], project).out, "OTP201")
    assert "but its confidence is low, and medium is asked for (--min-confidence)" in said
    assert "is careful because it does something about the failure" in said
    assert "reports this" in about(otplint(["why-not", place, "--min-confidence", "low"], project).out, "OTP201")


def test_preview_rules_say_that_they_are(otplint: Any, project: Path) -> None:
    (project / "app.py").write_text(SHARED)
    said = about(otplint(["why-not", "app.py:12"], project).out, "OTP410")
    assert "but a preview rule runs only where it is selected" in said
    said = about(otplint(["why-not", "app.py:12", "--select", "OTP410"], project).out, "OTP410")
    assert "reports this (medium, high confidence)" in said


def test_a_line_that_is_part_of_a_story(otplint: Any, project: Path) -> None:
    (project / "app.py").write_text(SHARED)
    said = about(otplint(["why-not", "app.py:9", "--select", "OTP410"], project).out, "OTP410")
    assert said.endswith("speaks of app.py:12, and this line is part of the story: it is changed here")


def test_where_nobody_looks(otplint: Any, project: Path) -> None:
    def said(place: str) -> str:
        return " ".join(otplint(["why-not", place], project).out.split())

    assert "Class Plain is no actor: none of its bases is known as one (Base is not in the project and in no" in said(
        f"app.py:{line_of(APP, 'self.total()')}"
    )
    assert "Function alone is no actor: no decorator makes it one" in said(f"app.py:{line_of(APP, 'return 1')}")
    assert "This line is at module level" in said(f"app.py:{line_of(APP, 'TOP = 5')}")
    assert "The file does not look like actor code, so nothing in it was looked at" in said("sums.py:2")
    place = f"tests/test_app.py:{line_of(APP, 'except Exception')}"
    assert "it looks at no code in test files" in said(place)
    assert "This is a test file." in said(place)


def test_a_base_in_the_project_that_leads_nowhere(otplint: Any, project: Path) -> None:
    (project / "base.py").write_text("import somewhere\n\n\nclass Base(somewhere.Thing):\n    pass\n")
    (project / "app.py").write_text(f"from base import Base\n{APP}")
    answer = otplint(["why-not", f"app.py:{line_of(APP, 'self.total()') + 1}"], project)
    assert "Base leads to somewhere.Thing, which no framework's data name" in " ".join(answer.out.split())


def test_excluded_and_broken_files(otplint: Any, project: Path) -> None:
    answer = otplint(["why-not", "app.py:12", "--config", 'exclude=["app.py"]'], project)
    assert answer.status == 0
    assert "The file is excluded (configuration or .gitignore): no scan reads it." in answer.out
    (project / "app.py").write_text("import pykka\nclass (:\n")
    answer = otplint(["why-not", "app.py:2"], project)
    assert answer.status == 0
    assert "The file cannot be analysed: syntax error" in answer.out


def test_helpers_that_no_handler_reaches_and_lines_nearby(otplint: Any, project: Path) -> None:
    text = """\
    import threading


    class Worker(threading.Thread):
        def run(self):
            while True:
                self.inbox.get()

        def report(self):
            x = 1
            try:
                print(x)
            except Exception:
                pass
    """
    (project / "app.py").write_text(textwrap.dedent(text))
    out = " ".join(otplint(["why-not", "app.py:13"], project).out.split())
    assert "In Worker.report, a helper of the actor Worker" in out
    assert "It does not run while messages are handled, as far as can be seen." in out
    (project / "app.py").write_text(APP)
    out = " ".join(otplint(["why-not", "app.py:10"], project).out.split())
    assert "In the same function rules looked at line 12 (OTP201, OTP202)." in out


def test_calls_that_nobody_knows(otplint: Any, project: Path) -> None:
    (project / "app.py").write_text(APP.replace("self.bank.ask(message)", "self.bank.fetch_all(message)"))
    out = otplint(["why-not", f"app.py:{line_of(APP, 'self.bank')}"], project).out
    assert "No framework's data know what self.bank.fetch_all does." in out


def test_the_others_are_one_line_or_all_listed(otplint: Any, project: Path) -> None:
    short = otplint(["why-not", "app.py:12"], project).out
    assert "other rules look for things that do not stand on this line: OTP101, OTP102" in " ".join(short.split())
    assert "OTP101 monitor-never-released" not in short
    listed = otplint(["why-not", "app.py:12", "--all"], project).out
    assert "OTP101 monitor-never-released: nothing of its kind stands on this line" in listed
    assert "OTP603 god-actor: it has " in listed


def test_json(otplint: Any, project: Path) -> None:
    answer = otplint(["why-not", "app.py:12", "--format", "json"], project)
    said = json.loads(answer.out)
    assert (said["path"], said["line"], said["text"], said["outside"]) == ("app.py", 12, "except Exception:", None)
    [actor] = said["actors"]
    assert (actor["name"], actor["framework"], actor["role"]) == ("Till", "pykka", "a handler")
    rules = {rule["code"]: rule for rule in said["rules"]}
    assert rules["OTP201"] == {
        "code": "OTP201",
        "name": "broad-except-in-handler",
        "verdict": "silent",
        "reasons": ["it raises again, at least some of the errors"],
        "finding": None,
    }
    assert rules["OTP101"]["verdict"] == "nothing"
    reported = json.loads(otplint(["why-not", "app.py:24", "--format", "json"], project).out)
    found = {rule["code"]: rule for rule in reported["rules"]}["OTP201"]
    assert (found["verdict"], found["finding"]["line"]) == ("reports", 24)


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("app.py", "'app.py' is no FILE:LINE; write app.py:12 (see 'otplint why-not --help')"),
        ("app.py:", "'app.py:' is no FILE:LINE; write app.py:12 (see 'otplint why-not --help')"),
        ("none.py:3", "no such file: none.py"),
        ("tests:3", "no such file: tests"),
        ("app.py:0", "app.py has 39 lines; there is no line 0"),
        ("app.py:99", "app.py has 39 lines; there is no line 99"),
    ],
)
def test_what_users_can_get_wrong_is_one_line(otplint: Any, project: Path, place: str, error: str) -> None:
    answer = otplint(["why-not", place], project)
    assert (answer.status, answer.out, answer.err) == (2, "", f"otplint: error: {error}\n")


def test_a_file_outside_of_the_project_root(otplint: Any, project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.py"
    elsewhere.write_text(APP)
    setting = project / "otplint.toml"
    answer = otplint(["why-not", "../elsewhere.py:12", "--config", str(setting)], project)
    assert (answer.status, answer.out) == (2, "")
    assert "is outside of the project root" in answer.err
