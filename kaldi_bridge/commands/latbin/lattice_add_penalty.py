"""nnet-pytorch-lattice-add-penalty: twin of lattice-add-penalty."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.lattices.costs import add_word_penalty
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Add a word insertion penalty to lattices: positive values make fewer words.
Usage: nnet-pytorch-lattice-add-penalty [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-add-penalty --word-ins-penalty=1.0 ark:- ark:-"""


@dataclass
class Options:
    """Options of lattice-add-penalty."""

    word_ins_penalty: float = option(0.0, "Word insertion penalty")


def lattice_add_penalty(options: Options, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    done = 0
    with (
        SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            writer.write(key, add_word_penalty(lattice, options.word_ins_penalty))
            done += 1
    log.info(f"Done adding word insertion penalty to {done} lattices.")
    return 0 if done else 1


main = command(lattice_add_penalty, usage=USAGE)

if __name__ == "__main__":
    main()
