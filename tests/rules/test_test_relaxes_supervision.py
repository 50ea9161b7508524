"""OTP502: which tests change the application's supervision."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

APP = {
    "app/__init__.py": "",
    "app/env.py": """
        import os
        NAME = "RESTART_MODE"
        def lenient(): return os.environ.get(NAME, "") == "many"
        SLOW = "SLOW" in os.environ
    """,
    "app/limits.py": """
        from .env import SLOW
        MANY, FEW = 100, 3
        WINDOW = 60 if SLOW else 5
        PAGES = 10
    """,
    "app/tree.py": """
        from otplint.runtime import Supervisor
        from app import limits
        from app.env import lenient
        def tree():
            restarts = limits.MANY if lenient() else limits.FEW
            return Supervisor([], max_restarts=restarts, max_seconds=limits.WINDOW)
        def port(): return limits.PAGES
    """,
}

NEGATIVE = {
    "another_variable": """
        def test_a(monkeypatch): monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    """,
    "another_constant": """
        from app import limits
        def test_a(monkeypatch): monkeypatch.setattr(limits, "PAGES", 1)
    """,
    "somebody_elses_name": """
        from unittest.mock import patch
        import other
        @patch("other.tree")
        def test_a(tree, monkeypatch): monkeypatch.setattr(other, "lenient", 1)
    """,
    "reads_only": """
        import os
        from app.env import lenient
        def test_a(): assert not lenient() and os.environ.get("RESTART_MODE") is None
    """,
    "local_supervisor": """
        from otplint.runtime import *
        async def test_a():
            async with System() as system:
                await system.start(Supervisor([ChildSpec("a", Server, name="a")], max_restarts=50))
                system.exit(system.whereis("a"), KILL)
    """,
    "environment_of_a_child_process": """
        import os, subprocess
        def test_a(): subprocess.run(["app"], env={**os.environ, "RESTART_MODE": "many"})
    """,
}

POSITIVE = {
    "setenv": """
        def test_a(monkeypatch): monkeypatch.setenv("RESTART_MODE", "many")
    """,
    "constant_for_the_name": """
        from app import env
        def test_a(monkeypatch): monkeypatch.setenv(env.NAME, "many")
    """,
    "at_import": """
        import os
        os.environ["RESTART_MODE"] = "many"
    """,
    "setdefault": """
        import os
        def setup_module(): os.environ.setdefault("SLOW", "1")
    """,
    "patch_dict_by_name": """
        from unittest import mock
        @mock.patch.dict("os.environ", {"RESTART_MODE": "many"})
        def test_a(): pass
    """,
    "patch_dict_keyword": """
        import os
        from unittest.mock import patch
        def test_a():
            with patch.dict(os.environ, RESTART_MODE="many"): pass
    """,
    "patch_where_it_is_used": """
        from unittest.mock import patch
        def test_a():
            with patch("app.tree.lenient", return_value=True): pass
    """,
    "patch_the_flag": """
        from app import env
        def test_a(monkeypatch): monkeypatch.setattr(env, "SLOW", True)
    """,
    "patch_the_limit": """
        import unittest, app.limits
        from unittest import mock
        class T(unittest.TestCase):
            def setUp(self):
                p = mock.patch.object(app.limits, "WINDOW", 600)
                p.start()
    """,
    "assign_the_limit": """
        from app import limits
        def test_a(): limits.MANY = 1000
    """,
    "patch_the_supervisor": """
        from unittest.mock import patch
        def test_a():
            with patch("app.tree.Supervisor"): pass
    """,
    "patch_the_tree": """
        from app import tree
        def test_a(monkeypatch): monkeypatch.setattr(tree, "tree", lambda: None)
    """,
}


def found(scan: Scan, text: str, name: str = "tests/test_app.py", app: Mapping[str, str] = APP) -> list[Finding]:
    return scan({**app, name: text}, "OTP502")


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert not found(scan, text)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in POSITIVE.items()])
def test_reported(scan: Scan, text: str) -> None:
    (finding,) = found(scan, text)
    assert finding.span.path == "tests/test_app.py"


def test_the_application_may_set_what_it_likes(scan: Scan) -> None:
    assert not found(scan, POSITIVE["at_import"], name="app/main.py")


def test_a_fixture_of_another_file_sets_it_once(scan: Scan) -> None:
    text = """
        import pytest
        @pytest.fixture(autouse=True)
        def many(monkeypatch): monkeypatch.setenv("RESTART_MODE", "many")
    """
    (finding,) = found(scan, text, name="tests/conftest.py")
    assert (finding.handler, finding.confidence) == ("many", Confidence.HIGH)
    assert [related.span.path for related in finding.related] == ["app/tree.py"]


def test_the_actors_of_a_system_that_all_tests_share(scan: Scan) -> None:
    conftest = """
        import pytest
        from otplint.runtime import System
        from app.tree import tree
        @pytest.fixture(scope="{}")
        def running():
            return System()
    """
    text = """
        from otplint.runtime import KILL, System
        async def test_a(running: System):
            running.exit(running.whereis("a"), KILL)
    """
    wide = {**APP, "tests/conftest.py": conftest.format("session")}
    (finding,) = found(scan, text, app=wide)
    assert finding.confidence is Confidence.MEDIUM
    assert not found(scan, text, app={**APP, "tests/conftest.py": conftest.format("function")})


def test_without_supervision_there_is_nothing_to_relax(scan: Scan) -> None:
    app = {"app/__init__.py": "", "app/env.py": APP["app/env.py"]}
    assert not found(scan, POSITIVE["setenv"], app=app)
