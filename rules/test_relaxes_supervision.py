"""OTP502 test-relaxes-supervision."""

from collections.abc import Iterator, Sequence

from otplint.api import Actor, Confidence, Finding, ProjectRule, Relaxation, Severity, relaxations, syntax


class TestRelaxesSupervision(ProjectRule):
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

    def check_project(self, actors: Sequence[Actor]) -> Iterator[Finding]:
        """Report what test files change about the application's supervision."""
        told: set[tuple[str, int]] = set()
        for found in relaxations(actors):
            key = (found.place.source.path, found.node.start)
            if key not in told:
                told.add(key)
                yield self._report(found)

    def _report(self, found: Relaxation) -> Finding:
        place, name = found.place, found.name
        decides = found.decides
        what = {
            "sets": f"sets {name}, which decides how the application is supervised",
            "replaces": f"replaces {name} in the supervision of the application",
            "ends": f"ends an actor of {name}, a system that it did not start",
        }[found.deed]
        span = place.span(found.node)
        several = isinstance(found.node, syntax.Call) and span.line != span.end_line
        return self.finding(
            None,
            place,
            found.node.func if several and isinstance(found.node, syntax.Call) else found.node,
            problem=f"{place.name} {what}.",
            consequence="It shows that another system survives than the one that runs in production.",
            remedy="Start a supervisor in the test, with what the test needs, and stop it there.",
            related=[] if decides is None else [(decides.method, decides.call, "what it decides")],
            confidence=Confidence.HIGH if found.deed == "sets" else Confidence.MEDIUM,
        )
