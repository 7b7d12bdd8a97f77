"""nnet-pytorch-gmm-ismooth-stats: twin of gmm-ismooth-stats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.smoothing import add_smoothing, statistics_of
from kaldi_bridge.gmm.statistics import sum_files, write_statistics

USAGE = """Apply I-smoothing to statistics, for discriminative training: add some frames to each Gaussian, of other
statistics or of a model.
Usage: nnet-pytorch-gmm-ismooth-stats [options] (<src-stats-in>|<src-model-in>) <dst-stats-in> <stats-out>
e.g.: nnet-pytorch-gmm-ismooth-stats --tau=100 ml.acc num.acc smoothed.acc
      nnet-pytorch-gmm-ismooth-stats --tau=50 --smooth-from-model 1.mdl num.acc smoothed.acc"""


@dataclass
class Options:
    """Options of gmm-ismooth-stats."""

    binary: bool = option(False, "Write output in binary mode")
    smooth_from_model: bool = option(False, "Expect first argument to be a model file")
    tau: float = option(100.0, "Tau value for I-smoothing: the number of frames to add")


def gmm_ismooth_stats(options: Options, source_in: str, statistics_in: str, statistics_out: str) -> None:
    statistics = sum_files([statistics_in])
    if options.smooth_from_model:
        model = AcousticModel.read(source_in)
        source = statistics_of(model.mixtures, model.transitions.num_transition_ids)
    else:
        source = sum_files([source_in])
    before = statistics.occupancy.sum()
    add_smoothing(statistics, source, options.tau)
    write_statistics(statistics_out, statistics, options.binary)
    after = statistics.occupancy.sum()
    log.info(f"Smoothed stats with tau = {options.tau:g}, count changed from {before:g} to {after:g}")


main = command(gmm_ismooth_stats, usage=USAGE)

if __name__ == "__main__":
    main()
