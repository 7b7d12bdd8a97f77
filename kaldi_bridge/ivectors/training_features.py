"""The features that an extractor is trained on, of a data directory: normalized online, spliced, transformed, thinned.

What apply-cmvn-online, splice-feats, transform-feats and subsample-feats do in Kaldi's steps/online/nnet2.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.features.online_splicing import SpliceOptions
from kaldi_bridge.features.splicing import splice
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, TOKEN_VECTOR
from kaldi_bridge.transforms.cmvn import parse_skip_dims
from kaldi_bridge.transforms.global_cmvn import read_global_stats
from kaldi_bridge.transforms.linear import transform
from kaldi_bridge.transforms.online_cmvn import OnlineCmvn, OnlineCmvnOptions


class TrainingFeatures:
    """Goes through a data directory's features again and again.

    ``matrix``: the transform of spliced features; may be set later than the others. ``global_stats``: [2, dim + 1].
    """

    def __init__(self, data: str, cmvn: OnlineCmvnOptions, splicing: SpliceOptions) -> None:
        """Raises KaldiError when a file is missing: feats.scp, spk2utt, cmvn.scp."""
        for name in ("feats.scp", "spk2utt", "cmvn.scp"):
            if not (Path(data) / name).is_file():
                raise KaldiError(f"no such file {data}/{name}")
        self._data, self._cmvn, self._splicing = data, cmvn, splicing
        self.global_stats = read_global_stats(data)
        self.matrix: np.ndarray | None = None

    def spliced_sample(self, most: int, subsample: int) -> Iterator[tuple[str, np.ndarray]]:
        """Of at most so many utterances, spread evenly: normalized each by itself and spliced, not transformed."""
        with SequentialReader(f"ark:{self._data}/utt2spk", TOKEN_VECTOR) as table:
            keys = [key for key, _ in table]
        chosen = {keys[i * len(keys) // most] for i in range(most)} if most < len(keys) else set(keys)
        with SequentialReader(f"scp:{self._data}/feats.scp", FLOAT_MATRIX) as reader:
            for key, feats in reader:
                if key in chosen and len(feats):
                    yield key, self._spliced(self._normalizer()(feats))[::subsample]

    def normalized(self, subsample: int = 1) -> Iterator[tuple[str, np.ndarray]]:
        """(utterance, features [frames, dim]), as the background model has them."""
        for key, normalized, _ in self.pairs(subsample):
            yield key, normalized

    def pairs(self, subsample: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """(utterance, normalized features, others); speaker by speaker, as normalization knows earlier utterances.

        Those that have no frames are left out with a warning.
        """
        with (
            SequentialReader(f"ark:{self._data}/spk2utt", TOKEN_VECTOR) as speakers,
            RandomAccessReader(f"scp:{self._data}/feats.scp", FLOAT_MATRIX) as table,
        ):
            for _, utterances in speakers:
                normalizer = self._normalizer()
                for key in utterances:
                    feats = table.get(key)
                    if feats is None or not len(feats):
                        log.warning(f"No features for utterance {key}")
                        continue
                    with within(f"utterance {key}"):
                        normalized = self._transformed(normalizer(feats))[::subsample]
                        yield key, normalized, self._transformed(feats)[::subsample]

    def _normalizer(self) -> OnlineCmvn:
        return OnlineCmvn(self._cmvn, self.global_stats, parse_skip_dims(self._cmvn.skip_dims))

    def _spliced(self, feats: np.ndarray) -> np.ndarray:
        return splice(feats, self._splicing.left_context, self._splicing.right_context)

    def _transformed(self, feats: np.ndarray) -> np.ndarray:
        assert self.matrix is not None
        return transform(self._spliced(feats), self.matrix)
