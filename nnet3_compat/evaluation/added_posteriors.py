"""Posteriors of a network put into chain examples, as targets of learning without forgetting (chain/forgetting.py)."""

from __future__ import annotations

import numpy as np
import torch

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.chain_examples import ChainExample
from kaldi_bridge.examples.frame_examples import NnetIo
from nnet3_compat.chain.denominator import denominator
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.forgetting import POSTERIORS
from nnet3_compat.chain.options import AddedPosteriorsOptions
from nnet3_compat.examples.batch import compute_outputs
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet

FRAME_STEP = 3  # that Kaldi writes, whatever the subsampling


class PosteriorAdder:
    """Adds posteriors to examples (chainbin/nnet3-chain-add-post-to-egs.cc).

    Components that the file does not put into test mode compute as in training. Raises KaldiError for a bad option.
    """

    def __init__(
        self,
        nnet: Nnet,
        graph: DenominatorGraph,
        options: AddedPosteriorsOptions,
        device: torch.device | None = None,
    ) -> None:
        if options.type not in ("raw", "den"):
            raise KaldiError(f"--type={options.type} must be raw or den")
        self._network = Network.from_nnet(nnet)
        self._network.to(device).train(True)
        self._graph, self._options, self._device = graph, options, device

    @torch.no_grad()
    def __call__(self, example: ChainExample) -> ChainExample:
        """With one input more. Raises KaldiError for an example that does not fit the network."""
        wanted = {part.name: part.indexes for part in example.outputs}
        if "output" not in wanted:
            raise KaldiError("the example has no output named 'output'")
        outputs = compute_outputs(self._network, example.network_inputs, wanted, self._device)
        posteriors = self._posteriors(example, outputs["output"]).cpu().numpy()
        indexes = np.zeros((len(posteriors), 3), np.int32)
        indexes[:, 1] = FRAME_STEP * np.arange(len(posteriors))
        return ChainExample([*example.inputs, NnetIo(POSTERIORS, indexes, posteriors)], example.outputs)

    def _posteriors(self, example: ChainExample, output: torch.Tensor) -> torch.Tensor:
        options = self._options
        if options.type == "raw":
            return output.exp() if options.apply_exp else output
        sequences = example.outputs[0].supervision.num_sequences
        scores = output.view(-1, sequences, output.shape[1])
        log_prob, posteriors = denominator(self._graph, scores, options.leaky_hmm_coefficient)
        if not torch.isfinite(log_prob):
            raise KaldiError("the denominator's probability is not finite")
        made = posteriors.reshape(output.shape)
        # abs() is that of integers in Kaldi's program: what is below 1 becomes zero whatever the threshold above 0
        return torch.where(made.trunc().abs() < options.clip_threshold, 0.0, made)
