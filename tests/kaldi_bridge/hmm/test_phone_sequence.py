"""Alignments cut into phones: parts of one as if each stood alone, whichever way its self-loops are ordered."""

import numpy as np

from kaldi_bridge.hmm.phone_sequence import loops_come_last, phones_of, phones_of_parts
from kaldi_bridge.hmm.topology import HmmState, Topology
from kaldi_bridge.hmm.tree import make_transition_model
from kaldi_bridge.tree_building.flat_trees import monophone_tree

TOPOLOGY = Topology(
    [[HmmState(i, i, [(i, 0.75), (i + 1, 0.25)]) for i in range(3)] + [HmmState()]], dict.fromkeys((1, 2), 0)
)
MODEL = make_transition_model(monophone_tree([[1], [2]], TOPOLOGY), TOPOLOGY)


def alignment_of(phones: list[int], reordered: bool) -> list[int]:
    """Each state of each phone for three frames."""
    made = []
    for phone in phones:
        for state in range(3 * (phone - 1) + 1, 3 * phone + 1):
            loop, leave = MODEL.transition_ids(state)
            made += [leave, loop, loop] if reordered else [loop, loop, leave]
    return made


def test_parts_are_cut_as_if_each_stood_alone() -> None:
    last, first = alignment_of([1, 2, 2], reordered=True), alignment_of([2, 1], reordered=False)
    parts = [last[:25], [], first[4:], last[25:26], first[:2], last]
    phones, lengths, counts = phones_of_parts(MODEL, np.concatenate(parts), np.array([len(part) for part in parts]))
    alone = [phones_of(MODEL, np.array(part, np.int32)) for part in parts]
    np.testing.assert_array_equal(phones, np.concatenate([own for own, _ in alone]))
    np.testing.assert_array_equal(lengths, np.concatenate([own for _, own in alone]))
    assert counts.tolist() == [3, 0, 2, 1, 1, 3]
    assert phones.tolist() == [1, 2, 2, 2, 1, 2, 2, 1, 2, 2]
    assert lengths.tolist() == [9, 9, 7, 5, 9, 1, 2, 9, 9, 9]
    assert loops_come_last(MODEL, np.array(last)) and not loops_come_last(MODEL, np.array(first))
