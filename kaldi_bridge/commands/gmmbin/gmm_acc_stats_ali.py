"""nnet-pytorch-gmm-acc-stats-ali: twin of gmm-acc-stats-ali."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import EntryError
from kaldi_bridge.features.front_end import FrontEndOptions, processed
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.statistics import Accumulator, write_statistics
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.holders import INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Accumulate statistics for GMM training.
Usage: nnet-pytorch-gmm-acc-stats-ali [options] <model-in> <feature-rspecifier> <alignments-rspecifier> <stats-out>
e.g.: nnet-pytorch-gmm-acc-stats-ali 1.mdl scp:train.scp ark:1.ali 1.acc"""


@dataclass
class Options(FrontEndOptions, OutputOptions):
    """Options of gmm-acc-stats-ali."""


def gmm_acc_stats_ali(options: Options, model_in: str, feats: str, alignments: str, statistics_out: str) -> int:
    accumulator = Accumulator(AcousticModel.read(model_in))
    loop = TableLoop(alignments)
    with RandomAccessReader(alignments, INT32_VECTOR) as aligned:
        for utterance, matrix in processed(options, feats):
            with loop.entry(utterance):
                if utterance not in aligned:
                    raise EntryError(f"No alignment for utterance {utterance}")
                accumulator.add(utterance, matrix, aligned[utterance])
    statistics = accumulator.result()
    log.info(f"Done {loop.done} files, {loop.failed} with errors.")
    average = statistics.log_likelihood / statistics.frames if statistics.frames else float("nan")
    log.info(f"Overall avg like per frame (Gaussian only) = {average:g} over {statistics.frames:g} frames.")
    write_statistics(statistics_out, statistics, options.binary)
    log.info("Written accs.")
    return loop.status


main = command(gmm_acc_stats_ali, usage=USAGE)

if __name__ == "__main__":
    main()
