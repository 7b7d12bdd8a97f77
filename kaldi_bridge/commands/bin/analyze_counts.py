"""nnet-pytorch-analyze-counts: twin of analyze-counts."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.hmm.label_counts import LabelCounts
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import DOUBLE_VECTOR, FLOAT, FLOAT_VECTOR, INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Count the integers of alignments, half a frame more for each, e.g. the pdfs' for priors.
Usage: nnet-pytorch-analyze-counts [options] <alignments-rspecifier> <counts-wxfilename>
e.g.: nnet-pytorch-ali-to-phones --per-frame=true 1.mdl ark:1.ali ark:- | \\
  nnet-pytorch-analyze-counts --verbose=1 ark:- /dev/null"""


@dataclass
class Options:
    """Options of analyze-counts."""

    binary: bool = option(False, "Write in binary mode")
    symbol_table: str = option("", "Symbol table: print the counts, with symbols (--verbose=1 prints them without)")
    counts_dim: int = option(0, "Least number of counts")
    frame_weights: str = option("", "Table of the weights of each utterance's frames")
    utt_weights: str = option("", "Table of the weights of utterances")


def analyze_counts(options: Options, alignments_rspecifier: str, counts_out: str) -> int:
    counts, loop = LabelCounts(options.counts_dim), TableLoop()
    with ExitStack() as stack:
        alignments = stack.enter_context(SequentialReader(alignments_rspecifier, INT32_VECTOR))
        frame_weights = utterance_weights = None
        if options.frame_weights:
            frame_weights = stack.enter_context(RandomAccessReader(options.frame_weights, FLOAT_VECTOR))
        if options.utt_weights:
            utterance_weights = stack.enter_context(RandomAccessReader(options.utt_weights, FLOAT))
        for utterance, alignment in alignments:
            with loop.entry(utterance):
                if utterance_weights and utterance not in utterance_weights:
                    raise EntryError(f"{utterance}, missing per-utterance weight")
                if frame_weights and utterance not in frame_weights:
                    raise EntryError(f"{utterance}, missing per-frame weights")
                weight = utterance_weights[utterance] if utterance_weights else 1.0
                counts.add(alignment, weight, frame_weights[utterance] if frame_weights else None)
    for label in counts.unseen():
        log.warning(f"Zero count for label {label}, this is suspicious.")
    with open_output(counts_out) as stream:
        DOUBLE_VECTOR.write(stream, options.binary, counts.values + 0.5)
    if options.symbol_table or log.verbose() >= 1:
        log.info(counts.table(SymbolTable.read(options.symbol_table).symbols if options.symbol_table else None))
    log.info(f"Summed {loop.done} int32 vectors to counts, skipped {loop.failed} vectors.")
    log.info(f"Counts written to {counts_out}")
    return 0


main = command(analyze_counts, usage=USAGE)

if __name__ == "__main__":
    main()
