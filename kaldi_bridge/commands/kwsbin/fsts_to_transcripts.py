"""nnet-pytorch-fsts-to-transcripts: twin of fsts-to-transcripts."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.fsts.linear import labels_of_path
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Write the labels on the best path of each FST, without epsilons: those of the output side, or of the input
side with --output-side=false.
Usage: nnet-pytorch-fsts-to-transcripts [options] <fsts-rspecifier> <transcriptions-wspecifier>
e.g.: nnet-pytorch-fsts-to-transcripts ark:train.fsts ark,t:train.text"""


@dataclass
class Options:
    """Options of fsts-to-transcripts."""

    output_side: bool = option(True, "The labels of the output side, not the input side")


def fsts_to_transcripts(options: Options, fsts_rspecifier: str, transcriptions_wspecifier: str) -> int:
    side = "olabel" if options.output_side else "ilabel"
    loop = TableLoop()
    with (
        SequentialReader(fsts_rspecifier, FST) as reader,
        TableWriter(transcriptions_wspecifier, INT32_VECTOR) as writer,
    ):
        for key, fst in reader:
            with loop.entry(key):
                best = OpenFst.of(fst).shortest_paths(1).fst()
                if not best.num_states:
                    raise EntryError(f"The FST has no path. Producing no output for key {key}")
                writer.write(key, labels_of_path(best, side))
    log.info(f"Converted {loop.done} FSTs, {loop.failed} with errors")
    return loop.status


main = command(fsts_to_transcripts, usage=USAGE)

if __name__ == "__main__":
    main()
