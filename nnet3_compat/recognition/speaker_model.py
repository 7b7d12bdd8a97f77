"""Vosk's models of speakers: x-vectors, whitened (vosk-api's spk_model.cc; vosk-model-spk-0.4).

mfcc.conf, final.ext.raw       features and the network
mean.vec, transform.mat        what is subtracted from its outputs, and what they are multiplied by then
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import MfccOptions
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.matrix_io import read_matrix, read_vector
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.options import read_options
from kaldi_bridge.transforms.sliding_cmvn import SlidingCmvnOptions, sliding_cmvn
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.recognition.model_folder import require

LEAST_FRAMES = 50
NORMALIZATION = SlidingCmvnOptions(cmn_window=300, center=True)


class SpeakerModel:
    """Read once, for any number of recognizers.

    Attributes:
        extractor: of its features.
    Raises:
        KaldiError: files are missing, cannot be read or do not fit together.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        from nnet3_compat.utterances.embedding import Embedder  # torch, which recognition may do without

        folder = Path(path)
        files = {name: folder / name for name in ("mfcc.conf", "final.ext.raw", "mean.vec", "transform.mat")}
        require(folder, *files.values())
        options = read_options(str(files["mfcc.conf"]), MfccOptions)
        options.allow_downsample = options.allow_upsample = True
        self.extractor = FeatureExtractor(options)
        self._embedder = Embedder(read_nnet(str(files["final.ext.raw"])))
        with open_input(str(files["mean.vec"])) as stream:
            self._mean = read_vector(stream, read_header(stream))
        with open_input(str(files["transform.mat"])) as stream:
            self._transform = read_matrix(stream, read_header(stream))
        if self._embedder.input_dim != self.extractor.dim:
            raise KaldiError(
                f"{folder}: features of dimension {self.extractor.dim} are configured, the network takes "
                f"{self._embedder.input_dim}"
            )
        if not self._embedder.dim == len(self._mean) == self._transform.shape[1]:
            raise KaldiError(
                f"{folder}: the network makes vectors of dimension {self._embedder.dim}, the mean is of "
                f"{len(self._mean)}, the transform for {self._transform.shape[1]}"
            )

    def vector(self, features: np.ndarray) -> np.ndarray | None:
        """Of someone's speech, without silence: [frames, dim] -> float32 [rows of the transform], of length sqrt(rows).

        None where there are too few frames.
        """
        if len(features) < LEAST_FRAMES:
            return None
        vector = self._transform @ (self._embedder(sliding_cmvn(features, NORMALIZATION)) - self._mean)
        length = np.linalg.norm(vector)
        scaled: np.ndarray = vector * np.float32(np.sqrt(len(vector)) / length) if length else vector
        return scaled


class SpeakerStream:
    """The features of a stream's speaker, segment by segment."""

    def __init__(self, model: SpeakerModel, sample_frequency: float) -> None:
        self._model, self._stream = model, model.extractor.stream(sample_frequency)
        self._features = np.zeros((0, model.extractor.dim), np.float32)  # from `_first` on
        self._first = 0

    def hear(self, samples: np.ndarray) -> None:
        """Takes the next samples."""
        self._features = np.concatenate([self._features, self._stream.extend(samples, last=False)])

    def forget(self, first: int) -> None:
        """The frames before ``first`` are not asked for any more."""
        self._features, self._first = self._features[max(0, first - self._first) :], max(first, self._first)

    def vector(self, frames: np.ndarray) -> tuple[np.ndarray | None, int]:
        """The speaker's vector by these frames, int [frames] in increasing order, and how many of them there are."""
        there = frames[frames < self._first + len(self._features)] - self._first
        return self._model.vector(self._features[there]), len(there)
