"""nnet-pytorch-lattice-to-fst: twin of lattice-to-fst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.fsts.epsilon_removal import remove_epsilons_local
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice import projected, to_lattice, without_alignments
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.standard_fst import standard_fst
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Turn lattices into FSTs of their words alone; by default without costs and without (most) epsilons.
Usage: nnet-pytorch-lattice-to-fst [options] <lattice-rspecifier> <fsts-wspecifier>
e.g.: nnet-pytorch-lattice-to-fst ark:1.lats ark:1.fsts"""


@dataclass
class Options:
    """Options of lattice-to-fst."""

    acoustic_scale: float = option(0.0, "Scaling factor for acoustic likelihoods")
    lm_scale: float = option(0.0, "Scaling factor for graph/lm costs")
    rm_eps: bool = option(True, "Remove epsilons in resulting FSTs (in lazy way; may not remove all)")


def lattice_to_fst(options: Options, lattice_rspecifier: str, fsts_wspecifier: str) -> int:
    acoustic, graph = (float(np.float32(value)) for value in (options.acoustic_scale, options.lm_scale))
    done = 0
    with SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices, TableWriter(fsts_wspecifier, FST) as writer:
        for key, lattice in lattices:
            words = to_lattice(without_alignments(scale(lattice, acoustic, graph)))
            fst = standard_fst(projected(words, on_words=True))
            writer.write(key, remove_epsilons_local(fst, stochastic_in_log=False) if options.rm_eps else fst)
            done += 1
    log.info(f"Done converting {done} lattices to word-level FSTs")
    return 0 if done else 1


main = command(lattice_to_fst, usage=USAGE)

if __name__ == "__main__":
    main()
