"""OTP105 down-without-demonitor."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Finding, Rule, Severity, overdue


class DownWithoutDemonitor(Rule):
    """A handler forgets an actor that went down and leaves the watch, where the notice does not end it.

    Why:
        On the BEAM, and on the reference runtime, a delivered DOWN has ended its watch, and demonitor in its handler
        does nothing. Not every framework is so kind: otpylib forgets the monitor of a process on the same node, and
        keeps that of a process on another node until it is released. There the report's advice is right.

    Harm:
        None on the reference runtime, which is why this rule has no proof: its good program handles twenty deaths there
        without demonitor, and no monitor is left.

    Bad:
        from otpylib import process
        from otpylib.module import GEN_SERVER, OTPModule
        from otpylib.runtime.atoms import DOWN


        class Peers(metaclass=OTPModule, behavior=GEN_SERVER, version="1.0.0"):
            async def init(self, _arg):
                return {}

            async def handle_cast(self, pid, state):
                if pid in state:
                    await process.demonitor(state.pop(pid))
                else:
                    state[pid] = await process.monitor(pid)
                return state

            async def handle_info(self, message, state):
                match message:
                    case (tag, _ref, pid, _reason) if tag == DOWN:
                        state.pop(pid, None)
                return state

    Good:
        from otpylib import process
        from otpylib.module import GEN_SERVER, OTPModule
        from otpylib.runtime.atoms import DOWN


        class Peers(metaclass=OTPModule, behavior=GEN_SERVER, version="1.0.0"):
            async def init(self, _arg):
                return {}

            async def handle_cast(self, pid, state):
                if pid in state:
                    await process.demonitor(state.pop(pid))
                else:
                    state[pid] = await process.monitor(pid)
                return state

            async def handle_info(self, message, state):
                match message:
                    case (tag, ref, pid, _reason) if tag == DOWN:
                        await process.demonitor(ref)
                        state.pop(pid, None)
                return state

    Limits:
        Speaks only where the framework's data says `delivery_releases = false`; whether the watched actor is on another
        node is not asked. Silent where nothing of the class releases the watch (OTP101) or its reference is thrown away
        (OTP102), and where the handler drops nothing.

    Report:
        Flaw 13. The report asks for this word for word, for a system in which it is not needed.
    """

    code = "OTP105"
    severity = Severity.LOW
    confidence = Confidence.MEDIUM
    preview = True
    proof = "exempt"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the DOWN handlers that forget without releasing, where that is needed."""
        for late in overdue(actor):
            yield self.finding(
                actor,
                late.branch.method,
                late.branch.node,
                problem=f"{late.branch.method.title} forgets an actor that went down and does not release "
                f"its watch, which {actor.framework.name} may keep.",
                consequence="A watch whose notice was delivered stays in the framework's tables, one for each death.",
                remedy="Release the reference that the notice carries.",
                related=[
                    (late.drop.method, late.drop.node, "the actor is forgotten here"),
                    (late.watch.method, late.watch.call, "it is watched here"),
                ],
                confidence=late.watch.confidence(Confidence.MEDIUM),
            )
