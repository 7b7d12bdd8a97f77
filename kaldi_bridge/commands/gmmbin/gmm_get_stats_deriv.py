"""nnet-pytorch-gmm-get-stats-deriv: twin of gmm-get-stats-deriv."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.rescaling import RescalingOptions, statistics_derivative
from kaldi_bridge.gmm.statistics import sum_files
from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.options import OutputOptions

USAGE = """Compute the derivative of a discriminative objective by the statistics that a model is estimated from by
maximum likelihood, for the indirect differential of fMPE training.
Usage: nnet-pytorch-gmm-get-stats-deriv [options] <model-in> <num-stats-in> <den-stats-in> <ml-stats-in> <deriv-out>
e.g.: nnet-pytorch-gmm-get-stats-deriv 1.mdl num.acc den.acc num.acc 1.deriv"""


@dataclass
class Options(RescalingOptions, OutputOptions):
    """Options of gmm-get-stats-deriv."""


def gmm_get_stats_deriv(
    options: Options, model_in: str, num_in: str, den_in: str, likelihood_in: str, deriv_out: str
) -> None:
    model = AcousticModel.read(model_in)
    numerator, denominator, likelihood = (sum_files([name]) for name in (num_in, den_in, likelihood_in))
    derivative = statistics_derivative(model.mixtures, numerator, denominator, likelihood, options)
    with open_output(deriv_out) as stream:
        write_header(stream, options.binary)
        derivative.write_mixtures(stream, options.binary)
    log.info(f"Computed model derivative and wrote it to {deriv_out}")


main = command(gmm_get_stats_deriv, usage=USAGE)

if __name__ == "__main__":
    main()
