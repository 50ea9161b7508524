"""ACME101 print-in-handler."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Finding, Option, Role, Rule, Severity


class PrintInHandler(Rule):
    """A handler prints, into the stream that carries the protocol.

    Why:
        What a worker writes to its standard output is read as the answer to a request.
    Harm:
        Lines that are no answer: 3 against 0.
    Bad:
        from otplint.runtime import Server


        class Till(Server):
            async def handle_call(self, req, frm):
                print("sold", req)
                return "ok"
    Good:
        import logging

        from otplint.runtime import Server


        class Till(Server):
            async def handle_call(self, req, frm):
                logging.info("sold %s", req)
                return "ok"
    Limits:
        Does not see what writes to sys.stdout by itself.
    Report:
        None.
    """

    code = "ACME101"
    severity = Severity.MEDIUM
    confidence = Confidence.HIGH
    proof = "same construct"
    options = (Option("functions", ("print", "builtins.print"), "Functions that print."),)

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Calls in functions that run for a message."""
        printers = self.option("functions", tuple)
        for method in actor.methods:
            if method.role not in (Role.HANDLER, Role.HELPER):
                continue
            for call in method.calls:
                name = method.text(call.func)
                if name in printers or method.qualname(call.func) in printers:
                    yield self.finding(
                        actor,
                        method,
                        call,
                        problem=f"{actor.name}.{method.name} calls {name}.",
                        consequence="The reader of the protocol takes the line for an answer.",
                        remedy="Log it.",
                    )
