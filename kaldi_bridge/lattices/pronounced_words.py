"""Words of an utterance with their phones, from a lattice of a single path (latbin/nbest-to-prons.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.hmm.phone_sequence import phones_of_parts
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.linear import segments_of
from kaldi_bridge.lattices.word_alignment import (
    LexiconAligner,
    WordAligner,
    WordLabelOptions,
    read_alignment_lexicon,
    read_word_boundaries,
)


def word_aligner(lang: Lang, model: TransitionModel) -> WordAligner | LexiconAligner:
    """By the places that phones have in words, where they know them, else by the lexicon.

    Raises KaldiError where the lang directory has neither phones/word_boundary.int nor phones/align_lexicon.int.
    """
    boundaries, lexicon = (lang.path / "phones" / name for name in ("word_boundary.int", "align_lexicon.int"))
    if boundaries.exists():
        return WordAligner(model, read_word_boundaries(str(boundaries)), WordLabelOptions(), max_expand=0.0)
    if lexicon.exists():
        return LexiconAligner(model, read_alignment_lexicon(str(lexicon)), 0, reorder=True, max_expand=-1.0)
    raise KaldiError(f"no such file {boundaries} or {lexicon}: words cannot be told apart")


def aligned_words(aligner: WordAligner | LexiconAligner, lattice: CompactLattice) -> CompactLattice:
    """The lattice with words for arcs, partial ones at its end too. Raises EntryError where nothing is left."""
    aligned = aligner.align(lattice).lattice
    if aligned.start < 0:
        raise EntryError("the lattice cannot be aligned with words")
    return aligned


def pron_lines(model: TransitionModel, utterance: str, lattice: CompactLattice, each_length: bool = False) -> str:
    """Lines of utterance, first frame, number of frames, word, phones, of a lattice whose arcs are words.

    ``each_length``: the numbers of frames of the phones, with commas, in place of their sum. Raises EntryError for a
    lattice that is not linear, KaldiError for transition-ids beyond the model.
    """
    segments = list(segments_of(lattice))
    if not segments:
        return ""
    ids = [segment.ids for segment in segments]
    phones, lengths, counts = phones_of_parts(model, np.concatenate(ids), np.array([len(own) for own in ids]))
    phone_names, length_names = list(map(str, phones.tolist())), list(map(str, lengths.tolist()))
    lines = []
    end = 0
    for segment, count in zip(segments, counts.tolist(), strict=True):
        begin, end = end, end + count
        length = ",".join(length_names[begin:end]) if each_length else len(segment.ids)
        lines.append(" ".join([f"{utterance} {segment.start} {length} {segment.word}", *phone_names[begin:end]]) + "\n")
    return "".join(lines)
