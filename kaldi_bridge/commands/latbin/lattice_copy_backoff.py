"""nnet-pytorch-lattice-copy-backoff: twin of lattice-copy-backoff."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter

USAGE = """Copy lattices, those that a second table has, too, from there.
Usage: nnet-pytorch-lattice-copy-backoff [options] <lattice-rspecifier1> <lattice-rspecifier2> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-copy-backoff ark:bad_but_complete.lat ark:good_but_incomplete.lat ark:out.lat"""


def lattice_copy_backoff(first_rspecifier: str, second_rspecifier: str, lattice_wspecifier: str) -> int:
    done = backed_off = 0
    with (
        SequentialReader(first_rspecifier, COMPACT_LATTICE) as lattices,
        RandomAccessReader(second_rspecifier, COMPACT_LATTICE) as better,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            if key in better:
                writer.write(key, better[key])
            else:
                writer.write(key, lattice)
                log.vlog(1, f"Backed off to 1st archive for key {key}")
                backed_off += 1
            done += 1
    log.info(f"Done copying {done} lattices; backed off to 1st archive for {backed_off} of those.")
    return 0 if done else 1


main = command(lattice_copy_backoff, usage=USAGE)

if __name__ == "__main__":
    main()
