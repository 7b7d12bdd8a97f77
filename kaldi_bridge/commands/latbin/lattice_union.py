"""nnet-pytorch-lattice-union: twin of lattice-union."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.lattices.combination import union
from kaldi_bridge.lattices.determinization import determinize_fully
from kaldi_bridge.lattices.lattice import to_lattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter

USAGE = """Make of each two lattices one that has the paths of both, the best of each word sequence.
Usage: nnet-pytorch-lattice-union [options] <lattice-rspecifier1> <lattice-rspecifier2> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-union ark:den.lats ark:num.lats ark:union.lats"""


def lattice_union(first_rspecifier: str, second_rspecifier: str, lattice_wspecifier: str) -> int:
    done = unions = missing = 0
    with (
        SequentialReader(first_rspecifier, COMPACT_LATTICE) as lattices,
        RandomAccessReader(second_rspecifier, COMPACT_LATTICE) as others,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            if key in others:
                other = others[key]
                unions += 1
                if other.num_states:
                    lattice = union(lattice, other) if lattice.num_states else other
            else:
                log.warning(
                    f"No lattice found for utterance {key} in {second_rspecifier}. "
                    f"Result of union will be the lattice found in {first_rspecifier}"
                )
                missing += 1
            with within(f"lattice of {key}"):
                writer.write(key, determinize_fully(to_lattice(lattice)))
            done += 1
    log.info(
        f"Total {done} lattices written. Computed union for {unions} pairs of lattices. "
        f"Missing second lattice in {missing} cases."
    )
    log.info(f"Done {done} lattices.")
    return 0 if done else 1


main = command(lattice_union, usage=USAGE)

if __name__ == "__main__":
    main()
