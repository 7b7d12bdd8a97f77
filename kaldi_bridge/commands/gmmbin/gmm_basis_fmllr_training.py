"""nnet-pytorch-gmm-basis-fmllr-training: twin of gmm-basis-fmllr-training."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.transforms.basis_fmllr import Basis, read_sum, second_derivative

USAGE = """Estimate a basis of fMLLR transforms, from statistics of nnet-pytorch-gmm-basis-fmllr-accs.
Usage: nnet-pytorch-gmm-basis-fmllr-training [options] <model-in> <basis-wxfilename> <accs-in1> <accs-in2> ...
e.g.: nnet-pytorch-gmm-basis-fmllr-training 1.mdl 1.basis 1.acc 2.acc"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-basis-fmllr-training."""


def gmm_basis_fmllr_training(options: Options, model_in: str, basis_out: str, first: str, *others: str) -> None:
    mixtures = AcousticModel.read(model_in).mixtures
    scatter = read_sum([first, *others], mixtures.dim)
    weights = mixtures.weights.astype(float)
    expected = second_derivative(weights, mixtures.means, mixtures.variances, mixtures.num_pdfs)
    basis = Basis.estimate(scatter, expected)
    basis.write(basis_out, options.binary)
    log.info(f"Summed {1 + len(others)} gradient scatter stats")
    log.info(f"Generate {len(basis.matrices)} bases, written to {basis_out}")


main = command(gmm_basis_fmllr_training, usage=USAGE)

if __name__ == "__main__":
    main()
