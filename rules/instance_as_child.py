"""OTP506 instance-as-child."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Finding, HeldInstance, Rule, Severity, held_instances, syntax


class InstanceAsChild(Rule):
    """A child spec holds an instance, so that a restart gets the broken object back.

    Why:
        A restart is worth something because it begins with a state that is known to be good. A spec that holds an
        instance has none to begin with: it starts the object that just failed, with the state it failed in. A runtime
        that notices refuses the second start, and the child is gone for good.

    Harm:
        After one crash the child is not there again; where the runtime lets it start, its state is the one before.

    Bad:
        from otplint.runtime import ChildSpec, Server, Supervisor


        class Worker(Server):
            pass


        def tree():
            worker = Worker()
            return Supervisor([ChildSpec("worker", lambda: worker)])

    Good:
        from otplint.runtime import ChildSpec, Server, Supervisor


        class Worker(Server):
            pass


        def tree():
            return Supervisor([ChildSpec("worker", Worker)])

    Limits:
        Only instances of actors count: what a factory gives to each new actor (a store, a queue) may live on. Seen are
        names, attributes, lambdas, nested and cached functions, partials and methods that return their own object.

    Report:
        No item of its own. In Elixir a child spec cannot hold a process; in Python it can hold an object.
    """

    code = "OTP506"
    severity = Severity.HIGH
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the child specs that hold an instance."""
        for held in held_instances(actor):
            yield self._report(actor, held)

    def _report(self, actor: Actor, held: HeldInstance) -> Finding:
        made = held.made if isinstance(held.made, syntax.Call) else None
        name = "" if made is None or held.place is None else held.place.qualname(made.func).rpartition(".")[2]
        related = []
        if held.made is not None and held.place is not None and held.made is not held.factory:
            related.append((held.place, held.made, "the one instance is made here"))
        return self.finding(
            actor,
            held.event.method,
            held.factory,
            problem=f"This child spec holds one instance{f' of {name}' if name else ''}, made before it is started.",
            consequence="A restart starts the same object with the state that it failed in, or is refused.",
            remedy="Give the spec a factory that makes a new object at each start, such as its class.",
            related=related,
        )
