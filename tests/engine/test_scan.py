"""A scan as a whole: bad input, other files, and sameness whatever the order, the processes and the directory."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otplint.api import Actor, Confidence, Facts, Finding, ProjectRule, Rule, RuleInfo, Severity
from otplint.config import Config
from otplint.engine.packs import load_rules
from otplint.engine.run import scan
from otplint.facts.frameworks import FrameworkError, Vocabulary
from otplint.findings import Report

HEAD = "import pykka\n\n\nclass Player(pykka.ThreadingActor):\n    def on_receive(self, m):\n"
BODY = "        try:\n            self.x = m.y\n        except Exception:\n            pass\n"


def check(root: Path, *paths: str, code: str = "OTP201", jobs: int = 1, config: Config | None = None) -> Report:
    rules = [rule() for rule in load_rules() if rule.code == code]
    targets = [root / path for path in paths] or [root]
    return scan(targets, config or Config(), rules, root=root, jobs=jobs)


def places(report: Report) -> list[tuple[str, int, int]]:
    return [(f.span.path, f.span.line, f.span.column) for f in report.findings]


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text), encoding="utf-8")


GOOD_BUT_ODD = {
    "crlf": ((HEAD + BODY).replace("\n", "\r\n").encode(), (8, 9)),
    "cr": ((HEAD + BODY).replace("\n", "\r").encode(), (8, 9)),
    "form feed": ((HEAD + "        s = 'a\x0cb'\n\x0c\n" + BODY).encode(), (10, 9)),
    "line separator": ((HEAD + "        s = 'a\u2028b'; é = '\U0001f600'\n" + BODY).encode(), (9, 9)),
    "byte order mark": (b"\xef\xbb\xbf" + (HEAD + BODY).encode(), (8, 9)),
    "latin-1": (b"# -*- coding: latin-1 -*-\n# \xe9\n" + (HEAD + BODY).encode(), (10, 9)),
    "escaped surrogate": ((HEAD + '        s = "\\ud800"\n' + BODY).encode(), (9, 9)),
    "tabs": ((HEAD + BODY).replace("    ", "\t").encode(), (8, 3)),
    "90 parentheses": ((HEAD + "        x = " + "(" * 90 + "1" + ")" * 90 + "\n" + BODY).encode(), (9, 9)),
    "1000 terms": ((HEAD + "        x = " + "+".join(["m.a"] * 1000) + "\n" + BODY).encode(), (9, 9)),
    "3.12 generics": (
        (HEAD.replace("Player(", "Player[T](") + '        t = f"{m["k"]}"\n        type X = int\n' + BODY).encode(),
        (10, 9),
    ),
    "3.14 except": (
        (HEAD + BODY.replace("Exception", "ValueError, KeyError") + BODY).encode(),
        (12, 9),
    ),
    "t-string": ((HEAD + "        x = t'{m}'\n" + BODY).encode(), (9, 9)),
    "one line": (
        b"import pykka\nclass A(pykka.ThreadingActor):\n def f(self):\n  try: self.x = 1\n  except Exception: pass\n",
        (5, 3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("data", GOOD_BUT_ODD.values(), ids=GOOD_BUT_ODD.keys())
def test_odd_files_are_analysed_at_the_exact_place(data: tuple[bytes, tuple[int, int]], tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_bytes(data[0])
    report = check(tmp_path)
    assert report.failures == ()
    assert places(report) == [("odd.py", *data[1])]


BROKEN = {
    "syntax error": (HEAD + "        x = = 1\n").encode(),
    "NUL byte": (HEAD + BODY).encode() + b"\0",
    "unknown cookie": b"# coding: nosuch\n" + (HEAD + BODY).encode(),
    "not UTF-8": b"# \xff\xfe\n" + (HEAD + BODY).encode(),
    "raw surrogate": (HEAD + '        s = "').encode() + b"\xed\xa0\x80" + ('"\n' + BODY).encode(),
    "1500 parentheses": (HEAD + "        x = " + "(" * 1500 + "1" + ")" * 1500 + "\n" + BODY).encode(),
    "3000 lambdas": (HEAD + "        x = " + "lambda: " * 3000 + "1\n" + BODY).encode(),
    "9000 operators": (HEAD + "        x = " + "+".join(["1"] * 9000) + "\n" + BODY).encode(),
    "nested patterns": (
        HEAD + "        match m:\n            case " + "{1: " * 13 + "2" + "}" * 13 + ":\n                pass\n" + BODY
    ).encode(),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_broken_files_are_named_and_the_rest_is_scanned(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_bytes(data)
    (tmp_path / "fine.py").write_text(HEAD + BODY)
    report = check(tmp_path)
    assert [failure.path for failure in report.failures] == ["broken.py"]
    assert "\n" not in report.failures[0].message
    assert places(report) == [("fine.py", 8, 9)]


def test_a_syntax_error_in_a_file_that_triage_leaves_out_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("x = = 1\n")
    assert check(tmp_path).failures == ()


PACKAGE = {
    "pkg/__init__.py": "from .base import Base as Exported\n",
    "pkg/base.py": "import pykka\nclass Base(pykka.ThreadingActor):\n    pass\n",
    "pkg/middle.py": "from .base import Base\nclass Middle(Base):\n    pass\n",
    "pkg/player.py": f"from .middle import Middle\nclass Player(Middle):\n    def play(self, m):\n{BODY}",
    "pkg/alias.py": f"from pkg import Exported\nclass Other(Exported):\n    def play(self, m):\n{BODY}",
    "pkg/mixin.py": f"class Guard:\n    def guard(self, m):\n{BODY}",
    "pkg/mixed.py": "from .base import Base\nfrom .mixin import Guard\nclass Mixed(Guard, Base):\n    pass\n",
    "pkg/plain.py": f"class Plain:\n    def play(self, m):\n{BODY}",
    "src/lib/core.py": "import pykka as p\nclass Core(p.ThreadingActor):\n    pass\n",
    "src/lib/leaf.py": f"from lib import core\nclass Leaf(core.Core):\n    def play(self, m):\n{BODY}",
}
EXPECTED = [("pkg/alias.py", 6, 9), ("pkg/mixin.py", 5, 9), ("pkg/player.py", 6, 9), ("src/lib/leaf.py", 6, 9)]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in PACKAGE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_bases_and_mixins_in_other_files_count(package: Path) -> None:
    assert places(check(package)) == EXPECTED


def test_order_of_paths_does_not_matter(package: Path) -> None:
    names = list(PACKAGE)
    assert places(check(package, *names)) == places(check(package, *reversed(names))) == EXPECTED


def test_the_base_need_not_be_named(package: Path) -> None:
    assert places(check(package, "pkg/player.py")) == [("pkg/player.py", 6, 9)]
    assert places(check(package, "src/lib/leaf.py")) == [("src/lib/leaf.py", 6, 9)]


def test_the_working_directory_does_not_matter(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(package / "pkg")
    assert places(check(package)) == EXPECTED


def test_processes_do_not_matter(tmp_path: Path) -> None:
    for i in range(45):
        (tmp_path / f"m{i:02}.py").write_text(f"from base import B\nclass A{i}(B):\n    def f(self, m):\n{BODY}")
    (tmp_path / "base.py").write_text("import pykka\nclass B(pykka.ThreadingActor):\n    pass\n")
    alone, two = check(tmp_path, jobs=1), check(tmp_path, jobs=2)
    assert len(alone.findings) == 45
    assert alone == two


_ARM = "\n            try:\n                self.x = m.y\n            except Exception:\n                pass\n"
_FUNCTION_ARM = "\n        try:\n            m.n += 1\n        except Exception:\n            pass\n"
_WORKER = "import queue\n\n\nclass W:\n    def __init__(self):\n        self.q = queue.Queue()\n\n    def run(self):\n"
_SERVICE = (
    "import asyncio\nclass S:\n    def __init__(self):\n        self.q = asyncio.Queue()\n    async def loop(self):\n"
)
_THREAD = "from threading import Thread\nclass T(Thread):\n    def run(self):\n"
LOOPS = [
    *(
        f"{_WORKER}        while True:\n            m = self.q.get{args}{_ARM}"
        for args in ("()", "(timeout=1)", "(True, 1)", "(block=False)", "_nowait()")
    ),
    f"def work(q):\n    while True:\n        m = q.get(){_FUNCTION_ARM}",
    f"import queue\nq = queue.Queue()\ndef work():\n    for m in iter(q.get, None):{_FUNCTION_ARM}",
    f"{_SERVICE}        while True:\n            m = await self.q.get(){_ARM}",
    f"{_THREAD}        while True:\n            m = self{_ARM}",
]


@pytest.mark.parametrize("number", range(len(LOOPS)))
def test_loops_that_drain_a_queue_are_actors(number: int, tmp_path: Path) -> None:
    (tmp_path / "loop.py").write_text(LOOPS[number])
    assert check(tmp_path).actors == 1


def test_triage_loses_nothing(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, text in enumerate(LOOPS):
        (package / f"loop{number}.py").write_text(text)
    before = check(package)
    monkeypatch.setattr(Vocabulary, "tokens", lambda self: ([b"\n"], []))
    full = check(package)
    assert before.findings == full.findings
    assert before.analysed < full.analysed


def test_a_queue_that_is_no_mailbox_makes_no_actor(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.py": "class C:\n    def f(self, d):\n        while d.get('k'):\n            d.get()\n",
            "b.py": """\
                import contextvars
                v = contextvars.ContextVar('v')
                def f():
                    while True:
                        print(v.get())
                """,
            "c.py": "import queue\ndef f():\n    q = queue.Queue()\n    q.put(1)\n    return q.get()\n",
        },
    )
    assert check(tmp_path).actors == 0


class Raises(Rule, abstract=True):
    code = "XYZ001"
    name = "raises"

    def check(self, actor: Actor) -> Iterator[Finding]:
        raise ValueError("boom\nand more")


def test_a_rule_that_raises_is_named_and_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(HEAD + BODY)
    Raises.severity = Raises.confidence = None  # type: ignore[assignment]
    broken: Any = object.__new__(type("Broken", (Raises,), {"__doc__": "x"}, abstract=True))
    broken._severity, broken._values, broken._fixed_severity = None, {}, False
    rules = [rule() for rule in load_rules() if rule.code == "OTP201"]
    from otplint.engine.collect import Files
    from otplint.engine.judge import judge
    from otplint.facts.facts import Facts
    from otplint.facts.frameworks import shipped
    from otplint.facts.index.project import Project
    from otplint.facts.kinship import Kinship

    files = Files(tmp_path)
    vocabulary = Vocabulary(shipped())
    project = Project([files.index("a.py")])
    facts = Facts(project, vocabulary, Kinship(project, vocabulary), files.text)
    judged = judge(project.modules, facts, [broken, *rules], lambda path: frozenset())
    assert [failure.message for failure in judged.failures] == ["rule XYZ001 failed on Player: ValueError: boom"]
    assert len(judged.findings) == 1


def test_standard_input_takes_the_place_of_the_file(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [rule() for rule in load_rules() if rule.code == "OTP201"]
    data = f"from .base import Base\nclass New(Base):\n    def play(self, m):\n{BODY}".encode()
    monkeypatch.chdir(package)
    report = scan([], Config(), rules, root=package, stdin=("pkg/new.py", data))
    assert places(report) == [("pkg/new.py", 6, 9)]


def test_frameworks_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"from house import Agent\nclass A(Agent):\n    def on_message(self, m):\n{BODY}")
    table = {"house": {"actor": {"bases": ["house.Agent"], "handlers": ["on_message"], "on_failure": ["restart"]}}}
    report = check(tmp_path, config=Config(frameworks=table))
    assert [f.framework for f in report.findings] == ["house"]
    with pytest.raises(FrameworkError, match=r"frameworks.house: unknown key 'actors_', did you mean 'actor'"):
        check(tmp_path, config=Config(frameworks={"house": {"actors_": []}}))


def test_a_comment_covers_the_header_of_its_statement(tmp_path: Path) -> None:
    text = HEAD + BODY.replace(
        "Exception:", "(\n            Exception\n        ):  # otplint: ignore[OTP201] told apart later"
    )
    (tmp_path / "a.py").write_text(text)
    report = check(tmp_path)
    assert report.findings == ()
    assert report.suppressed == 1


class Together(ProjectRule[Finding], abstract=True):
    code = "XYZ002"
    name = "together"
    severity = Severity.LOW
    confidence = Confidence.HIGH

    def notes(self, actor: Actor) -> Iterator[Finding]:
        yield self.finding(actor, actor.methods[0], actor.methods[0].code, problem=actor.name)

    def check_project(self, notes: Sequence[Finding], facts: Facts) -> Iterator[Finding]:
        yield from (replace(finding, problem=f"{len(notes)} actors.") for finding in notes[1:])


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_rule_may_look_at_all_actors_together(jobs: int, tmp_path: Path) -> None:
    for i in range(30):
        (tmp_path / f"m{i:02}.py").write_text(HEAD + BODY)
    rule: Any = Together.__new__(type("Whole", (Together,), {"__abstractmethods__": frozenset()}, abstract=True))
    rule._severity, rule._values, rule._fixed_severity = Severity.LOW, {}, False
    rule.info = lambda: RuleInfo("XYZ002", "together", Severity.LOW, Confidence.HIGH, "All.")
    report = scan([tmp_path], Config(), [rule], root=tmp_path, jobs=jobs)
    assert len(report.findings) == 29
    assert report.findings[0].problem == "30 actors."


def test_rules_that_a_path_leaves_out_say_nothing_of_comments_there(tmp_path: Path) -> None:
    """Nor do others say that a comment for such a rule is unused: it did not run."""
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.py").write_text("x = 1  # otplint: ignore[OTP201] why\n")
    rules = [rule() for rule in load_rules() if rule.code in ("OTP201", "OTP901")]
    config = Config(per_file_ignores={"b/": ("OTP901",), "c/": ("OTP2",)})
    report = scan([tmp_path], config, rules, root=tmp_path, jobs=1)
    assert [(f.code, f.span.path) for f in report.findings] == [("OTP901", "a/x.py")]
