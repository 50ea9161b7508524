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


BROKEN: list[tuple[str, Break]] = [
    ("OTP101", demonitor_does_nothing),
    ("OTP101", monitor_finds_the_old_one),
    ("OTP102", demonitor_does_nothing),
    ("OTP103", demonitor_does_nothing),
    ("OTP103", monitor_finds_the_old_one),
    ("OTP201", supervisors_restart_nobody),
    ("OTP201", crashes_are_not_counted),
    ("OTP202", zombies_pass_for_dead),
    ("OTP301", settings_keep_their_defaults),
    ("OTP302", settings_keep_their_defaults),
    ("OTP302", breakers_do_not_count),
    ("OTP401", dead_letters_are_not_counted),
    ("OTP402", breakers_do_not_count),
    ("OTP402", calls_never_time_out),
    ("OTP501", budgets_have_no_end),
    ("OTP501", supervisors_restart_nobody),
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
