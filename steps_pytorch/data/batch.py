"""A minibatch: chunks of equal width, what a data set gives and an objective takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from kaldi_bridge.examples.discriminative_supervision import DiscriminativeSupervision
from kaldi_bridge.examples.supervision import Supervision


@dataclass
class Batch:
    """Chunks of one data set.

    Attributes:
        features: [sequences, frames, dim], normalized, with the model's left and right context: for n output frames
            (n - 1) * frame_subsampling_factor + 1 + left_context + right_context frames, or more where a data set has
            more context than the model needs.
        num_outputs: output frames of each sequence.
        first_output: which of the model's outputs is the first of them, where the set has more left context.
        pdfs: int64 [sequences, num_outputs], a pdf for each output frame, -1 where none is known; None without.
        supervision: of all sequences, merged, for LF-MMI; None without.
        lattices: the same with lattices of what might have been said, for MMI, MPFE and sMBR; None without.
        ivectors: [sequences, dim] or None.
        dataset: which of several data sets it is from.
        chunks: the utterance and first frame (without context) of each sequence.
        deriv_weights: float32 [sequences, num_outputs], one over the number of chunks that have an output frame,
            so that where chunks overlap it counts once (nnet3/nnet-example-utils.cc, SetOutputWeights); None: all 1.
        weight: of its objective among the data sets'.
    """

    features: Tensor
    num_outputs: int
    pdfs: Tensor | None = None
    supervision: Supervision | None = None
    lattices: DiscriminativeSupervision | None = None
    ivectors: Tensor | None = None
    dataset: str = ""
    chunks: list[tuple[str, int]] = field(default_factory=list)
    deriv_weights: Tensor | None = None
    weight: float = 1.0
    first_output: int = 0

    @property
    def is_labeled(self) -> bool:
        return self.pdfs is not None or self.supervision is not None or self.lattices is not None

    @property
    def num_frames(self) -> int:
        """Output frames of all sequences."""
        return self.features.shape[0] * self.num_outputs

    def to(self, device: torch.device) -> Batch:
        """With its tensors on another device."""
        tensors = {name: getattr(self, name) for name in ("features", "pdfs", "ivectors", "deriv_weights")}
        moved = {name: tensor.to(device, non_blocking=True) for name, tensor in tensors.items() if tensor is not None}
        return replace(self, **moved)
