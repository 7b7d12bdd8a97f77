"""nnet-pytorch-lattice-align-words-lexicon: twin of lattice-align-words-lexicon."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.word_alignment import LexiconAligner, read_alignment_lexicon
from kaldi_bridge.lattices.word_alignment_check import is_aligned_by_lexicon
from kaldi_bridge.lattices.word_alignment_tables import align_table

USAGE = """Convert lattices so that their arcs are words, by the pronunciations in a lexicon of integers.
Usage: nnet-pytorch-lattice-align-words-lexicon [options] <lexicon-file> <model> <lattice-rspecifier> \\
    <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-align-words-lexicon --partial-word-label=4324 --max-expand=10.0 \\
    data/lang/phones/align_lexicon.int final.mdl ark:1.lats ark:aligned.lats
Lines of the lexicon: word in the lattice, word in the result, phones."""


@dataclass
class Options:
    """Options of lattice-align-words-lexicon."""

    output_error_lats: bool = option(True, "Output lattices that aligned with errors (e.g. due to force-out)")
    output_if_empty: bool = option(False, "Where there is an error and nothing comes out, pass the input through.")
    test: bool = option(False, "Test the algorithm while running it.")
    allow_duplicate_paths: bool = option(
        False, "With --test=true: paths that are there twice, by a lexicon out of order, are only warned of"
    )
    partial_word_label: int = option(
        0, 'Word of partial words at the end of "forced-out" utterances in the word-aligned lattice (zero is OK)'
    )
    reorder: bool = option(True, "True if the lattices were generated from graphs that had the --reorder option true")
    max_expand: float = option(
        -1.0, "If >0.0, the most by which the number of states may grow (plus 1000) before a lattice is given up"
    )


def lattice_align_words_lexicon(
    options: Options, lexicon_file: str, model_in: str, lattice_rspecifier: str, lattice_wspecifier: str
) -> int:
    model = read_transition_model(model_in)
    lexicon = read_alignment_lexicon(lexicon_file)

    def test(lattice: CompactLattice, aligned: CompactLattice) -> bool:
        return is_aligned_by_lexicon(model, lexicon.lines, lattice, aligned, options.allow_duplicate_paths)

    return align_table(
        LexiconAligner(model, lexicon, options.partial_word_label, options.reorder, options.max_expand).align,
        lattice_rspecifier,
        lattice_wspecifier,
        output_error_lats=options.output_error_lats,
        output_if_empty=options.output_if_empty,
        test=test if options.test else None,
    )


main = command(lattice_align_words_lexicon, usage=USAGE)

if __name__ == "__main__":
    main()
