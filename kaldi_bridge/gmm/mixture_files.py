"""Files that hold one mixture alone, such as a universal background model (final.dubm)."""

from __future__ import annotations

from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.streams import open_input, open_output


def read_mixture(rxfilename: str) -> Mixtures:
    """One mixture of Gaussians with diagonal covariances. Raises KaldiError."""
    with open_input(rxfilename) as stream:
        return Mixtures.read_single(stream, read_header(stream))


def write_mixture(wxfilename: str, mixture: Mixtures, binary: bool = True) -> None:
    """A mixture of diagonal Gaussians, a file by itself."""
    with open_output(wxfilename) as stream:
        write_header(stream, binary)
        mixture.write_single(stream, binary)
