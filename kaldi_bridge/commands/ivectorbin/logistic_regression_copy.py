"""nnet-pytorch-logistic-regression-copy: twin of logistic-regression-copy."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.io.filenames import printable_output
from kaldi_bridge.io.matrix_files import read_vector_file
from kaldi_bridge.ivectors.logistic_regression import read_logistic_regression, write_logistic_regression
from kaldi_bridge.options import OutputOptions

USAGE = """Copy a model of logistic regression, and scale the prior probabilities of its classes if asked to.
Usage: nnet-pytorch-logistic-regression-copy [options] <model-in> <model-out>
e.g.: echo '[ 2.6 1.7 3.9 ]' | nnet-pytorch-logistic-regression-copy --scale-priors=- 1.model scaled.model"""


@dataclass
class Options(OutputOptions):
    """Options of logistic-regression-copy."""

    scale_priors: str = option("", "File with a vector of factors, one for each class, such as inverses of priors")


def logistic_regression_copy(options: Options, model_in: str, model_out: str) -> None:
    model = read_logistic_regression(model_in)
    if options.scale_priors:
        with within(options.scale_priors):
            model = model.with_priors_scaled(read_vector_file(options.scale_priors))
    write_logistic_regression(model_out, options.binary, model)
    log.info(f"Wrote model to {printable_output(model_out)}")


main = command(logistic_regression_copy, usage=USAGE)

if __name__ == "__main__":
    main()
