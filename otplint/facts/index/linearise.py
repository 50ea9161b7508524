"""Method resolution order: C3 (Barrett et al. 1996, as Python has it), made safe for what Python would refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def linearise(name: str, bases: Callable[[str], tuple[str, ...]], known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The class and its ancestors.

    Args:
        name: qualified.
        bases: the bases of a class in order, empty for one that is not known.
        known: finished answers, added to.

    Returns:
        C3's order; depth first where the bases contradict each other; a base that leads back to the class is left out.
    """
    if name in known:
        return known[name]
    in_circle: set[str] = set()
    entered: dict[str, None] = {}
    stack: list[tuple[str, bool]] = [(name, False)]
    finished: dict[str, tuple[str, ...]] = {}
    while stack:  # a loop: generated code has chains of classes longer than the stack is deep
        current, left = stack.pop()
        if left:
            del entered[current]
            parents = [base for base in bases(current) if base in finished or base in known]
            order = _merge(current, [list(finished.get(base) or known[base]) for base in parents], parents)
            finished[current] = order
            continue
        if current in finished or current in known or current in entered:
            continue
        entered[current] = None
        stack.append((current, True))
        for base in reversed(bases(current)):
            if base in entered:
                in_circle.add(base)
            elif base not in finished and base not in known:
                stack.append((base, False))
    if not in_circle:  # within a circle the order depends on where one starts
        known.update(finished)
    return finished[name]


def _merge(name: str, orders: Sequence[list[str]], parents: Sequence[str]) -> tuple[str, ...]:
    """C3's merge; the first class that is left where no candidate is good."""
    sequences = [list(order) for order in orders if order]
    if parents:
        sequences.append(list(dict.fromkeys(parents)))
    result = [name]
    positions = [0] * len(sequences)
    tails: dict[str, int] = {}
    for sequence in sequences:
        for item in sequence[1:]:
            tails[item] = tails.get(item, 0) + 1
    while True:
        heads = [seq[at] for seq, at in zip(sequences, positions, strict=True) if at < len(seq)]
        if not heads:
            return tuple(dict.fromkeys(result))
        chosen = next((head for head in heads if not tails.get(head)), heads[0])
        result.append(chosen)
        for number, sequence in enumerate(sequences):
            position = positions[number]
            if position < len(sequence) and sequence[position] == chosen:
                positions[number] = position = position + 1
                if position < len(sequence):
                    tails[sequence[position]] -= 1
