"""nnet-pytorch-lattice-depth: twin of lattice-depth."""

from __future__ import annotations

from contextlib import ExitStack

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.lattices.lattice import sorted_if_needed
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.state_times import depth
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT

USAGE = """Compute how many arcs of lattices cross a frame on average; see also nnet-pytorch-lattice-depth-per-frame.
Usage: nnet-pytorch-lattice-depth <lattice-rspecifier> [<depth-wspecifier>]
e.g.: nnet-pytorch-lattice-depth ark:1.lats ark,t:-"""


def lattice_depth(lattice_rspecifier: str, depth_wspecifier: str = "") -> int:
    done = 0
    crossings = total = 0.0
    with ExitStack() as stack:
        lattices = stack.enter_context(SequentialReader(lattice_rspecifier, COMPACT_LATTICE))
        writer = stack.enter_context(TableWriter(depth_wspecifier, FLOAT)) if depth_wspecifier else None
        for key, lattice in lattices:
            with within(f"{lattice_rspecifier}: lattice {key}"):
                mean, frames = depth(sorted_if_needed(lattice))
            if writer:
                writer.write(key, float(mean))
            crossings += float(mean) * frames
            total += frames
            done += 1
    log.info(f"Done {done} lattices.")
    density = crossings / total if total else float("nan")
    log.info(f"Overall density is {density:g} over {total:g} frames.")  # oracle_wer.sh parses this line
    return 0 if done else 1


main = command(lattice_depth, usage=USAGE)

if __name__ == "__main__":
    main()
