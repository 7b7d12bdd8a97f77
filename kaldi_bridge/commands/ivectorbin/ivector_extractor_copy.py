"""nnet-pytorch-ivector-extractor-copy: twin of ivector-extractor-copy."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, without_effect
from kaldi_bridge.ivectors.model import read_model, write_model
from kaldi_bridge.options import OutputOptions

USAGE = """Copy an i-vector extractor, into text perhaps.
Usage: nnet-pytorch-ivector-extractor-copy [options] <ivector-extractor-in> <ivector-extractor-out>
e.g.: nnet-pytorch-ivector-extractor-copy --binary=false 0.ie 0_txt.ie"""
_WHY = "Kaldi's program does not use it either"


@dataclass
class Options(OutputOptions):
    """Options of ivector-extractor-copy."""

    ivector_dim: int = without_effect(400, _WHY)
    use_weights: bool = without_effect(True, _WHY)
    num_iters: int = without_effect(2, _WHY)


def ivector_extractor_copy(options: Options, extractor_in: str, extractor_out: str) -> None:
    write_model(extractor_out, read_model(extractor_in), options.binary)


main = command(ivector_extractor_copy, usage=USAGE)

if __name__ == "__main__":
    main()
