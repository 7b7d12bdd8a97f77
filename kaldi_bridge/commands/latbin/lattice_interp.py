"""nnet-pytorch-lattice-interp: twin of lattice-interp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.lattices.composition import Composer, arc_sorted
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice import projected, to_compact, to_lattice, without_alignments
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter

USAGE = """Combine the lattices of two systems: the word sequences of both, costs interpolated, alignments of the first.
Usage: nnet-pytorch-lattice-interp [options] <lattice-rspecifier-a> <lattice-rspecifier-b> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-interp --alpha=0.4 ark:1.lats ark:2.lats ark:interpolated.lats"""


@dataclass
class Options:
    """Options of lattice-interp."""

    alpha: float = option(0.5, "Scale of the first lattice in the pair (should be in range [0, 1])")


def lattice_interp(options: Options, first_rspecifier: str, second_rspecifier: str, lattice_wspecifier: str) -> int:
    alpha = float(np.float32(options.alpha))
    done = empty = missing = 0
    with (
        SequentialReader(first_rspecifier, LATTICE) as lattices,
        RandomAccessReader(second_rspecifier, COMPACT_LATTICE) as others,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            if key not in others:
                log.warning(f"No lattice found for utterance {key} in {second_rspecifier}. Not producing output")
                missing += 1
                continue
            words = projected(to_lattice(without_alignments(others[key])), on_words=True)
            second = arc_sorted(scale(words, 1.0 - alpha, 1.0 - alpha), "ilabel")
            with within(f"lattice of {key}"):
                composed = Composer(second).compose(arc_sorted(scale(lattice, alpha, alpha), "olabel"))
            if composed.num_states == 0:
                log.warning(f"For utterance {key}, composed result is empty.")
                empty += 1
                continue
            writer.write(key, to_compact(composed))
            done += 1
    log.info(
        f"Done {done + empty} lattices; {done} had nonempty result, {empty} had empty composition; "
        f"in {missing}, had empty second lattice."
    )
    return 0 if done else 1


main = command(lattice_interp, usage=USAGE)

if __name__ == "__main__":
    main()
