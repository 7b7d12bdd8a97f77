"""nnet-pytorch-init-ubm: twin of init-ubm."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.full_model import FullMixture, write_full_mixture
from kaldi_bridge.gmm.mixture_files import write_mixture
from kaldi_bridge.gmm.ubm_clustering import UbmClusteringOptions, background_model
from kaldi_bridge.io.matrix_files import read_vector_file
from kaldi_bridge.options import OutputOptions

USAGE = """Cluster the Gaussians of an acoustic model into one mixture (a UBM) with full or diagonal covariances.
Usage: nnet-pytorch-init-ubm [options] <model-in> <state-occs-in> <gmm-out>
e.g.: nnet-pytorch-init-ubm --fullcov-ubm=false --ubm-num-gauss=400 final.mdl final.occs 0.dubm"""


@dataclass
class Options(UbmClusteringOptions, OutputOptions):
    """Options of init-ubm."""

    fullcov_ubm: bool = option(True, "Write out full covariance UBM.")


def init_ubm(options: Options, model_in: str, occupancies_in: str, mixture_out: str) -> None:
    model = AcousticModel.read(model_in)
    made = background_model(model.mixtures, read_vector_file(occupancies_in), options)
    if options.fullcov_ubm:
        write_full_mixture(mixture_out, FullMixture.of_diagonal(made), options.binary)
    else:
        write_mixture(mixture_out, made, options.binary)
    log.info(f"Written UBM to {mixture_out}")


main = command(init_ubm, usage=USAGE)

if __name__ == "__main__":
    main()
