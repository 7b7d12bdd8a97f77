"""A file of each utterance's features, in a format of another toolkit."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.streams import open_output_file
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX


def write_files(
    feats_rspecifier: str, directory: str, extension: str, write: Callable[[OutputStream, np.ndarray], None]
) -> int:
    """Writes ``directory/utterance.extension`` for each utterance; returns how many.

    Raises KaldiError where the directory is not there and cannot be made, or a file cannot be written.
    """
    if not os.path.exists(directory):
        try:
            os.mkdir(directory)
        except OSError as error:
            raise KaldiError(f"Could not create output directory: {directory} ({error.strerror})") from error
    done = 0
    with SequentialReader(feats_rspecifier, FLOAT_MATRIX) as reader:
        for utterance, feats in reader:
            with open_output_file(f"{directory}/{utterance}.{extension}") as stream:
                write(stream, feats)
            done += 1
    return done
