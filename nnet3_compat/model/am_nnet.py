"""An acoustic model as recipes keep it: transition model, network, contexts and priors (nnet3/am-nnet-simple.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.matrix_io import read_vector, write_vector
from nnet3_compat.structure.context import compute_context
from nnet3_compat.structure.nnet import Nnet

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream


class AmNnet:
    """``priors``: float32 [pdfs], empty when there are none. Contexts are the network's, in frames."""

    def __init__(self, transition_model: TransitionModel, nnet: Nnet, priors: np.ndarray | None = None) -> None:
        self.transition_model = transition_model
        self.left_context = self.right_context = 0
        self.priors = np.zeros(0, dtype=np.float32)
        self.set_nnet(nnet)
        if priors is not None:
            self.set_priors(priors)

    @property
    def num_pdfs(self) -> int:
        """Columns of the network's output."""
        return self.nnet.output_dim()

    def set_nnet(self, nnet: Nnet) -> None:
        """Replaces the network; priors of another dimension go, with a warning. KaldiError unless it is simple."""
        self.nnet = nnet
        self.left_context, self.right_context = compute_context(nnet)
        if self.priors.size and self.priors.size != self.num_pdfs:
            log.warning(
                "Removing priors since there is a dimension mismatch after changing the nnet: "
                f"{self.priors.size} vs. {self.num_pdfs}"
            )
            self.priors = np.zeros(0, dtype=np.float32)

    def set_priors(self, priors: np.ndarray) -> None:
        """Raises KaldiError when there are priors, but not as many as pdfs."""
        if priors.size not in (0, self.num_pdfs):
            raise KaldiError(f"there are {priors.size} priors, but the model expects {self.num_pdfs}")
        self.priors = priors.astype(np.float32)

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> AmNnet:
        """Reads a .mdl. The contexts in the file are not trusted but computed, as Kaldi does."""
        transition_model = TransitionModel.read(stream, binary)
        return cls.read_after_transition_model(transition_model, stream, binary)

    @classmethod
    def read_after_transition_model(
        cls, transition_model: TransitionModel, stream: InputStream, binary: bool
    ) -> AmNnet:
        """The rest of a ``.mdl``. Raises KaldiError when the stream holds none."""
        nnet = Nnet.read(stream, binary)
        for token in ("<LeftContext>", "<RightContext>"):
            basic_io.expect_token(stream, binary, token)
            basic_io.read_int32(stream, binary)
        basic_io.expect_token(stream, binary, "<Priors>")
        try:
            return cls(transition_model, nnet, read_vector(stream, binary))
        except KaldiError as error:
            raise KaldiError(f"{stream.name}: {error}") from None

    def write(self, stream: OutputStream, binary: bool, precision: str = "float32") -> None:
        """A ``.mdl``, without its header; ``precision``: see Nnet.write."""
        self.transition_model.write(stream, binary)
        self.nnet.write(stream, binary, precision)
        basic_io.write_token(stream, binary, "<LeftContext>")
        basic_io.write_int32(stream, binary, self.left_context)
        basic_io.write_token(stream, binary, "<RightContext>")
        basic_io.write_int32(stream, binary, self.right_context)
        basic_io.write_token(stream, binary, "<Priors>")
        write_vector(stream, binary, self.priors)
