"""nnet-pytorch-gmm-transform-means: twin of gmm-transform-means."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.transforms.linear import read_transform

USAGE = """Transform the means of a GMM's Gaussians, linearly or with an offset.
Usage: nnet-pytorch-gmm-transform-means <transform-matrix> <model-in> <model-out>
e.g.: nnet-pytorch-gmm-transform-means 2.mat 2.mdl 3.mdl"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-transform-means."""


def gmm_transform_means(options: Options, matrix_in: str, model_in: str, model_out: str) -> None:
    matrix, model = read_transform(matrix_in), AcousticModel.read(model_in)
    with within(matrix_in):
        model.mixtures = model.mixtures.with_transformed_means(matrix)
    model.write(model_out, options.binary)
    log.info(f"Written model to {model_out}")


main = command(gmm_transform_means, usage=USAGE)

if __name__ == "__main__":
    main()
