"""OTP603 god-actor."""

from collections.abc import Iterator, Sequence

from otplint.api import (
    Actor,
    Cluster,
    Confidence,
    Finding,
    Layout,
    Option,
    Place,
    Rule,
    Severity,
    code,
    dependents,
    layout,
    seams,
)

_PART = 3
"""How many handlers a part has, beside the largest, that is worth splitting off a lump."""
_NAMED = 3
"""How many handlers, fields or dependents a message names before it says how many more there are."""


class GodActor(Rule):
    """One actor does several unrelated jobs: its handlers fall into groups that share no state.

    Why:
        An actor is the unit of failure and of waiting. A bug in one job takes the state of all others with it, since a
        restart begins them all anew, and a slow request of one job keeps the requests of the others waiting in the
        same mailbox. Handlers that share no state lose nothing when they become actors of their own.

    Harm:
        One bad workflow aborts the others, and an unrelated request waits for a slow one.

    Bad:
        from otplint.runtime import Server


        class Coordinator(Server):
            def __init__(self):
                self.workflows, self.agents, self.metrics = {}, {}, {}

            async def handle_call(self, req, frm):
                match req:
                    case ("start", name):
                        self.workflows[name] = 0
                    case ("finish", name):
                        return self.workflows.pop(name)
                    case ("join", agent, address):
                        self.agents[agent] = address
                    case ("leave", agent):
                        return self.agents.pop(agent)
                    case ("record", metric, value):
                        self.metrics[metric] = value
                    case ("read", metric):
                        return self.metrics[metric]

    Good:
        from otplint.runtime import Server


        class Workflows(Server):
            def __init__(self):
                self.workflows = {}

            async def handle_call(self, req, frm):
                match req:
                    case ("start", name):
                        self.workflows[name] = 0
                    case ("finish", name):
                        return self.workflows.pop(name)

    Limits:
        Each branch of a handler counts as one. Fields that no handler changes, handles of other actors, locks and
        loggers are no state; flags, counters, helpers that only check, save or log, and handlers that only read or
        clear do not join groups. A value with its getter and setter is no job. Routers and facades have no state.
        State held by an object that the actor delegates to is not looked into. Silent in tests.

    Report:
        Recommendation 2. Flaw 7 calls the coordinator a god: it knows agents, tasks, workflows and health.
    """

    code = "OTP603"
    severity = Severity.HIGH
    confidence = Confidence.HIGH
    proof = "same construct"
    options = (
        Option("clusters", 3, "Groups of handlers sharing no state that make a god actor."),
        Option("cluster-handlers", 2, "Handlers that a group has at least."),
        Option("handlers", 20, "More handlers than this, over many fields, are too many whatever they share."),
        Option("fields", 12, "Fields that handlers change, to go with 'handlers'."),
    )

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the actor unless the class that makes it one is above it."""
        if not self._is_god(actor):
            if actor.is_actor and actor.asked_why:
                actor.exempt(self._why_small(actor, layout(actor)))
            return
        above = next((a for a in actor.ancestors() if self._is_god(a)), None)
        if not actor.exempt("" if above is None else f"{above.name}, which it derives from, is reported"):
            yield self._report(actor, layout(actor), self._jobs(actor))

    def _why_small(self, actor: Actor, state: Layout) -> str:
        size = f"{len(state.handlers)} handlers over {len(state.fields)} fields of state"
        return f"it has {size}, in {len(self._jobs(actor))} jobs that share none (options handlers, fields, clusters)"

    def _is_god(self, actor: Actor) -> bool:
        if not actor.is_actor or actor.node is None or actor.in_test_file:
            return False
        return len(self._jobs(actor)) >= self.option("clusters", int) or self._is_large(layout(actor))

    def _jobs(self, actor: Actor) -> list[Cluster]:
        least = self.option("cluster-handlers", int)
        return [c for c in layout(actor).clusters if len(c.handlers) >= least]

    def _is_large(self, state: Layout) -> bool:
        return len(state.handlers) > self.option("handlers", int) and len(state.fields) > self.option("fields", int)

    def _report(self, actor: Actor, state: Layout, jobs: Sequence[Cluster]) -> Finding:
        apart = len(jobs) >= self.option("clusters", int)
        binding, parts = ((), jobs) if apart else seams(state)
        if apart:
            groups = "; ".join(f"{_list(job.fields)} ({_handlers(job)})" for job in jobs)
            problem = f"{actor.name} does {len(jobs)} jobs that share no state: {groups}."
            remedy = "Make each of them an actor of its own, under its own supervisor where one may fail alone."
        else:
            problem = f"{actor.name} has {len(state.handlers)} handlers over {len(state.fields)} fields of state."
            remedy = "Split it by state, and leave here what only passes requests on."
            if parts:
                held = _list([t.entry.name for t in binding])
                remedy = f"Split it by state: without {held}, which hold it together, {len(parts)} parts share none."
        lump = not apart and _is_lump(parts)
        actor.exempt("one part is nearly all of it, and the others are one or two handlers each" if lump else "")
        sure = Confidence.HIGH if apart else Confidence.LOW if lump else Confidence.MEDIUM
        asked = list(dependents(actor, [t.entry for t in state.handlers]))
        assert actor.node is not None
        related: list[tuple[Place, code.Node, str]] = [
            (
                job.handlers[0].entry.method,
                job.handlers[0].entry.node,
                f"{_list([t.entry.name for t in job.handlers])}: only {_list(job.fields)}",
            )
            for job in parts
        ]
        related += [(m, call, f"{m.actor.name} depends on it") for m, call in asked[: _NAMED * 2]]
        return self.finding(
            actor,
            actor.class_body if actor.form == "class" else actor.methods[0],
            actor.node,
            problem=problem,
            consequence="A failure in one job loses the state of all, and each request waits for those of the others.",
            remedy=remedy,
            related=related,
            confidence=min(actor.confidence, sure, key=lambda c: c.rank),
        )


def _is_lump(parts: Sequence[Cluster]) -> bool:
    """True where one part has most of the handlers, and nothing beside it is worth splitting off."""
    sizes = [len(part.handlers) for part in parts]
    return bool(sizes) and max(sizes[1:]) < _PART and sizes[0] * 2 > sum(sizes)


def _handlers(job: Cluster) -> str:
    return f"{len(job.handlers)} handler{'s' if len(job.handlers) > 1 else ''}"


def _list(names: Sequence[str]) -> str:
    """``a, b and c``; of many only the first."""
    shown = list(names) if len(names) <= _NAMED + 1 else [*names[:_NAMED], f"{len(names) - _NAMED} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
