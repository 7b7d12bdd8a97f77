"""Mean and variance normalization that has heard only what came before (feat/online-feature.cc, OnlineCmvn)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.transforms.cmvn import VARIANCE_FLOOR, fake_some_dims


@dataclass
class OnlineCmvnOptions:
    """Kaldi's online CMVN options."""

    cmn_window: int = option(600, "Number of frames of sliding context for normalization")
    speaker_frames: int = option(600, "Number of frames of the speaker's earlier utterances to use")
    global_frames: int = option(200, "Number of frames of global statistics to use for a speaker's first utterance")
    norm_means: bool = option(True, "Normalize means; false leaves the features as they are")
    norm_vars: bool = option(False, "Normalize variances too")
    skip_dims: str = option("", "Dimensions to leave alone: colon-separated integers, e.g. 13:14:15")

    def check(self) -> None:
        """Raises KaldiError for values that make no sense."""
        if not 0 <= self.global_frames <= self.speaker_frames <= self.cmn_window or self.cmn_window < 1:
            raise KaldiError("--global-frames, --speaker-frames and --cmn-window must be in ascending order")
        if self.norm_vars and not self.norm_means:
            raise KaldiError("You cannot normalize the variance but not the mean.")


class OnlineCmvn:
    """Normalizes the utterances of one speaker, one after the other.

    A frame's statistics are those of the last ``cmn_window`` frames of its utterance, itself included; where there are
    fewer, statistics of the speaker's earlier utterances fill up, then global ones, scaled down to the frames wanted.

        normalized = cmvn(feats)                             # a whole utterance
        normalized = cmvn.extend(part), ...; cmvn.end()      # one that comes in parts
    """

    def __init__(self, options: OnlineCmvnOptions, global_stats: np.ndarray, skip_dims: list[int]) -> None:
        """``global_stats`` [2, dim + 1] are needed. Raises KaldiError where they or the options make no sense."""
        options.check()
        if not global_stats[0, -1] > 0:
            raise KaldiError("Global CMN stats are required")
        self._options, self._skip_dims = options, skip_dims
        orders = 2 if options.norm_vars else 1  # squares are only summed where variances are wanted
        self._global = global_stats[:orders].astype(np.float64)
        self._speaker = np.zeros_like(self._global)
        self._start()

    def _start(self) -> None:
        self._latest: np.ndarray | None = None  # of the last frame
        self._frozen: np.ndarray | None = None
        self._sums = np.zeros((1, *self._global.shape))  # over the utterance, up to each of the last frames

    def __call__(self, feats: np.ndarray) -> np.ndarray:
        """The utterance's features [frames, dim], normalized. Raises KaldiError for another dimension."""
        normalized = self.extend(feats)
        self.end()
        return normalized

    def extend(self, feats: np.ndarray) -> np.ndarray:
        """The utterance's next features [frames, dim], normalized. Raises KaldiError for another dimension."""
        if feats.shape[1] != self._global.shape[1] - 1:
            raise KaldiError(f"features of dimension {feats.shape[1]}, statistics of {self._global.shape[1] - 1}")
        stats = self._stats(feats)
        if len(stats):
            self._latest = stats[-1:]
        return self._normalized(feats, stats if self._frozen is None else self._frozen)

    def freeze(self) -> None:
        """Normalizes what follows by the statistics of the last frame, until the utterance is over."""
        self._frozen = self._latest

    def normalized_as_frozen(self, feats: np.ndarray) -> np.ndarray:
        """Features [frames, dim] normalized by the statistics that were frozen, as they are where none were."""
        return feats if self._frozen is None else self._normalized(feats, self._frozen)

    def _normalized(self, feats: np.ndarray, stats: np.ndarray) -> np.ndarray:
        """``stats``: [frames, orders, dim + 1], or [1, orders, dim + 1] for all frames."""
        if not self._options.norm_means:
            return feats
        mean = stats[:, 0, :-1] / stats[:, 0, -1:]
        if not self._options.norm_vars:
            return feats - mean.astype(np.float32)
        scale = 1 / np.sqrt(np.maximum(stats[:, 1, :-1] / stats[:, 0, -1:] - mean**2, VARIANCE_FLOOR))
        return feats * scale.astype(np.float32) - (mean * scale).astype(np.float32)

    def end(self) -> None:
        """The utterance is over: it counts among the speaker's earlier ones now."""
        self._speaker += self._sums[-1]
        self._start()

    def limit(self, frames: float) -> None:
        """Lets the speaker's earlier utterances count as so many frames at most."""
        if self._speaker[0, -1] > frames:
            self._speaker *= frames / self._speaker[0, -1]

    def _stats(self, feats: np.ndarray) -> np.ndarray:
        """[frames, orders, dim + 1]."""
        window, frames, known = self._options.cmn_window, len(feats), len(self._sums) - 1
        rows = np.zeros((frames, *self._global.shape))
        rows[:, 0, :-1], rows[:, 0, -1] = feats, 1.0
        if self._options.norm_vars:
            np.square(rows[:, 0, :-1], out=rows[:, 1, :-1])
        np.cumsum(rows, axis=0, out=rows)
        rows += self._sums[-1]
        sums = np.concatenate([self._sums, rows])
        stats = sums[known + 1 :] - sums[np.maximum(np.arange(known + 1, known + frames + 1) - window, 0)]
        self._sums = sums[-window - 1 :]
        for source, most in (
            (self._speaker, min(self._options.speaker_frames, self._speaker[0, -1])),
            (self._global, self._options.global_frames),
        ):
            wanted = np.minimum(window - stats[:, 0, -1], most)
            if source[0, -1] > 0:
                few = slice(np.count_nonzero(wanted > 0))  # frames: the first ones, since those after have more
                stats[few] += wanted[few, np.newaxis, np.newaxis] / source[0, -1] * source
        if self._skip_dims:
            stats = np.stack([fake_some_dims(frame, self._skip_dims) for frame in stats])
        return stats
