"""Features normalized as they would be online: by what was heard before, global statistics at first."""

from __future__ import annotations

import shlex

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.options import UsageError, options_of
from kaldi_bridge.transforms.cmvn import parse_skip_dims
from kaldi_bridge.transforms.online_cmvn import OnlineCmvn, OnlineCmvnOptions
from steps_pytorch.data.feature_sources import FeatureSource, clipped


class OnlineNormalized:
    """A FeatureSource whose features went through apply-cmvn-online, each utterance by itself, as by a recognizer that
    knows no speakers.

    Args:
        source: the features as they are.
        cmvn_opts: of apply-cmvn-online, "--cmn-window=600 --norm-vars=false" say.
        statistics: [2, dim + 1], of all training data (kaldi_bridge/transforms/cmvn.py).

    Raises:
        KaldiError: for options or statistics that make no sense.
    """

    def __init__(self, source: FeatureSource, cmvn_opts: str, statistics: np.ndarray) -> None:
        try:
            self._options = options_of(shlex.split(cmvn_opts), OnlineCmvnOptions)
        except UsageError as error:
            raise KaldiError(f"--cmvn-opts, of online normalization: {error}") from None
        self._source, self._statistics = source, statistics
        self._skip_dims = parse_skip_dims(self._options.skip_dims)
        self.lengths, self.dim, self.bad = source.lengths, source.dim, source.bad
        self._normalized(np.zeros((1, self.dim), np.float32))

    def frames(self, utterance: str, first: int, count: int, random: np.random.Generator | None) -> np.ndarray:
        start, read, places = clipped(first, count, self.lengths[utterance])
        begin = max(0, start - self._options.cmn_window)
        heard = self._source.frames(utterance, begin, start + read - begin, random)
        return self._normalized(heard)[start - begin :][places]

    def _normalized(self, features: np.ndarray) -> np.ndarray:
        return OnlineCmvn(self._options, self._statistics, self._skip_dims)(features)
