"""What was measured, kept beside the programs: pages show it without running them again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from otplint.proof.results import ItemShown, Proof, Shown

FILE = "measured.json"
_PROGRAMS = ("bad.py", "good.py", "proof.py")


def recorded(folder: Path) -> Proof | None:
    """The proof as it was measured; none where there is no record, or one of other programs than are there now.

    Args:
        folder: of one rule's programs, or of a system.

    Raises:
        ValueError: the record is not what :func:`record` writes.
    """
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        found = json.loads(text)
        return _proof(found) if found["programs"] == digest(folder) else None
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{folder.name}/{FILE}: not a record of a proof; 'otplint prove --save' writes one") from error


def record(proof: Proof, folder: Path) -> str:
    """The text of the file that :func:`recorded` reads. No times: they differ."""
    found: dict[str, object] = {
        "programs": digest(folder),
        "code": proof.code,
        "name": proof.name,
        "claim": proof.claim,
        "bad": _side(proof.bad),
        "good": _side(proof.good),
        "works": proof.works,
        "same_construct": proof.same_construct,
        "causal": proof.causal,
    }
    if proof.items:
        found["items"] = [
            {"code": i.code, "name": i.name, "before": i.before, "after": i.after, "problem": i.problem}
            for i in proof.items
        ]
    return json.dumps(found, indent=2) + "\n"


def digest(folder: Path) -> str:
    """64 hexadecimal digits that stand for the programs in a folder; line ends do not count."""
    total = hashlib.sha256()
    for path in _sources(folder):
        text = path.read_text(encoding="utf-8")  # any line end is a newline here
        total.update(f"{path.relative_to(folder).as_posix()}\0{text}\0".encode())
    return total.hexdigest()


def _sources(folder: Path) -> Iterable[Path]:
    """A rule's programs; of a system, all its files."""
    if (folder / _PROGRAMS[0]).is_file():
        return [folder / name for name in _PROGRAMS if (folder / name).is_file()]
    return sorted(folder.rglob("*.py"))


def _side(shown: Shown) -> dict[str, object]:
    side: dict[str, object] = {
        "observed": shown.observed,
        "harmful": shown.harmful,
        "runs": shown.runs,
        "how": shown.how,
        "exhausted": shown.exhausted,
        "schedule": shown.schedule,
    }
    return {**side, "error": shown.error} if shown.error else side


def _proof(found: Mapping[str, Any]) -> Proof:
    return Proof(
        code=found["code"],
        name=found["name"],
        claim=found["claim"],
        bad=_shown(found["bad"]),
        good=_shown(found["good"]),
        works=found["works"],
        same_construct=found["same_construct"],
        causal=found["causal"],
        seconds=None,
        items=tuple(ItemShown(**item) for item in found.get("items", ())),
    )


def _shown(side: Mapping[str, Any]) -> Shown:
    schedule = side["schedule"]
    return Shown(
        observed=side["observed"],
        harmful=side["harmful"],
        runs=side["runs"],
        how=side["how"],
        exhausted=side["exhausted"],
        schedule=None if schedule is None else tuple(schedule),
        error=side.get("error", ""),
    )
