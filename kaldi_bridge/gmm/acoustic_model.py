"""A GMM acoustic model's file: the transition model, then the mixtures."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.streams import open_input, open_output


@dataclass
class AcousticModel:
    """What an HMM-GMM's ``.mdl`` holds: a transition model and the mixtures of its pdfs."""

    transitions: TransitionModel
    mixtures: Mixtures

    @classmethod
    def read(cls, rxfilename: str) -> AcousticModel:
        """Raises KaldiError for a model of another kind, or whose parts do not belong together."""
        with open_input(rxfilename) as stream:
            binary = basic_io.read_header(stream)
            transitions = TransitionModel.read(stream, binary)
            if basic_io.peek_token(stream, binary) != "D":
                raise KaldiError(f"{stream.name}: no GMM follows the transition model: is it a neural network's?")
            model = cls(transitions, Mixtures.read(stream, binary))
        if transitions.num_pdfs > model.mixtures.num_pdfs:
            raise KaldiError(
                f"{rxfilename}: transitions for {transitions.num_pdfs} pdfs, mixtures for {model.mixtures.num_pdfs}"
            )
        return model

    def write(self, wxfilename: str, binary: bool = True) -> None:
        """Writes the file, whole or not at all."""
        with open_output(wxfilename) as stream:
            basic_io.write_header(stream, binary)
            self.transitions.write(stream, binary)
            self.mixtures.write(stream, binary)
