"""Files with the number of frames of each pdf (.occs)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.matrix_io import read_vector, write_vector
from kaldi_bridge.io.streams import open_input, open_output


def read_occupancy(rxfilename: str) -> np.ndarray:
    """float32 [pdfs]."""
    with open_input(rxfilename) as stream:
        return read_vector(stream, read_header(stream))


def write_occupancy(wxfilename: str, occupancy: np.ndarray, binary: bool) -> None:
    """How many frames each pdf has, a float32 vector [pdfs]."""
    with open_output(wxfilename) as stream:
        write_header(stream, binary)
        write_vector(stream, binary, occupancy.astype(np.float32))
