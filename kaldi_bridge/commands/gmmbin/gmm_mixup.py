"""nnet-pytorch-gmm-mixup: twin of gmm-mixup."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.estimation import MixUpOptions, remixed
from kaldi_bridge.gmm.occupancy import read_occupancy
from kaldi_bridge.options import OutputOptions

USAGE = """Split or merge Gaussians until there are as many as wanted.
Usage: nnet-pytorch-gmm-mixup [options] <model-in> <state-occs-in> <model-out>
e.g.: nnet-pytorch-gmm-mixup --mix-up=4000 1.mdl 1.occs 2.mdl"""


@dataclass
class Options(MixUpOptions, OutputOptions):
    """Options of gmm-mixup."""


def gmm_mixup(options: Options, model_in: str, occupancy_in: str, model_out: str) -> None:
    model = AcousticModel.read(model_in)
    if options.mix_up or options.mix_down:
        model.mixtures = remixed(model.mixtures, read_occupancy(occupancy_in), options)
    model.write(model_out, options.binary)
    log.info(f"Written model to {model_out}")


main = command(gmm_mixup, usage=USAGE)

if __name__ == "__main__":
    main()
