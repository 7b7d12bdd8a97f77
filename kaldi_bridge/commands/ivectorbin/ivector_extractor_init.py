"""nnet-pytorch-ivector-extractor-init: twin of ivector-extractor-init."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.gmm.full_model import read_full_mixture
from kaldi_bridge.ivectors.model import ExtractorModel, write_model
from kaldi_bridge.options import OutputOptions

USAGE = """Initialize an i-vector extractor from a mixture of Gaussians with full covariances.
Usage: nnet-pytorch-ivector-extractor-init [options] <fgmm-in> <ivector-extractor-out>
e.g.: nnet-pytorch-ivector-extractor-init 4.fgmm 0.ie"""


@dataclass
class Options(OutputOptions):
    """Options of ivector-extractor-init."""

    ivector_dim: int = option(400, "Dimension of iVector")
    use_weights: bool = option(True, "If true, regress the log-weights on the iVector")
    num_iters: int = without_effect(2, "Kaldi's program does not use it either")


def ivector_extractor_init(options: Options, fgmm_in: str, extractor_out: str) -> None:
    mixture = read_full_mixture(fgmm_in)
    model = ExtractorModel.initial(mixture, options.ivector_dim, options.use_weights, CRandom(1))
    write_model(extractor_out, model, options.binary)
    log.info(f"Initialized iVector extractor with iVector dimension {model.dim} and wrote it to {extractor_out}")


main = command(ivector_extractor_init, usage=USAGE)

if __name__ == "__main__":
    main()
