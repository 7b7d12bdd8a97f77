"""How far a frame's transition-id raises the expected accuracy of a lattice (LatticeForwardBackwardMpeVariants).

Of each path the accuracy is the number of its frames that are right: of the reference's phone (MPFE) or pdf (sMBR).
With p(arc) the probability that the path takes an arc, A the expected accuracy of all paths and A(arc) that of the
paths through the arc, the derivative of A by the arc's log-likelihood is p(arc) (A(arc) - A).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.lattice import Lattice, sorted_if_needed
from kaldi_bridge.lattices.posteriors import summed_pairs
from kaldi_bridge.lattices.state_times import state_times


@dataclass
class Accuracy:
    """Which frames are right.

    Attributes:
        labels: of transition-ids [ids + 1], phones or pdfs.
        silence: of transition-ids, bool [ids + 1].
        one_silence_class: silence for silence is right; else no silence is ever right.
    """

    model: TransitionModel
    labels: np.ndarray
    silence: np.ndarray
    one_silence_class: bool

    @classmethod
    def of_phones(cls, model: TransitionModel, silence_phones: Sequence[int], one_silence_class: bool) -> Accuracy:
        """MPFE."""
        return cls(model, model.id_to_phone, np.isin(model.id_to_phone, silence_phones), one_silence_class)

    @classmethod
    def of_pdfs(cls, model: TransitionModel, silence_phones: Sequence[int], one_silence_class: bool) -> Accuracy:
        """sMBR."""
        return cls(model, model.id_to_pdf, np.isin(model.id_to_phone, silence_phones), one_silence_class)

    def right(self, ids: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """bool, whether each transition-id is right where the reference has another."""
        same, silence = self.labels[ids] == self.labels[reference], self.silence[ids]
        return same | (silence & self.silence[reference]) if self.one_silence_class else same & ~silence


def accuracy_posteriors(
    lattice: Lattice, reference: np.ndarray, accuracy: Accuracy
) -> tuple[list[list[tuple[int, float]]], float]:
    """Of each frame (transition-id, derivative of the expected accuracy), and the expected accuracy in frames.

    Arguments and errors as of ``accuracy_gains``.
    """
    times, ids, gains, expected = accuracy_gains(lattice, reference, accuracy)
    return summed_pairs(times, ids, gains, len(reference)), expected


def accuracy_gains(
    lattice: Lattice, reference: np.ndarray, accuracy: Accuracy
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Of each arc with a transition-id its frame, the id, the derivative of the expected accuracy; and that in frames.

    ``reference``: its alignment [frames]. Raises KaldiError for a lattice with a cycle or without a path, and for other
    numbers of frames.
    """
    if lattice.start < 0:
        raise KaldiError("the lattice is empty")
    lattice = sorted_if_needed(lattice)
    times, frames = state_times(lattice)
    if frames != len(reference) or (times[lattice.is_final & (times >= 0)] != frames).any():
        raise KaldiError(f"the lattice has {frames} frames, or ends in different ones; its alignment {len(reference)}")
    costs, finals, graph, targets = lattice.arc_costs, lattice.final_costs, lattice.graph, lattice.arcs["nextstate"]
    forward, backward = graph.log_sums_from_start(costs), graph.log_sums_to_end(costs, finals)
    total = float(backward[lattice.start])
    if not np.isfinite(total):
        raise KaldiError("the lattice has no path to a final state, or none of finite cost")
    start_times = times[lattice.sources]
    emits = (lattice.arcs["ilabel"] != 0) & (start_times >= 0)
    ids = accuracy.model.checked(lattice.arcs["ilabel"][emits])
    values = np.zeros(len(lattice.arcs))
    values[emits] = accuracy.right(ids, accuracy.model.checked(reference)[start_times[emits]])
    before, after = (
        graph.means_from_start(costs, forward, values),
        graph.means_to_end(costs, backward, values),
    )
    expected = float(after[lattice.start])
    posteriors = np.exp(forward[lattice.sources] - costs + backward[targets] - total)
    gains = posteriors * (before[lattice.sources] + values + after[targets] - expected)
    return start_times[emits], ids, gains[emits], expected
