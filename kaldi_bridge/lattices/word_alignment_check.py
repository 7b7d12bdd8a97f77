"""Checks of word-aligned lattices (option --test of the programs that align): that nothing got lost or doubled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.phone_sequence import phones_of
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.equivalence import are_equivalent
from kaldi_bridge.lattices.lattice import CompactLattice, sorted_if_needed
from kaldi_bridge.lattices.word_alignment import KINDS, WordLabelOptions

PATHS = 5


def _arcs(lattice: CompactLattice) -> Iterable[tuple[int, np.ndarray]]:
    """Label and transition-ids of each arc that has any."""
    for arc, label in enumerate(lattice.arcs["label"].tolist()):
        ids = lattice.strings[lattice.string_offsets[arc] : lattice.string_offsets[arc + 1]]
        if label or len(ids):
            yield label, ids


def _with_labels(lattice: CompactLattice, labels: np.ndarray) -> CompactLattice:
    arcs = lattice.arcs.copy()
    arcs["label"] = labels
    return CompactLattice(lattice.start, lattice.offsets, arcs, lattice.finals, lattice.string_offsets, lattice.strings)


def _has_final_ids(lattice: CompactLattice) -> bool:
    return bool(lattice.string_lengths[lattice.num_arcs :].any())


def check_by_boundaries(
    model: TransitionModel,
    kinds: Sequence[int],
    options: WordLabelOptions,
    lattice: CompactLattice,
    aligned: CompactLattice,
) -> None:
    """Raises KaldiError unless each arc is a silence or a word by its phones' places, and the paths are the same."""
    begin, end, singleton, internal, nonword = (KINDS[k] for k in ("begin", "end", "singleton", "internal", "nonword"))
    for label, ids in _arcs(aligned):
        places = [kinds[phone] for phone in phones_of(model, ids)[0].tolist()]
        silence = label == options.silence_label and places == [nonword]
        inside = places[1:-1]
        word = label != 0 and (
            places == [singleton]
            or (places[:1] == [begin] and places[-1:] == [end] and all(place == internal for place in inside))
        )
        if not (silence or word):
            raise KaldiError(f"Invalid arc in aligned lattice: {label} {'_'.join(map(str, ids.tolist()))}")
    if _has_final_ids(aligned):
        raise KaldiError("Expect to have no strings on final-weights of lattices.")
    labels = aligned.arcs["label"]
    if options.silence_label:
        aligned = _with_labels(aligned, np.where(labels == options.silence_label, 0, labels))
    if not are_equivalent(lattice, aligned, PATHS, 1.0e10, Random(0)):
        raise KaldiError("Equivalence test failed (testing word-alignment). Make sure your model and lattices match!")


def _total(lattice: CompactLattice) -> float:
    lattice = sorted_if_needed(lattice)
    return float(lattice.graph.log_sums_to_end(lattice.arc_costs, lattice.final_costs)[lattice.start])


def is_aligned_by_lexicon(
    model: TransitionModel,
    lines: Sequence[Sequence[int]],
    lattice: CompactLattice,
    aligned: CompactLattice,
    allow_duplicate_paths: bool,
) -> bool:
    """Whether each arc is a line of the lexicon, and the paths are the same, each once; warns of what is not so."""
    good = True
    before, after = _total(lattice), _total(aligned)
    if abs(before - after) > 1.0e-4 * (abs(before) + abs(after)):
        log.warning(f"Forward-backward likelihoods differ in word-aligned lattice testing, {before:g} != {after:g}")
        good = allow_duplicate_paths
    entries = {tuple(line[1:]) for line in lines}
    for label, ids in _arcs(aligned):
        entry = (label, *phones_of(model, ids)[0].tolist())
        if entry not in entries:
            log.warning(f"Invalid arc in aligned lattice, lexicon-entry is {' '.join(map(str, entry))}")
            good = False
    same = _same_words(lines)
    before_mapped, after_mapped = (
        _with_labels(some, np.array([same.get(word, word) for word in some.arcs["label"].tolist()], np.int32))
        for some in (lattice, aligned)
    )
    if _has_final_ids(aligned) or not are_equivalent(before_mapped, after_mapped, PATHS, 0.2, Random(0)):
        log.warning("Equivalence test failed during lattice alignment.")
        return False
    return good


def _same_words(lines: Sequence[Sequence[int]]) -> dict[int, int]:
    """Of words that the lexicon has in place of others, the smallest that they stand for."""
    smallest: dict[int, int] = {}
    for low, high in sorted({(min(line[:2]), max(line[:2])) for line in lines if line[0] != line[1]}):
        smallest[high] = smallest.get(low, low)
    return smallest
