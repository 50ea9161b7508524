"""Does a test ask whether tests are running?

The origin of what is asked counts, not the name it was given: ``QUICK = os.environ.get("CI")`` is a test flag. A name
counts only where nothing else is known: a parameter, a setting, a switch that is a plain constant.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from otplint.facts.origins import sources
from otplint.facts.queries.messaging.messages import comes_with_message
from otplint.facts.queries.supervision.decisions import arguments, refuses
from otplint.facts.syntax import code
from otplint.findings import Confidence

if TYPE_CHECKING:
    from otplint.facts.methods import Method

_WORDS = {"test", "tests", "testing", "pytest", "unittest", "ci"}
_FILLERS = {"is", "in", "on", "under", "running", "run", "runs", "mode", "env", "environment", "enabled", "enable",
            "active", "flag", "unit", "for", "app", "use", "called", "from", "only", "self", "current", "suite",
            "integration", "we", "are", "as", "within", "inside", "by", "runner", "profile"}  # fmt: skip
_SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_KEY = re.compile(r"[\w.\-:/]{1,60}")
TABLES = ("os.environ", "os.environb", "sys.modules")
READS = {"os.getenv", "os.environ.get", "os.getenvb", "sys.modules.get", "os.environ.setdefault", "os.environ.pop"}
_ORDERS = {"<", ">", "<=", ">="}
_MAX_DEPTH = 12
_PLAIN = {"bool", "int", "str", "len", "any", "all", "builtins.bool", "builtins.int", "builtins.str"}


def asks_for_tests(test: code.Expr, method: Method) -> Confidence | None:
    """How sure it is that ``test`` asks for a test environment; none where it does not."""
    return _Reading(method.actor.facts.vocabulary.test_markers).judge(test, method, 0)


class _Reading:
    """What one test reads, followed back to where it comes from."""

    def __init__(self, markers: tuple[str, ...]) -> None:
        self.markers = frozenset(markers)
        self.judged: set[int] = set()
        self.followed: set[int] = set()

    def judge(self, expr: code.Expr, method: Method, depth: int) -> Confidence | None:
        match expr:
            case code.Unary(value=value):
                return self.judge(value, method, depth)
            case code.Bool(parts=parts):
                return _best([self.judge(part, method, depth) for part in parts])
        if depth > _MAX_DEPTH or id(expr) in self.judged:
            return None
        self.judged.add(id(expr))
        found = _Found()
        self.gather(expr, method, depth, found)
        if found.environment and found.says:
            return Confidence.HIGH
        if isinstance(expr, code.Compare) and set(expr.ops) <= _ORDERS:
            return None  # how much there is of something is no switch
        if found.says and found.setting and isinstance(expr, code.Compare):
            found.flags.append(Confidence.MEDIUM)
        return _best(found.flags)

    def gather(self, expr: code.Expr, method: Method, depth: int, found: _Found) -> None:
        """Add up what ``expr`` reads: the environment, words about tests, settings, other flags."""
        match expr:
            case code.Const(value=str(text)):
                found.says = found.says or self.speaks(text)
            case code.Call():
                self._call(expr, method, depth, found)
            case code.Sub(base=base, key=key) if method.qualname(base) in TABLES:
                found.environment = True
                self.gather(key, method, depth, found)
            case code.Name() | code.Attr() | code.Sub():
                self._name(expr, method, depth, found)
            case code.Bool() | code.Unary():
                found.flags += [f for f in (self.judge(expr, method, depth),) if f]
                self._parts(expr, method, depth, found)
            case code.Dict(items=entries):  # a look-up by the name of an environment: its keys are what is compared
                for key in (k for k, _ in entries if k is not None):
                    self.gather(key, method, depth, found)
            case _:
                self._parts(expr, method, depth, found)

    def _parts(self, expr: code.Expr, method: Method, depth: int, found: _Found) -> None:
        for part in code.parts(expr):
            self.gather(part, method, depth, found)

    def _call(self, call: code.Call, method: Method, depth: int, found: _Found) -> None:
        name = method.qualname(call.func)
        if name in READS:
            found.environment = True
            if call.args:
                self.gather(call.args[0].value, method, depth, found)
        elif name in ("hasattr", "getattr", "builtins.hasattr", "builtins.getattr") and len(call.args) > 1:
            attribute = call.args[1].value
            if isinstance(attribute, code.Const) and isinstance(attribute.value, str) and names_flag(attribute.value):
                found.flags.append(
                    Confidence.HIGH if method.qualname(call.args[0].value) == "sys" else Confidence.MEDIUM
                )
        elif not self._follow(call, method, depth, found) and name not in _PLAIN:
            found.setting = True
            self._setting(call, method, found)
            if isinstance(call.func, code.Attr):
                self.gather(call.func.base, method, depth + 1, found)
            # strtobool(os.environ.get("CI")): each argument for itself, words elsewhere are no comparison
            found.flags += [f for a in call.args if (f := self.judge(a.value, method, depth + 1)) is Confidence.HIGH]
        elif name in _PLAIN:
            for argument in call.args:
                self.gather(argument.value, method, depth, found)

    def _setting(self, call: code.Call, method: Method, found: _Found) -> None:
        """``config.get("test.mode.enabled")``, or a helper of somebody else's that is named for it."""
        last = call.func.name if isinstance(call.func, code.Attr) else code.dotted(call.func)
        keys = [
            a.value.value
            for a in call.args
            if isinstance(a.value, code.Const) and isinstance(a.value.value, str) and not a.name
        ]
        named = names_flag(last) and not call.args
        named = named or any(_KEY.fullmatch(key) and names_flag(key) for key in keys)
        if named and not comes_with_message(call, method):
            found.flags.append(Confidence.MEDIUM)

    def _name(self, expr: code.Name | code.Attr | code.Sub, method: Method, depth: int, found: _Found) -> None:
        qualified = method.qualname(expr)
        if qualified in TABLES:
            found.environment = True
            return
        if self._follow(expr, method, depth, found) or comes_with_message(expr, method):
            return
        found.setting = True
        last = expr.name if isinstance(expr, code.Attr) else expr.id if isinstance(expr, code.Name) else ""
        if isinstance(expr, code.Sub):
            last = expr.key.value if isinstance(expr.key, code.Const) and isinstance(expr.key.value, str) else ""
        if last and names_flag(last):
            found.flags.append(Confidence.MEDIUM)

    def _follow(self, expr: code.Expr, method: Method, depth: int, found: _Found) -> bool:
        """Go back one step; false where that leads nowhere, or only to a plain constant."""
        if depth > _MAX_DEPTH or id(expr) in self.followed:
            return True
        self.followed.add(id(expr))
        steps = sources(expr, method)
        given = list(arguments(expr, method))
        informative = False
        for value, place, tests in [(s.expr, s.method, s.tests) for s in steps] + [(v, m, ()) for v, m in given]:
            for test, _, where in tests:
                flag = None if refuses(test, where) else self.judge(test, where, depth + 1)
                if flag is not None:
                    found.flags.append(flag)
                    informative = True
            if isinstance(value, code.Const) and not isinstance(value.value, str):
                continue
            informative = informative or not _is_bare(value, place)
            self.gather(value, place, depth + 1, found)
        return informative

    def speaks(self, text: str) -> bool:
        """Does a key or a value speak of tests?"""
        words = [w.lower() for w in _SPLIT.findall(text)]
        return len(text) <= 60 and (text in self.markers or bool(_WORDS & set(words) and words[:2] != ["ab", "test"]))


class _Found:
    """What one test was found to read."""

    def __init__(self) -> None:
        self.environment = False
        self.says = False
        self.setting = False
        self.flags: list[Confidence] = []


def names_flag(name: str) -> bool:
    """Is this the name of a switch for tests: ``testing``, ``is_test``, ``test.mode.enabled``, no ``test_interval``?"""
    words = [w.lower() for w in _SPLIT.findall(name)]
    if not _WORDS & set(words):
        return False
    rest = [w for w in words if w not in _WORDS and w not in _FILLERS]
    if not rest:
        return True
    return words[-1] in ("testing", "pytest", "unittest") or any(
        a in _WORDS and b in ("mode", "env", "environment") for a, b in itertools.pairwise(words)
    )


def _is_bare(expr: code.Expr, method: Method) -> bool:
    """A parameter or name about which nothing is known: asked about by its own name."""
    return isinstance(expr, code.Name) and not sources(expr, method)


def _best(found: list[Confidence | None] | list[Confidence]) -> Confidence | None:
    return max((f for f in found if f is not None), key=lambda f: f.rank, default=None)
