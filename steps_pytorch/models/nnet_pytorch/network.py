"""What the networks share: dimensions, and which frames of a chunk have outputs."""

from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from steps_pytorch.models.nnet_pytorch.configuration import Configuration, whole_number

State = dict[str, Tensor]


class Network(nn.Module):
    """Features [N, T, feature_dim] -> outputs [N, n, num_pdfs], and what the second branch sees of the same frames.

    T = left_context + n * factor + right_context. Parameters have the names that they have in nnet_pytorch.

    Attributes:
        feature_dim: 0 where any will do.
        factor: input frames per output frame.
        left_context, right_context: input frames around a chunk.
        mixes_sequences: outputs depend on the other sequences of the minibatch.
    """

    def __init__(self, configuration: Configuration, feature_dim: int, mixes_sequences: bool = False) -> None:
        super().__init__()
        c = configuration
        self.feature_dim, self.num_pdfs, self.factor = feature_dim, whole_number(c.values, "num_targets"), c.factor
        self.left_context, self.right_context = c.left_context, c.right_context
        self.mixes_sequences = mixes_sequences

    def of_chunk(self, hidden: Tensor) -> Tensor:
        """Of all frames, [N, T, H], those that have outputs."""
        return hidden[:, self.left_context : hidden.size(1) - self.right_context : self.factor]

    def second(self, seen: Tensor) -> Tensor:
        """The second branch: [N, n, H] -> logits [N, n, num_pdfs]."""
        raise NotImplementedError


def dim_of(state: State, name: str, axis: int) -> int:
    """A dimension of a parameter. Raises KaldiError where there is none, or not so many axes."""
    value = state.get(name)
    if value is None or value.dim() <= axis:
        raise KaldiError(f"its 'model' has no parameter {name} of {axis + 1} axes or more")
    return value.size(axis)
