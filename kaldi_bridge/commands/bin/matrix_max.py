"""nnet-pytorch-matrix-max: twin of matrix-max."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, without_effect
from kaldi_bridge.errors import within
from kaldi_bridge.features.combination import largest
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, TOKEN_VECTOR

USAGE = """Find the largest of the elements of matrices, as posteriors of several systems, or 0 where all are negative.
The matrices of a set, a line of <spk2utt>, are cut to as many rows as the shortest has.
Usage: nnet-pytorch-matrix-max [options] <spk2utt-rspecifier> <matrix-rspecifier> <matrix-wspecifier>
e.g.: nnet-pytorch-matrix-max ark:data/spk2utt scp:exp/output.scp ark:exp/outputs_max.ark"""


@dataclass
class Options:
    """Options of matrix-max."""

    binary: bool = without_effect(False, "As in Kaldi: the output is a table, which says itself")


def matrix_max(options: Options, spk2utt: str, matrices_rspecifier: str, wspecifier: str) -> int:
    sets = empty_sets = used = missing = 0
    with (
        RandomAccessReader(matrices_rspecifier, FLOAT_MATRIX) as matrices,
        SequentialReader(spk2utt, TOKEN_VECTOR) as reader,
        TableWriter(wspecifier, FLOAT_MATRIX) as writer,
    ):
        for name, members in reader:
            if not members:
                log.warning(f"Speaker {name} has no utterances. Not processing further.")
                continue
            there = {member: matrices[member] for member in members if member in matrices}
            shortest = min(map(len, there.values()), default=0)
            for member in members:
                if member not in there:
                    log.warning(f"No matrix present in input for utterance {member}")
                    missing += 1
                elif len(there[member]) > shortest:
                    log.warning(f"Cropping rows of matrix {member} from {len(there[member])} to {shortest}")
            if not there:
                log.warning(f"Not producing output for speaker {name} since no utterances had matrices")
                empty_sets += 1
                continue
            with within(f"speaker {name}"):
                writer.write(name, largest([matrix[:shortest] for matrix in there.values()]))
            sets += 1
            used += len(members) - sum(member not in there for member in members)
    log.info(
        f"Computed max for {sets} speakers ({empty_sets} with no utterances), consisting of {used} utterances "
        f"({missing} absent from input)."
    )
    return 0 if sets else 1


main = command(matrix_max, usage=USAGE)

if __name__ == "__main__":
    main()
