"""nnet-pytorch-nbest-to-prons: twin of nbest-to-prons."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.pronounced_words import pron_lines
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Write the words of word-aligned lattices of a single path with their phones; each line is
utterance, first frame, number of frames, word, phones.
Usage: nnet-pytorch-nbest-to-prons [options] <model> <aligned-linear-lattice-rspecifier> <output-wxfilename>
e.g.: nnet-pytorch-lattice-1best --acoustic-scale=0.08333 ark:1.lats ark:- |
  nnet-pytorch-lattice-align-words data/lang/phones/word_boundary.int exp/dir/final.mdl ark:- ark:- |
  nnet-pytorch-nbest-to-prons exp/dir/final.mdl ark:- 1.prons"""


@dataclass
class Options:
    """Options of nbest-to-prons."""

    print_lengths_per_phone: bool = option(False, "Print the lengths of the phones, with commas, for that of the word")


def nbest_to_prons(options: Options, model_in: str, lattice_rspecifier: str, output: str) -> int:
    model = read_transition_model(model_in)
    loop = TableLoop(lattice_rspecifier)
    with SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices, open_output(output) as stream:
        for key, lattice in lattices:
            with loop.entry(key, f"Format conversion failed for utterance {key}"):
                stream.write(encode(pron_lines(model, key, lattice, options.print_lengths_per_phone)))
    log.info(f"Printed prons for {loop.done} linear lattices; {loop.failed} had errors.")
    return loop.status


main = command(nbest_to_prons, usage=USAGE)

if __name__ == "__main__":
    main()
