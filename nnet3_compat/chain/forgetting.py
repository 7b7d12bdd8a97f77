"""Learning without forgetting: an older network's posteriors as further targets (arXiv 2110.07055).

They stand among the inputs of an example, rows as an input has them: all frames of one sequence, then of the next.
The derivative gets ``--lwf-scale`` or ``--lwf-den-scale`` times the posteriors; for the latter, the denominator's
derivative counts so much more in flat-start examples. The network's output must then be log-probabilities
(nnet3/nnet-chain-training.cc).
"""

from __future__ import annotations

import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.chain_examples import ChainExample
from kaldi_bridge.io.sparse import to_dense

POSTERIORS = "__LWF-posteriors"


def older_posteriors(example: ChainExample, output: Tensor) -> Tensor | None:
    """[rows, pdfs] in the order of the output's rows: all sequences of the first frame, then of the second.

    None where the example has none. Raises KaldiError where they do not fit the ``output`` [rows, pdfs], or the example
    has several outputs.
    """
    part = next((part for part in example.inputs if part.name == POSTERIORS), None)
    if part is None:
        return None
    matrix = torch.from_numpy(to_dense(part.features)).to(output)
    if len(example.outputs) != 1 or matrix.shape != output.shape:
        raise KaldiError(
            f"{POSTERIORS} {tuple(matrix.shape)} of an example do not fit its one output {tuple(output.shape)}"
        )
    sequences = example.outputs[0].supervision.num_sequences
    return matrix.view(sequences, -1, matrix.shape[1]).transpose(0, 1).reshape(matrix.shape)
