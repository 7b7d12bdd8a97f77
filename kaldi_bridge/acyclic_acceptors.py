"""Acceptors without cycles and epsilons: determinization, minimization, composition with others (as OpenFst's)."""

from __future__ import annotations

from collections import deque

from kaldi_bridge.acceptors import INFINITY, Acceptor, Arc, connected
from kaldi_bridge.errors import KaldiError

_DIGITS = 5  # costs that differ by less are the same


def compose(a: Acceptor, b: Acceptor) -> Acceptor:
    """What both accept, costs added; neither may have epsilons. Without states where they have nothing in common."""
    by_label: list[dict[int, list[Arc]] | None] = [None] * b.num_states
    numbers = {(a.start, b.start): 0}
    waiting = deque([(a.start, b.start)])
    arcs: list[list[Arc]] = []
    finals: list[float] = []
    while waiting:
        s, t = waiting.popleft()
        index = by_label[t]
        if index is None:
            index = by_label[t] = {}
            for arc in b.arcs[t]:
                index.setdefault(arc[0], []).append(arc)
        out: list[Arc] = []
        for label, cost, target in a.arcs[s]:
            for _, more, other in index.get(label, ()):
                pair = (target, other)
                if pair not in numbers:
                    numbers[pair] = len(numbers)
                    waiting.append(pair)
                out.append((label, cost + more, numbers[pair]))
        arcs.append(out)
        finals.append(a.finals[s] + b.finals[t])
    return connected(Acceptor(0, arcs, finals))


def determinized(a: Acceptor, most_states: int) -> Acceptor:
    """No state with two arcs of the same label; a path's cost is the best that there was.

    Raises KaldiError when it would have more than ``most_states`` states, as it might in the presence of cycles.
    """
    start: tuple[tuple[int, float], ...] = ((a.start, 0.0),)
    numbers = {start: 0}
    waiting = deque([start])
    arcs: list[list[Arc]] = []
    finals: list[float] = []
    while waiting:
        subset = waiting.popleft()
        best: dict[int, dict[int, float]] = {}
        for s, rest in subset:
            for label, cost, target in a.arcs[s]:
                targets = best.setdefault(label, {})
                total = rest + cost
                if total < targets.get(target, INFINITY):
                    targets[target] = total
        out: list[Arc] = []
        for label, targets in best.items():
            least = min(targets.values())
            made = tuple(sorted((t, round(cost - least, _DIGITS)) for t, cost in targets.items()))
            if made not in numbers:
                if len(numbers) >= most_states:
                    raise KaldiError(f"determinization stopped at {most_states} states")
                numbers[made] = len(numbers)
                waiting.append(made)
            out.append((label, least, numbers[made]))
        arcs.append(out)
        finals.append(min(rest + a.finals[s] for s, rest in subset))
    return Acceptor(0, arcs, finals)


def minimized(a: Acceptor) -> Acceptor:
    """The smallest deterministic acceptor of the same costs, states breadth first; ``a`` must be deterministic.

    Raises KaldiError where there is a cycle.
    """
    a = connected(a)
    if a.start < 0:
        return a
    order = _from_the_end(a)
    to_end = [INFINITY] * a.num_states
    for s in order:
        to_end[s] = min([a.finals[s], *(cost + to_end[t] for _, cost, t in a.arcs[s])])
    kept: dict[object, int] = {}
    same = [0] * a.num_states
    for s in order:
        base = to_end[s]
        row = tuple(sorted((label, round(cost + to_end[t] - base, _DIGITS), same[t]) for label, cost, t in a.arcs[s]))
        final = round(a.finals[s] - base, _DIGITS) if a.finals[s] < INFINITY else INFINITY
        same[s] = kept.setdefault((row, final), s)
    # Costs pushed to the start, where they stay.
    rest = list(to_end)
    rest[a.start] = 0.0
    arcs = [[(label, cost + to_end[t] - rest[s], same[t]) for label, cost, t in a.arcs[s]] for s in range(a.num_states)]
    finals = [a.finals[s] - rest[s] for s in range(a.num_states)]
    return breadth_first(Acceptor(same[a.start], arcs, finals))


def pushed_to_start(a: Acceptor) -> Acceptor:
    """Costs moved towards the start so that every state's best way on costs nothing; the best path costs nothing."""
    a = connected(a)
    to_end = [INFINITY] * a.num_states
    for s in _from_the_end(a):
        to_end[s] = min([a.finals[s], *(cost + to_end[t] for _, cost, t in a.arcs[s])])
    arcs = [[(label, cost + to_end[t] - to_end[s], t) for label, cost, t in a.arcs[s]] for s in range(a.num_states)]
    return Acceptor(a.start, arcs, [final - best for final, best in zip(a.finals, to_end, strict=True)])


def breadth_first(a: Acceptor) -> Acceptor:
    """Only states that the start leads to, numbered in the order in which they are found, near ones first."""
    order, seen = [a.start], {a.start}
    for s in order:
        for _, _, t in a.arcs[s]:
            if t not in seen:
                seen.add(t)
                order.append(t)
    return a.renumbered(order)


def _from_the_end(a: Acceptor) -> list[int]:
    """All states, each after those that its arcs lead to."""
    waiting_for = [len(arcs) for arcs in a.arcs]
    into: list[list[int]] = [[] for _ in a.arcs]
    for s, arcs in enumerate(a.arcs):
        for _, _, t in arcs:
            into[t].append(s)
    order = [s for s, count in enumerate(waiting_for) if not count]
    for t in order:
        for s in into[t]:
            waiting_for[s] -= 1
            if not waiting_for[s]:
                order.append(s)
    if len(order) != a.num_states:
        raise KaldiError("the acceptor has a cycle")
    return order
