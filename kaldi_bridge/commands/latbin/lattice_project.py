"""nnet-pytorch-lattice-project: twin of lattice-project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.lattices.lattice import projected, to_lattice, without_alignments
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE, LatticeHolder
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Project lattices, as transducers, on their words or their transition-ids.
Usage: nnet-pytorch-lattice-project [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-project ark:1.lats ark:word2word.lats
or:   nnet-pytorch-lattice-project --project-output=false ark:1.lats ark:tid2tid.lats"""


@dataclass
class Options:
    """Options of lattice-project."""

    project_output: bool = option(True, "If true, project on output (words), else input (transition-ids)")


def lattice_project(options: Options, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    holder: LatticeHolder[Any] = COMPACT_LATTICE if options.project_output else LATTICE
    done = 0
    with SequentialReader(lattice_rspecifier, holder) as lattices, TableWriter(lattice_wspecifier, LATTICE) as writer:
        for key, lattice in lattices:
            if options.project_output:
                lattice = to_lattice(without_alignments(lattice))
            writer.write(key, projected(lattice, options.project_output))
            done += 1
    log.info(f"Done projecting {done} lattices.")
    return 0 if done else 1


main = command(lattice_project, usage=USAGE)

if __name__ == "__main__":
    main()
