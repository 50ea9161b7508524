"""OTP502 test-relaxes-supervision."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from otplint.api import (
    Actor,
    Confidence,
    Facts,
    Finding,
    ProjectRule,
    Related,
    Relaxation,
    Severity,
    Switches,
    relaxations,
    switches,
    syntax,
)


class TestRelaxesSupervision(ProjectRule[Switches]):
    """A test changes the supervision of the application instead of starting a supervisor of its own.

    Why:
        A test that sets the flag by which the application is supervised more generously, or that patches its supervisor
        or its limits, shows that another system survives than the one in production. One that kills children of a tree
        that it did not start disturbs the tests beside it, and needs that generosity in the first place.

    Harm:
        The test is green: its system survives what ends the one in production.

    Bad:
        from otplint.runtime import Supervisor

        import limits


        def tree():
            return Supervisor([], max_restarts=limits.RESTARTS)


        def test_the_platform_survives(monkeypatch, survives):
            monkeypatch.setattr(limits, "RESTARTS", limits.MANY)
            assert survives(tree())

    Good:
        from otplint.runtime import ChildSpec, Server, Supervisor, System


        class Worker(Server):
            pass


        async def test_the_worker_comes_back(restarts):
            async with System() as system:
                await system.start(Supervisor([ChildSpec("worker", Worker)], max_restarts=restarts))

    Limits:
        Only in test files, tests and fixtures. What is set must reach a decision about supervision: a variable,
        constant, function or setting that the application tests, a constant that is its limit, or a name of a
        supervisor that is patched. A test that starts the application's tree itself may kill its children.

    Report:
        Recommendation 4. Its second action: tests that rely on the special case get dedicated, local supervisors.
    """

    code = "OTP502"
    severity = Severity.MEDIUM
    about_tests = True
    confidence = Confidence.HIGH
    proof = "same construct"

    def notes(self, actor: Actor) -> Iterator[Switches]:
        """What the supervision that the actor sets up hangs on."""
        yield switches(actor)

    def check_project(self, notes: Sequence[Switches], facts: Facts) -> Iterator[Finding]:
        """Report what test files change about the application's supervision."""
        if not notes:
            return
        found = Switches()
        for note in notes:
            found.add(note)
        yield from (self._report(relaxation) for relaxation in relaxations(found, facts))

    def _report(self, found: Relaxation) -> Finding:
        place, name = found.place, found.name
        what = {
            "sets": f"sets {name}, which decides how the application is supervised",
            "replaces": f"replaces {name} in the supervision of the application",
            "ends": f"ends an actor of {name}, a system that it did not start",
        }[found.deed]
        span = place.span(found.node)
        several = isinstance(found.node, syntax.Call) and span.line != span.end_line
        finding = self.finding(
            None,
            place,
            found.node.func if several and isinstance(found.node, syntax.Call) else found.node,
            problem=f"{place.name} {what}.",
            consequence="It shows that another system survives than the one that runs in production.",
            remedy="Start a supervisor in the test, with what the test needs, and stop it there.",
            confidence=Confidence.HIGH if found.deed == "sets" else Confidence.MEDIUM,
        )
        decides = () if found.decides is None else (Related(found.decides, "what it decides"),)
        return replace(finding, related=decides)
