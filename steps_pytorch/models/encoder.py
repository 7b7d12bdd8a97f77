"""Models of one shape: an encoder of features, an output layer on it, and for LF-MMI a second one.

A new architecture is an ``Encoder``; what all models share (i-vectors, the branch for the cross-entropy regularizer,
export) is ``EncoderModel``. Modules that TorchScript is to read have annotations that are no strings.
"""

import copy

import numpy as np
from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.export.torchscript import wrap
from steps_pytorch.models.base import Model, ModelOutput
from steps_pytorch.registry import Dimensions


class Encoder(nn.Module):
    """Features [N, T, feature_dim] -> [N, n, output_dim], n = (T - 1 - left - right context) // factor + 1 frames.

    Attributes:
        output_dim: columns of the output.
        left_context, right_context: input frames before the first output frame's and after the last one's.
        frame_subsampling_factor: input frames per output frame.
        chunk_invariant: an output depends on nothing but the frames in its context.
    """

    output_dim: int
    left_context: int
    right_context: int
    frame_subsampling_factor: int
    chunk_invariant: bool


class EncoderModel(Model):
    """An encoder and its output layers. An i-vector is mapped to an offset of the features."""

    def __init__(self, encoder: Encoder, dimensions: Dimensions, prefinal_dim: int = 0) -> None:
        """``prefinal_dim``: of a layer before each output layer, 0 for none.

        Raises KaldiError where the encoder subsamples by another factor than the targets do.
        """
        super().__init__()
        factor = encoder.frame_subsampling_factor
        if factor != dimensions.frame_subsampling_factor:
            raise KaldiError(
                f"the model gives an output every {factor} frames, the targets are for every "
                f"{dimensions.frame_subsampling_factor}: choose other strides, or make targets for that factor"
            )
        self.feature_dim, self.num_pdfs = dimensions.feature_dim, dimensions.num_pdfs
        self.ivector_dim, self.frame_subsampling_factor = dimensions.ivector_dim, factor
        self.left_context, self.right_context = encoder.left_context, encoder.right_context
        self.speaker = nn.Linear(self.ivector_dim, self.feature_dim) if self.ivector_dim else None
        self.encoder = encoder
        self.output = _branch(encoder.output_dim, prefinal_dim, self.num_pdfs)
        self.xent = _branch(encoder.output_dim, prefinal_dim, self.num_pdfs) if dimensions.xent else None

    def forward(self, features: Tensor, ivectors: Tensor | None = None) -> ModelOutput:
        if self.speaker is not None:
            features = features + self.speaker(ivectors).unsqueeze(1)
        hidden = self.encoder(features)
        xent = self.xent(hidden).log_softmax(-1) if self.xent is not None and self.training else None
        return ModelOutput(self.output(hidden), xent)

    def to_archive(
        self, transition_model: TransitionModel | str | None = None, priors: np.ndarray | None = None
    ) -> TorchModel:
        """What decodes: the model in eval mode, without its second branch (docs/models.md); ``save`` writes it.

        Args:
            transition_model: Kaldi's, or the name of a ``.mdl`` to read it from; with it, ``save`` writes a ``.mdl``.
            priors: [num_pdfs], for those who divide by them.
        """
        return wrap(
            copy.deepcopy(_Decoded(self)),
            input_dim=self.feature_dim,
            output_dim=self.num_pdfs,
            ivector_dim=self.ivector_dim,
            left_context=self.left_context,
            right_context=self.right_context,
            frame_subsampling_factor=self.frame_subsampling_factor,
            chunk_invariant=self.encoder.chunk_invariant,
            transition_model=transition_model,
            priors=priors,
        )

    def write_mdl(self, wxfilename: str, transition_model: TransitionModel, priors: np.ndarray | None = None) -> None:
        self.to_archive(transition_model, priors).save(wxfilename)


class _Decoded(nn.Module):
    """The part of an EncoderModel that decoding uses, for TorchScript."""

    def __init__(self, model: EncoderModel) -> None:
        super().__init__()
        self.speaker, self.encoder, self.output = model.speaker, model.encoder, model.output

    def forward(self, features: Tensor, ivectors: Tensor | None = None) -> Tensor:
        if self.speaker is not None:
            assert ivectors is not None
            features = features + self.speaker(ivectors).unsqueeze(1)
        return self.output(self.encoder(features))


def _branch(dim: int, prefinal_dim: int, num_pdfs: int) -> nn.Module:
    if not prefinal_dim:
        return nn.Linear(dim, num_pdfs)
    prefinal = nn.Linear(dim, prefinal_dim)
    return nn.Sequential(prefinal, nn.ReLU(), nn.LayerNorm(prefinal_dim), nn.Linear(prefinal_dim, num_pdfs))
