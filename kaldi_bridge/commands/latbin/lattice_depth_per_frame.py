"""nnet-pytorch-lattice-depth-per-frame: twin of lattice-depth-per-frame."""

from __future__ import annotations

from contextlib import ExitStack

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.lattices.lattice import sorted_if_needed
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.state_times import depth_per_frame
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR

USAGE = """Compute how many arcs of each lattice cross each frame; and copy the lattices, for what follows in a pipe.
Usage: nnet-pytorch-lattice-depth-per-frame <lattice-rspecifier> <depth-wspecifier> [<lattice-wspecifier>]
e.g.: nnet-pytorch-lattice-depth-per-frame ark:1.lats ark,t:-"""


def lattice_depth_per_frame(lattice_rspecifier: str, depth_wspecifier: str, lattice_wspecifier: str = "") -> int:
    done = 0
    with ExitStack() as stack:
        lattices = stack.enter_context(SequentialReader(lattice_rspecifier, COMPACT_LATTICE))
        depths = stack.enter_context(TableWriter(depth_wspecifier, INT32_VECTOR))
        copies = stack.enter_context(TableWriter(lattice_wspecifier, COMPACT_LATTICE)) if lattice_wspecifier else None
        for key, lattice in lattices:
            with within(f"{lattice_rspecifier}: lattice {key}"):
                lattice = sorted_if_needed(lattice)
                depths.write(key, depth_per_frame(lattice))
            if copies:
                copies.write(key, lattice)
            done += 1
    log.info(f"Done {done} lattices.")
    return 0 if done else 1


main = command(lattice_depth_per_frame, usage=USAGE)

if __name__ == "__main__":
    main()
