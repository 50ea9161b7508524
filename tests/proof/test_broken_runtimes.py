"""Each proof hangs on the runtime's own mechanism: break that, and the proof fails and the command ends with 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from otplint.engine.packs import load_rules
from otplint.proof.programs import ReportedSystem, all_programs, all_systems
from otplint.proof.prove import prove_system
from otplint.runtime import CircuitBreaker, Settings, System
from otplint.runtime.childspec import Intensity
from otplint.runtime.counters import Counters
from otplint.runtime.kernel import System as Kernel
from otplint.runtime.process import Process
from otplint.runtime.supervisor import SupervisorServer
from otplint.runtime.watching import Watching

Break = Callable[[pytest.MonkeyPatch], None]


def demonitor_does_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(System, "demonitor", lambda self, ref, *, flush=False: True)


def monitor_finds_the_old_one(patch: pytest.MonkeyPatch) -> None:
    """As a runtime would have it that keeps one monitor a pair."""
    real = Watching.monitor

    def monitor(self: Any, target: Any) -> Any:
        return next((ref for ref in self.me("").monitors if ref.target is target), None) or real(self, target)

    patch.setattr(Watching, "monitor", monitor)


def supervisors_restart_nobody(patch: pytest.MonkeyPatch) -> None:
    async def restart(self: Any, child: Any) -> None:
        return

    patch.setattr(SupervisorServer, "restart", restart)


def crashes_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Watching, "crashed", lambda self, process, error: None)


def zombies_pass_for_dead(patch: pytest.MonkeyPatch) -> None:
    """Who swallows its cancellation is given up at once, and nobody counts it."""
    patch.setattr(Process, "cancel", lambda self: self.system.finish(self, self.exiting))


def settings_keep_their_defaults(patch: pytest.MonkeyPatch) -> None:
    def forget(self: Settings) -> None:
        for name in ("breaker_threshold", "outbox_size"):
            object.__setattr__(self, name, getattr(Settings, name))

    patch.setattr(Settings, "__post_init__", forget)


def breakers_do_not_count(patch: pytest.MonkeyPatch) -> None:
    async def call(self: Any, work: Any) -> Any:
        return await work()

    patch.setattr(CircuitBreaker, "call", call)


def dead_letters_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Counters, "dead_letters", property(lambda self: 0, lambda self, number: None))


def calls_never_time_out(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Kernel, "set_deadline", lambda self, frm, seconds: None)


def budgets_have_no_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Intensity, "allows", lambda self, now: True)


def downs_are_never_delivered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Watching, "land_down", lambda self, process, ref, reason: None)


def demonitor_always_flushes(patch: pytest.MonkeyPatch) -> None:
    real = Watching.demonitor
    patch.setattr(Watching, "demonitor", lambda self, ref, *, flush=False: real(self, ref, flush=True))


def messages_overtake_each_other(patch: pytest.MonkeyPatch) -> None:
    real = Watching.land

    def land(self: Any, process: Any, item: Any) -> None:
        real(self, process, item)
        if len(process.mailbox) > 1:
            process.mailbox.rotate(1)

    patch.setattr(Watching, "land", land)


def casts_go_nowhere(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Kernel, "cast", lambda self, to, msg: None)


def exits_do_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Kernel, "exit", lambda self, pid, reason: None)


BROKEN: list[tuple[str, Break]] = [
    ("OTP101", demonitor_does_nothing),
    ("OTP101", monitor_finds_the_old_one),
    ("OTP102", demonitor_does_nothing),
    ("OTP103", demonitor_does_nothing),
    ("OTP103", monitor_finds_the_old_one),
    ("OTP104", demonitor_always_flushes),
    ("OTP104", downs_are_never_delivered),
    ("OTP106", supervisors_restart_nobody),
    ("OTP107", downs_are_never_delivered),
    ("OTP201", supervisors_restart_nobody),
    ("OTP201", crashes_are_not_counted),
    ("OTP202", zombies_pass_for_dead),
    ("OTP203", supervisors_restart_nobody),
    ("OTP203", crashes_are_not_counted),
    ("OTP204", casts_go_nowhere),
    ("OTP301", settings_keep_their_defaults),
    ("OTP302", settings_keep_their_defaults),
    ("OTP302", breakers_do_not_count),
    ("OTP401", dead_letters_are_not_counted),
    ("OTP402", breakers_do_not_count),
    ("OTP402", calls_never_time_out),
    ("OTP403", exits_do_nothing),
    ("OTP404", messages_overtake_each_other),
    ("OTP405", exits_do_nothing),
    ("OTP407", calls_never_time_out),
    ("OTP408", calls_never_time_out),
    ("OTP409", casts_go_nowhere),
    ("OTP501", budgets_have_no_end),
    ("OTP501", supervisors_restart_nobody),
    ("OTP502", budgets_have_no_end),
    ("OTP502", supervisors_restart_nobody),
    ("OTP503", crashes_are_not_counted),
    ("OTP503", zombies_pass_for_dead),
    ("OTP504", budgets_have_no_end),
    ("OTP506", supervisors_restart_nobody),
    ("OTP601", supervisors_restart_nobody),
    ("OTP602", exits_do_nothing),
    ("OTP603", supervisors_restart_nobody),
    ("OTP605", supervisors_restart_nobody),
    ("flaws_report3", demonitor_does_nothing),
    ("flaws_report3", supervisors_restart_nobody),
    ("flaws_report3", breakers_do_not_count),
    ("flaws_report3", calls_never_time_out),
]


@pytest.mark.parametrize(("what", "broken"), BROKEN, ids=[f"{what}-{broken.__name__}" for what, broken in BROKEN])
def test_a_broken_mechanism_is_found_out(
    what: str, broken: Break, monkeypatch: pytest.MonkeyPatch, otplint: Any
) -> None:
    with monkeypatch.context() as patch:
        broken(patch)
        answer = otplint(["prove", what])
    assert answer.status == 1
    assert "NOT SHOWN" in answer.out
    assert answer.err.startswith(f"{what}: ")


def test_every_proof_is_in_the_table() -> None:
    """Those of previews may be."""
    found = {what for what, _ in BROKEN}
    previews = {rule.code for rule in load_rules() if rule.preview}
    wanted = {p.code for p in all_programs()} | {s.name for s in all_systems()}
    assert wanted - previews <= found <= wanted


class Swapped(ReportedSystem):
    """Before is after, and after before."""

    def scenario(self, version: str) -> Any:
        return super().scenario("after" if version == "before" else "before")


def test_a_system_the_wrong_way_round_fails_in_every_item() -> None:
    [system] = all_systems()
    swapped = Swapped(system.name, system.folder, system.claim, system.items)
    proof = prove_system(swapped, lambda _folder: frozenset())
    assert [item.problem for item in proof.items] == ["no harm before the repairs and harm after the repairs"] * len(
        system.items
    )
    assert not proof.holds


def test_the_report_s_system_is_shown_item_by_item(otplint: Any) -> None:
    answer = otplint(["prove", "flaws_report3"])
    assert answer.status == 0
    assert "flaws_report3: shown (same construct; " in answer.out
    assert answer.err.startswith("1 of 1 proofs hold")
    assert answer.err.count("\n") == 1
