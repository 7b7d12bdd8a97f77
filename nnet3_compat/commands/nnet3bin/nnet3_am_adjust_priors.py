"""nnet-pytorch-am-adjust-priors: twin of nnet3-am-adjust-priors."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, without_effect
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.matrix_io import read_vector
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.options import OutputOptions
from nnet3_compat.model.model_file import read_model, write_model
from nnet3_compat.model.priors import priors_from_counts, report_change

USAGE = """Set the priors of a model to its average posteriors on typical data.
Usage: nnet-pytorch-am-adjust-priors [options] <model-in> <summed-posterior-vector-in> <model-out>
e.g.: nnet-pytorch-am-adjust-priors final.mdl counts.vec final.mdl"""


@dataclass
class Options(OutputOptions):
    """Options of nnet3-am-adjust-priors."""

    prior_floor: float = without_effect(1e-15, "As in Kaldi: the posteriors become the priors as they are")


def am_adjust_priors(options: Options, model_in: str, posteriors_in: str, model_out: str) -> int:
    model = read_model(model_in)
    with open_input(posteriors_in) as stream:
        posteriors = read_vector(stream, read_header(stream))
    priors = priors_from_counts(posteriors)
    report_change(model.priors, priors)
    model.set_priors(priors)
    write_model(model_out, model, options.binary)
    log.info(f"Modified priors of neural network model and wrote it to {model_out}")
    return 0


main = command(am_adjust_priors, usage=USAGE)

if __name__ == "__main__":
    main()
