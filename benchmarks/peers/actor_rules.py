"""What Fixit can say of the flaws that otplint looks for: the same patterns, without knowing what an actor is."""

import libcst as cst
from fixit import LintRule  # type: ignore[import-not-found]  # lives in an environment of its own


class BroadExcept(LintRule):
    """A clause that catches everything."""

    MESSAGE = "catches everything"

    def visit_ExceptHandler(self, node: cst.ExceptHandler) -> None:  # noqa: D102, N802 - LibCST's name
        if node.type is None or (isinstance(node.type, cst.Name) and node.type.value in ("Exception", "BaseException")):
            self.report(node)


class DroppedTask(LintRule):
    """A task that nobody holds."""

    MESSAGE = "nobody holds the task"

    def visit_Expr(self, node: cst.Expr) -> None:  # noqa: D102, N802 - LibCST's name
        func = node.value.func if isinstance(node.value, cst.Call) else None
        if isinstance(func, cst.Attribute) and func.attr.value in ("create_task", "ensure_future"):
            self.report(node)


class MagicThreshold(LintRule):
    """A comparison with a number."""

    MESSAGE = "a number that nobody can tune"

    def visit_Comparison(self, node: cst.Comparison) -> None:  # noqa: D102, N802 - LibCST's name
        numbers = [c.comparator for c in node.comparisons if isinstance(c.comparator, cst.Integer | cst.Float)]
        if any(number.value not in ("0", "1") for number in numbers):
            self.report(node)


class WaitWithoutTimeout(LintRule):
    """A call that may wait for ever."""

    MESSAGE = "may wait for ever"

    def visit_Call(self, node: cst.Call) -> None:  # noqa: D102, N802 - LibCST's name
        if isinstance(node.func, cst.Attribute) and node.func.attr.value == "get" and not node.args:
            self.report(node)
