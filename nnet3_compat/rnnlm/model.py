"""A recurrent language model on file: a raw network and a matrix of word embeddings (scripts/rnnlm/train_rnnlm.sh).

The network reads the embedding of each word of a sentence, one a frame, ``<s>`` first. With what it puts out after
word i, the log-probability of word w to come next is the product of that and the embedding of w, up to a constant
that training holds near 0. The embeddings are the same on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.matrix_files import read_matrix_file
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.structure.context import compute_context, is_simple
from nnet3_compat.structure.nnet import Nnet


@dataclass(frozen=True)
class Rnnlm:
    """A network and the embeddings of words.

    Attributes:
        nnet: sees no frame but those from ``<s>`` to the present one.
        embedding: float32 [words, dim]; row 0 is that of ``<eps>``, which never occurs.
    Raises:
        KaldiError: they do not fit each other, or the network needs other frames.
    """

    nnet: Nnet
    embedding: np.ndarray

    def __post_init__(self) -> None:
        if not is_simple(self.nnet):
            raise KaldiError("a recurrent language model needs a network with one node 'input' and one 'output'")
        if compute_context(self.nnet) != (0, 0):
            raise KaldiError(
                "Non-zero left or right context: a recurrent language model may read earlier frames by IfDefined only"
            )
        for name, dim in (("input", self.nnet.input_dim()), ("output", self.nnet.output_dim())):
            if dim != self.embedding.shape[1]:
                raise KaldiError(
                    f"word embeddings of dimension {self.embedding.shape[1]} do not fit a network whose {name} "
                    f"has dimension {dim}"
                )
        if self.nnet.node("ivector") is not None:
            raise KaldiError("a recurrent language model takes no i-vectors: its network has a node 'ivector'")

    @property
    def num_words(self) -> int:
        """With ``<eps>``; also those that a word's number must be below."""
        return len(self.embedding)

    def check_word(self, word: int, option: str) -> None:
        """Raises KaldiError unless an option names a word that has an embedding."""
        if not 0 < word < self.num_words:
            raise KaldiError(f"{option}={word}: the words of the model are 1 to {self.num_words - 1}")


def read_rnnlm(nnet_rxfilename: str, embedding_rxfilename: str) -> Rnnlm:
    """From final.raw and word_embedding.mat. Raises KaldiError."""
    return Rnnlm(read_nnet(nnet_rxfilename), read_matrix_file(embedding_rxfilename))
