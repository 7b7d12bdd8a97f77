"""nnet-pytorch-nbest-to-ctm: twin of nbest-to-ctm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.linear import segments_of
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Write the words of word-aligned lattices of a single path as a ctm: utterance 1 begin duration word.
Usage: nnet-pytorch-nbest-to-ctm [options] <aligned-linear-lattice-rspecifier> <ctm-wxfilename>
e.g.: nnet-pytorch-lattice-1best --acoustic-scale=0.08333 ark:1.lats ark:- |
  nnet-pytorch-lattice-align-words data/lang/phones/word_boundary.int exp/dir/final.mdl ark:- ark:- |
  nnet-pytorch-nbest-to-ctm ark:- 1.ctm
After nnet-pytorch-lattice-align-words-lexicon there may be several paths again: put lattice-1best behind it."""


@dataclass
class Options:
    """Options of nbest-to-ctm."""

    print_silence: bool = option(False, "If true, print optional-silence (<eps>) arcs")
    frame_shift: float = option(0.01, "Time in seconds between frames.")
    precision: int = option(2, "Number of decimal places of times; more where --frame-shift asks for more")


def nbest_to_ctm(options: Options, lattice_rspecifier: str, ctm_wxfilename: str) -> int:
    precision = options.precision
    if options.frame_shift < 0.01 and precision <= 2:
        precision = 3
    if options.frame_shift < 0.001 and precision <= 3:
        precision = 4
    shift = np.float32(options.frame_shift)
    loop = TableLoop(lattice_rspecifier)
    with SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices, open_output(ctm_wxfilename) as stream:
        for key, lattice in lattices:
            with loop.entry(key, f"Format conversion failed for key {key}"):
                for segment in list(segments_of(lattice)):
                    if segment.word or options.print_silence:
                        start, length = shift * np.float32(segment.start), shift * np.float32(len(segment.ids))
                        stream.write(encode(f"{key} 1 {start:.{precision}f} {length:.{precision}f} {segment.word}\n"))
    log.info(f"Converted {loop.done} linear lattices to ctm format; {loop.failed} had errors.")
    return loop.status


main = command(nbest_to_ctm, usage=USAGE)

if __name__ == "__main__":
    main()
