"""Supervisions of utterances, from phones with durations or from phone lattices (chain/chain-supervision.cc)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from kaldi_bridge.command import option, without_effect
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.fsts.acceptors import INFINITY, Acceptor, Arc, connected, pushed_to_start, without_epsilons
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.lattice import CompactLattice, top_sorted
from nnet3_compat.chain.phone_graph import PhoneGraph

MAX_FRAMES = 24 * 3600 * 100


@dataclass
class SupervisionOptions:
    """How exact the times of phones are taken: options of chain-get-supervision."""

    left_tolerance: int = option(5, "Frames that a phone may begin before its time in the alignment")
    right_tolerance: int = option(5, "Frames that a phone may end after its time in the alignment")
    frame_subsampling_factor: int = option(1, "Frames of the alignment for one frame of the chain model")
    weight: float = without_effect(1.0, "As in Kaldi")
    lm_scale: float = option(0.0, "Scale of the graph costs of the phone lattice in the supervision")
    convert_to_pdfs: bool = option(True, "Labels are pdf-ids plus one, not transition-ids")

    def check(self) -> None:
        """Raises KaldiError where they make no sense together."""
        left, right, factor = self.left_tolerance, self.right_tolerance, self.frame_subsampling_factor
        if left < 0 or right < 0 or factor < 1 or left + right + 1 < factor:
            raise KaldiError("--left-tolerance and --right-tolerance must not be negative, and allow for subsampling")
        if not 0.0 <= self.lm_scale < 1.0:
            raise KaldiError(f"--lm-scale={self.lm_scale:g} must be at least 0 and below 1")


@dataclass
class PhonesInTime:
    """An acceptor of phones, and the phones that each frame (after subsampling) may belong to."""

    phones: Acceptor
    allowed: list[set[int]]

    @classmethod
    def _empty(cls, phones: Acceptor, num_frames: int, options: SupervisionOptions) -> PhonesInTime:
        return cls(phones, [set() for _ in range(-(-num_frames // options.frame_subsampling_factor))])

    def _allow(self, phone: int, begin: int, end: int, num_frames: int, options: SupervisionOptions) -> None:
        factor = options.frame_subsampling_factor
        first = -(-max(0, begin - options.left_tolerance) // factor)
        last = -(-min(num_frames, end + options.right_tolerance) // factor)
        for frame in range(first, last):
            self.allowed[frame].add(phone)

    @classmethod
    def of_alignment(cls, phones: list[tuple[int, int]], options: SupervisionOptions) -> PhonesInTime:
        """``phones``: (phone, frames) pairs."""
        if not phones or any(phone <= 0 or frames <= 0 for phone, frames in phones):
            raise EntryError("an alignment without phones, or with phones or durations that are not positive")
        count = len(phones)
        arcs: list[list[Arc]] = [[(phone, 0.0, i + 1)] for i, (phone, _) in enumerate(phones)]
        finals = [INFINITY] * count + [0.0]
        num_frames = sum(frames for _, frames in phones)
        if num_frames > MAX_FRAMES:
            raise KaldiError(f"phones of {num_frames} frames in all: more than a recording of a day has")
        made = cls._empty(Acceptor(0, [*arcs, []], finals), num_frames, options)
        begin = 0
        for phone, frames in phones:
            made._allow(phone, begin, begin + frames, num_frames, options)
            begin += frames
        return made

    @classmethod
    def of_lattice(cls, lattice: CompactLattice, options: SupervisionOptions) -> PhonesInTime:
        """``lattice``: aligned with the phones, of which each arc has one as its label (lattice-align-phones)."""
        if lattice.num_states == 0:
            raise EntryError("the lattice is empty")
        lattice = top_sorted(lattice)
        lattice_arcs, lattice_finals = lattice.to_lists()
        times = [-1] * lattice.num_states
        times[lattice.start] = 0
        num_frames = -1
        for state, out in enumerate(lattice_arcs):
            for label, _, _, ids, target in out:
                if label <= 0:
                    raise EntryError("the lattice has an arc without a phone: align it with lattice-align-phones")
                time = times[state] + len(ids)
                if times[target] not in (-1, time):
                    raise EntryError("the lattice has two paths of different lengths to the same state")
                times[target] = time
            final = lattice_finals[state]
            if final is not None:
                length = times[state] + len(final[2])
                if num_frames not in (-1, length) or len(final[2]):
                    raise EntryError("the lattice's paths differ in length: is it phone-aligned?")
                num_frames = length
        if num_frames < 1:
            raise EntryError("the lattice has no path, or one of no frames")
        scale = options.lm_scale
        arcs = [[(label, graph * scale, t) for label, graph, _, _, t in out] for out in lattice_arcs]
        finals = [INFINITY if final is None else final[0] * scale for final in lattice_finals]
        phones = Acceptor(lattice.start, arcs, finals)
        made = cls._empty(pushed_to_start(phones) if scale else phones, num_frames, options)
        for state, out in enumerate(lattice_arcs):
            for label, _, _, ids, _ in out:
                made._allow(label, times[state], times[state] + len(ids), num_frames, options)
        return made


def make_supervision(
    graph: PhoneGraph, model: TransitionModel, source: PhonesInTime, convert_to_pdfs: bool
) -> Supervision:
    """All ways of saying the phones in which each frame belongs to a phone that is allowed there.

    ``graph``: with both scales zero. Raises EntryError where there is no way: too many phones for the frames.
    """
    transitions = graph.expand(source.phones)
    if any(label == 0 for arcs in transitions.arcs for label, _, _ in arcs):
        transitions = without_epsilons(transitions)
    phone_of = model.id_to_phone.tolist()
    label_of = (model.id_to_pdf + 1).tolist() if convert_to_pdfs else list(range(model.num_transition_ids + 1))
    length = len(source.allowed)
    numbers = {(transitions.start, 0): 0}
    waiting = deque(numbers)
    arcs: list[list[Arc]] = []
    finals: list[float] = []
    while waiting:
        state, time = waiting.popleft()
        out: list[Arc] = []
        if time < length:
            allowed = source.allowed[time]
            for tid, cost, target in transitions.arcs[state]:
                if phone_of[tid] in allowed:
                    place = (target, time + 1)
                    if place not in numbers:
                        numbers[place] = len(numbers)
                        waiting.append(place)
                    out.append((label_of[tid], cost, numbers[place]))
        arcs.append(out)
        finals.append(transitions.finals[state] if time == length else INFINITY)
    made = connected(Acceptor(0, arcs, finals))
    if not made.num_states:
        raise EntryError("Supervision FST is empty (too many phones for too few frames?)")
    num_labels = model.num_pdfs if convert_to_pdfs else model.num_transition_ids
    return Supervision(1.0, 1, length, num_labels, made.to_fst())
