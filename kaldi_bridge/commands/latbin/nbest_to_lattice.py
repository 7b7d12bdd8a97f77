"""nnet-pytorch-nbest-to-lattice: twin of nbest-to-lattice."""

from __future__ import annotations

import itertools
from functools import reduce

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.combination import union
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Make of an utterance's n best paths, lattices with keys utt-1, utt-2, ..., one lattice with the key utt.
Usage: nnet-pytorch-nbest-to-lattice [options] <nbest-rspecifier> <lattices-wspecifier>
e.g.: nnet-pytorch-nbest-to-lattice ark:nbest.lats ark:1.lats"""


def nbest_to_lattice(nbest_rspecifier: str, lattice_wspecifier: str) -> int:
    paths = done = 0
    with (
        SequentialReader(nbest_rspecifier, COMPACT_LATTICE) as reader,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for utterance, entries in itertools.groupby(reader, key=lambda entry: utterance_of(entry[0])):
            lattices = [lattice for _, lattice in entries]
            paths += len(lattices)
            spoken = [lattice for lattice in lattices if lattice.num_states]
            writer.write(utterance, reduce(union, spoken) if spoken else lattices[0])
            done += 1
    mean = paths / done if done else float("nan")
    log.info(
        f"Done joining n-best into lattices for {done} utterances, with on average {mean:g} N-best paths per utterance."
    )
    return 0 if done else 1


def utterance_of(nbest_id: str) -> str:
    """Of utt-3, utt. Raises KaldiError."""
    utterance, _, _ = nbest_id.rpartition("-")
    if not utterance:
        raise KaldiError(f"Invalid n-best id {nbest_id}: make sure you are giving N-bests to nbest-to-lattice.")
    return utterance


main = command(nbest_to_lattice, usage=USAGE)

if __name__ == "__main__":
    main()
