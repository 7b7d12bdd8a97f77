"""nnet-pytorch-lattice-align-words: twin of lattice-align-words."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.word_alignment import WordAligner, WordLabelOptions, read_word_boundaries
from kaldi_bridge.lattices.word_alignment_check import check_by_boundaries
from kaldi_bridge.lattices.word_alignment_tables import align_table

USAGE = """Convert lattices so that their arcs are words, by the places that phones have in words.
Usage: nnet-pytorch-lattice-align-words [options] <word-boundary-file> <model> <lattice-rspecifier> \\
    <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-align-words --silence-label=4320 --partial-word-label=4324 \\
    data/lang/phones/word_boundary.int final.mdl ark:1.lats ark:aligned.lats
Lines of the word-boundary file: <integer-phone-id> [begin|end|singleton|internal|nonword]. Where phones do not know
their places: nnet-pytorch-lattice-align-words-lexicon."""


@dataclass
class Options(WordLabelOptions):
    """Options of lattice-align-words."""

    output_error_lats: bool = option(True, "Output lattices that aligned with errors (e.g. due to force-out)")
    test: bool = option(False, "Test the algorithm while running it.")
    max_expand: float = option(
        0.0, "If >0, the most by which lattices are expanded before they are given up, e.g. 10: against a wrong model"
    )


def lattice_align_words(
    options: Options, word_boundary_file: str, model_in: str, lattice_rspecifier: str, lattice_wspecifier: str
) -> int:
    model = read_transition_model(model_in)
    kinds = read_word_boundaries(word_boundary_file)

    def test(lattice: CompactLattice, aligned: CompactLattice) -> bool:
        check_by_boundaries(model, kinds, options, lattice, aligned)
        return True

    return align_table(
        WordAligner(model, kinds, options, options.max_expand).align,
        lattice_rspecifier,
        lattice_wspecifier,
        output_error_lats=options.output_error_lats,
        test=test if options.test else None,
    )


main = command(lattice_align_words, usage=USAGE)

if __name__ == "__main__":
    main()
