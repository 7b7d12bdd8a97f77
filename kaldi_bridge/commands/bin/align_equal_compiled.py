"""nnet-pytorch-align-equal-compiled: twin of align-equal-compiled."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, without_effect
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.gmm.equal_alignment import equal_alignment
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Write equally spaced alignments (for getting training started).
Usage: nnet-pytorch-align-equal-compiled <graphs-rspecifier> <features-rspecifier> <alignments-wspecifier>
e.g.: nnet-pytorch-align-equal-compiled ark:1.fsts scp:train.scp ark:equal.ali"""


@dataclass
class Options:
    """Options of align-equal-compiled."""

    binary: bool = without_effect(True, "As in Kaldi: the wspecifier decides")


def align_equal_compiled(options: Options, graphs: str, feats: str, wspecifier: str) -> int:
    loop, without_features = TableLoop(), 0
    with (
        SequentialReader(graphs, FST) as reader,
        RandomAccessReader(feats, FLOAT_MATRIX) as table,
        TableWriter(wspecifier, INT32_VECTOR) as writer,
    ):
        for utterance, graph in reader:
            if utterance not in table:
                log.warning(f"No features for utterance {utterance}")
                without_features += 1
                continue
            with loop.entry(utterance):
                writer.write(utterance, equal_alignment(graph, len(table[utterance]), utterance))
    if loop.done and not without_features and not loop.failed:
        log.info(f"Success: done {loop.done} utterances.")
    else:
        log.warning(
            f"Computed {loop.done} alignments; {without_features} lacked features, {loop.failed} had other errors."
        )
    return loop.status


main = command(align_equal_compiled, usage=USAGE)

if __name__ == "__main__":
    main()
