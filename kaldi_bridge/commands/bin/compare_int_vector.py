"""nnet-pytorch-compare-int-vector: twin of compare-int-vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option, write_stdout
from kaldi_bridge.errors import within
from kaldi_bridge.hmm.label_counts import Confusions, LabelCounts
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_VECTOR, INT32_VECTOR

USAGE = """Compare vectors of integers, e.g. phone alignments, and print how many integers of each differ:
<utterance-id> <frames-in-both> <frames-that-differ>
Usage: nnet-pytorch-compare-int-vector [options] <vector1-rspecifier> <vector2-rspecifier>
e.g.: nnet-pytorch-compare-int-vector scp:foo.scp scp:bar.scp > comparison"""


@dataclass
class Options(OutputOptions):
    """Options of compare-int-vector."""

    write_tot_counts: str = option("", "File for the counts of all integers of the first vectors")
    write_diff_counts: str = option("", "File for the counts of integers that differ, half a frame for each of the two")
    write_confusion_matrix: str = option("", "File for the matrix of how often integers of both meet")


def compare_int_vector(options: Options, first_rspecifier: str, second_rspecifier: str) -> int:
    done = missing = other_lengths = frames = differences = 0
    total, differing, confusions = LabelCounts(), LabelCounts(), Confusions()
    with (
        SequentialReader(first_rspecifier, INT32_VECTOR) as reader,
        RandomAccessReader(second_rspecifier, INT32_VECTOR) as others,
    ):
        for key, ours in reader:
            done += 1
            if key not in others:
                log.warning(f"No key {key} found in second input.")
                missing += 1
                continue
            theirs = others[key]
            if len(ours) != len(theirs):
                log.warning(f"For utterance {key}, lengths differ {len(ours)} vs. {len(theirs)}")
                other_lengths += 1
            length = min(len(ours), len(theirs))
            ours, theirs = ours[:length], theirs[:length]
            differ = ours != theirs
            with within(f"utterance {key}"):
                if options.write_diff_counts:
                    differing.add(np.concatenate([ours[differ], theirs[differ]]), 0.5)
                if options.write_tot_counts:
                    total.add(ours)
                if options.write_confusion_matrix:
                    confusions.add(ours, theirs)
            write_stdout(f"{key} {length} {np.count_nonzero(differ)}\n")
            frames += length
            differences += np.count_nonzero(differ)
    log.info(
        f"Computed difference for {done} utterances, of which {other_lengths} had mismatched lengths; corresponding "
        f"utterance not found for {missing}"
    )
    percent = 100.0 * differences / frames if frames else float("nan")
    log.info(f"Average p(different) is {percent:.4g}%, over {frames} frames.")
    for name, counts in ((options.write_tot_counts, total), (options.write_diff_counts, differing)):
        if name:
            with open_output(name) as stream:
                FLOAT_VECTOR.write(stream, options.binary, counts.values)
    if options.write_confusion_matrix:
        with open_output(options.write_confusion_matrix) as stream:
            DOUBLE_MATRIX.write(stream, options.binary, confusions.values)
    return 0 if done else 1


main = command(compare_int_vector, usage=USAGE)

if __name__ == "__main__":
    main()
