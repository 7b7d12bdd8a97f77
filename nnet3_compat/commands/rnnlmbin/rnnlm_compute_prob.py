"""nnet-pytorch-rnnlm-compute-prob: twin of rnnlm-compute-prob."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option, write_stdout
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.matrix_files import read_matrix_file
from kaldi_bridge.rnnlm.examples import RNNLM_EXAMPLE
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.examples.programs import TestModeOptions, read_in_test_mode

USAGE = """Print the average log-probability per word, as training has it, of a recurrent language model on examples.
Usage: nnet-pytorch-rnnlm-compute-prob [options] <rnnlm> <word-embedding-matrix> <egs-rspecifier>
e.g.: nnet-pytorch-rnnlm-get-egs ... ark:- | nnet-pytorch-rnnlm-compute-prob 0.raw 0.word_embedding ark:-"""


@dataclass
class Options(TestModeOptions):
    """Options of rnnlm-compute-prob."""

    use_gpu: str = option("no", "yes|no|optional|wait: whether to compute on a CUDA device")


def compute_prob(options: Options, nnet_in: str, embedding_in: str, examples_rspecifier: str) -> None:
    from nnet3_compat.machine.device import select_device
    from nnet3_compat.rnnlm.evaluation import RnnlmEvaluation
    from nnet3_compat.rnnlm.model import Rnnlm

    rnnlm = Rnnlm(read_in_test_mode(nnet_in, options), read_matrix_file(embedding_in))
    evaluation = RnnlmEvaluation(rnnlm, select_device(options.use_gpu))
    with SequentialReader(examples_rspecifier, RNNLM_EXAMPLE) as examples:
        for _, example in examples:
            evaluation.add(example)
    if not evaluation.minibatches:
        raise KaldiError("Processed no data.")
    write_stdout(f"{evaluation.report():g}\n")


main = command(compute_prob, usage=USAGE)

if __name__ == "__main__":
    main()
