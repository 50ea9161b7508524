"""Why a watch of another actor is right as it is, in words."""

from __future__ import annotations

from otplint.facts.queries.watching.watches import Flaw, Watch

__all__ = ["is_harmless"]

_ELSEWHERE = {
    Flaw.DISCARDED: "nothing keeps its reference, which is OTP102's matter",
    Flaw.UNRELEASED: "nothing releases it at all, which is OTP101's matter",
    Flaw.DROPPED: "one path forgets it without releasing, which is OTP101's matter",
    Flaw.REPEATED: "each message adds another one, which is OTP103's matter",
}
_FATES = {
    "released": "it is released on the way",
    "waited": "it is waited for",
    "asked": "its reference is asked for more",
    "escaped": "its reference is handed to other code, which may release it",
    "sent": "its reference goes out in a message or an answer, and may come back to be released",
    "stored": "its reference is kept in {attribute}",
}


def is_harmless(watch: Watch, asked: Flaw) -> str:
    """Why a watch that has not the flaw ``asked`` for has not; as in "silent because ..."."""
    if watch.is_fresh:
        return "the actor has just started its target: the interest in it lasts as long as it does"
    if watch.is_awaited:
        return "it waits for the end of its target, which ends the watch as well"
    if watch.flaw is not None:
        return _ELSEWHERE[watch.flaw]
    if asked is Flaw.DISCARDED and (watch.is_kept or watch.by_target):
        return _how_kept(watch)
    if asked is Flaw.REPEATED and watch.repeats_not:
        return watch.repeats_not
    return _how_ended(watch)


def _how_kept(watch: Watch) -> str:
    if watch.by_target:
        return f"{watch.event.framework.name} releases by naming the target: no reference is needed"
    held = [f for f in watch.fates if f.kind in _FATES]
    return _FATES[held[0].kind].format(attribute=held[0].attribute) if held else "its reference is kept"


def _how_ended(watch: Watch) -> str:
    if watch.releases:
        names = list(dict.fromkeys(r.method.title for r in watch.releases))
        return f"{' and '.join(names[:2])} may release it, and no path forgets it without"
    ended = [f for f in watch.fates if f.kind in ("released", "asked", "escaped")]
    if ended:
        return _FATES[ended[0].kind]
    if watch.for_life:
        return "it is made at the start, or anew after a DOWN: one at a time, for as long as the actor lives"
    return "one attribute holds the reference and is asked before: there is never a second watch"
