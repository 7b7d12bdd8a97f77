"""nnet-pytorch-gmm-est-rescale: twin of gmm-est-rescale."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.rescaling import RescalingOptions, rescaled
from kaldi_bridge.gmm.statistics import sum_files
from kaldi_bridge.options import OutputOptions

USAGE = """Change means and variances as the features have changed, by statistics of old and of new features: the
difference between model and features, of discriminative training before, stays. Transitions and weights stay, too.
Usage: nnet-pytorch-gmm-est-rescale [options] <model-in> <old-stats-in> <new-stats-in> <model-out>
e.g.: nnet-pytorch-gmm-est-rescale 1.mdl old.acc new.acc 2.mdl"""


@dataclass
class Options(RescalingOptions, OutputOptions):
    """Options of gmm-est-rescale."""


def gmm_est_rescale(options: Options, model_in: str, old_in: str, new_in: str, model_out: str) -> None:
    model = AcousticModel.read(model_in)
    mixtures = rescaled(model.mixtures, sum_files([old_in]), sum_files([new_in]), options)
    AcousticModel(model.transitions, mixtures).write(model_out, options.binary)
    log.info(f"Rescaled model and wrote to {model_out}")


main = command(gmm_est_rescale, usage=USAGE)

if __name__ == "__main__":
    main()
