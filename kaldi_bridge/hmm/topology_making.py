"""Topologies of new systems, in Kaldi's text form (utils/gen_topo.pl, steps/nnet3/chain/gen_topo.py)."""

from __future__ import annotations

from collections.abc import Iterable

from kaldi_bridge.errors import KaldiError

Transitions = Iterable[tuple[int, float]]


def hmm_topology(
    nonsilence: Iterable[int], silence: Iterable[int], num_nonsilence_states: int = 3, num_silence_states: int = 5
) -> str:
    """Nonsilence phones go from left to right; between a silence's first and last state any way is possible.

    Raises KaldiError for numbers of states that make no sense.
    """
    if not 1 <= num_nonsilence_states <= 100:
        raise KaldiError(f"a nonsilence phone cannot have {num_nonsilence_states} states (1 to 100)")
    if not (num_silence_states == 1 or 3 <= num_silence_states <= 100):
        raise KaldiError(f"a silence phone cannot have {num_silence_states} states (1, or 3 to 100)")
    last = num_silence_states - 1
    states = [_left_to_right(state) for state in range(num_silence_states)]
    if last:
        equal = 1.0 / last
        states[0] = [(target, equal) for target in range(last)]
        states[1:last] = [[(target, equal) for target in range(1, last + 1)] for _ in range(1, last)]
    nonsilence_states = [_left_to_right(state) for state in range(num_nonsilence_states)]
    entries = [
        _entry(nonsilence, map(_state, range(100), nonsilence_states)),
        _entry(silence, map(_state, range(100), states)),
    ]
    return _topology(entries)


def chain_topology(phones: Iterable[int]) -> str:
    """One state, with a pdf for its first frame and one for all others; its transition probabilities are not used."""
    state = "<State> 0 <ForwardPdfClass> 0 <SelfLoopPdfClass> 1 <Transition> 0 0.5 <Transition> 1 0.5 </State>"
    return _topology([_entry(phones, [state])])


def _left_to_right(state: int) -> list[tuple[int, float]]:
    return [(state, 0.75), (state + 1, 0.25)]


def _state(number: int, transitions: Transitions) -> str:
    arcs = "".join(f"<Transition> {target} {probability:.15g} " for target, probability in transitions)
    return f"<State> {number} <PdfClass> {number} {arcs}</State>"


def _entry(phones: Iterable[int], states: Iterable[str]) -> list[str]:
    lines = list(states)
    phone_line = " ".join(map(str, phones))
    final = f"<State> {len(lines)} </State>"
    return ["<TopologyEntry>", "<ForPhones>", phone_line, "</ForPhones>", *lines, final, "</TopologyEntry>"]


def _topology(entries: list[list[str]]) -> str:
    lines = ["<Topology>", *(line for entry in entries for line in entry), "</Topology>", ""]
    return "\n".join(lines)
