"""Options of the discriminative objectives (nnet3/discriminative-training.h, DiscriminativeOptions)."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.integer_sets import split_integers

CRITERIA = ("mmi", "mpfe", "smbr")


@dataclass
class LatticeOptions:
    """What an objective on lattices can be told, whichever it is."""

    acoustic_scale: float = option(0.1, "Scaling factor of acoustic likelihoods, the one that lattices were cut with")
    drop_frames: bool = option(
        False, "For MMI, leave out frames in which no path of the lattice has the alignment's pdf"
    )
    boost: float = option(0.0, "For MMI, paths are as much likelier for each frame of a wrong phone: boosted MMI (0.1)")
    one_silence_class: bool = option(
        False, "For MPFE and sMBR, silence in place of silence is right, which tends to reduce insertions"
    )
    silence_phones: str = option("", "Colon-separated list of integer ids of silence phones, e.g. 1:2:3")
    l2_regularize: float = option(0.0, "L2 regularization of the network's output")
    xent_regularize: float = option(0.0, "Weight of the cross-entropy of the output 'output-xent', a log-softmax")

    def silence(self) -> list[int]:
        """The phones. Raises KaldiError for what is no list of integers."""
        return split_integers(self.silence_phones, "--silence-phones")


@dataclass
class DiscriminativeOptions(LatticeOptions):
    """What programs that compute the objective take; also to be made by hand."""

    criterion: str = option("smbr", "mmi, mpfe or smbr: the objective, for which the examples should have been made")

    def check(self) -> None:
        """Raises KaldiError for values that make no sense."""
        if self.criterion not in CRITERIA:
            raise KaldiError(f"--criterion={self.criterion} must be one of {', '.join(CRITERIA)}")
        self.silence()


@dataclass
class AccumulationOptions(DiscriminativeOptions):
    """Averages for who looks for errors."""

    accumulate_gradients: bool = option(False, "Print the average derivative of each pdf's output (with --num-pdfs)")
    accumulate_output: bool = option(
        False, "Print the average of each pdf's output, as probabilities (with --num-pdfs)"
    )
    num_pdfs: int = option(0, "Number of pdfs, for these two")
