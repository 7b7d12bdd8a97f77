"""The i-vectors of utterances while their features come in (online2/online-ivector-feature.cc).

Features, spliced and transformed by LDA, are the extractor's; the same, but normalized with what was heard before, say
to which Gaussians of the UBM they belong.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.online_splicing import OnlineSplicing
from kaldi_bridge.gmm.pruned_posteriors import pruned_posteriors
from kaldi_bridge.ivectors.estimation import IvectorStatistics
from kaldi_bridge.ivectors.options import IvectorSetup
from kaldi_bridge.transforms.cmvn import parse_skip_dims
from kaldi_bridge.transforms.online_cmvn import OnlineCmvn

_AHEAD = 1000  # frames whose Gaussians are found at once


class IvectorSpeaker:
    """What is known of a speaker from earlier utterances."""

    def __init__(self, setup: IvectorSetup) -> None:
        options = setup.cmvn_options
        self.cmvn = OnlineCmvn(options, setup.global_stats, parse_skip_dims(options.skip_dims))
        self.statistics = IvectorStatistics(setup.extractor.dim, setup.extractor.prior_offset, setup.options.max_count)


class OnlineIvectors:
    """One utterance of a speaker; at its end, ``end`` leaves what was learnt with the speaker.

    Attributes:
        num_ready: frames for which there can be i-vectors: splicing waits for frames to the right.
        log_likelihood: of the UBM, summed over frames times their weights.
    """

    def __init__(self, setup: IvectorSetup, speaker: IvectorSpeaker) -> None:
        self._setup, self._speaker = setup, speaker
        self._raw = OnlineSplicing(setup.splice_options, setup.lda)
        self._normalized = OnlineSplicing(setup.splice_options, setup.lda)
        # Frames that may still be counted, from number `_first` on.
        self._feats: list[np.ndarray] = []
        self._normalized_feats: list[np.ndarray] = []
        self._first = self._counted = 0  # frames before this one are in the statistics
        self._changes: list[tuple[int, float]] | None = None  # a heap; None: all frames weigh 1
        self._found: tuple[np.ndarray, ...] = (np.zeros(0),)  # what _of has of frames from this one on
        self._found_first = 0
        self._current = speaker.statistics.default()
        self._history: deque[np.ndarray] = deque()  # i-vectors of periods, from the one asked for last on
        self._period = 0  # of the first of these
        self.log_likelihood = 0.0

    @property
    def num_ready(self) -> int:
        return self._first + len(self._feats)

    def extend(self, feats: np.ndarray, last: bool) -> None:
        """Takes the utterance's next features [frames, dim]. Raises KaldiError for another dimension."""
        normalized = self._speaker.cmvn.extend(feats)
        self._feats.extend(self._raw.extend(feats, last))
        self._normalized_feats.extend(self._normalized.extend(normalized, last))

    def weigh(self, changes: Iterable[tuple[int, float]]) -> None:
        """Adds to the weights of frames, which are 0 at first once this has been called; as each frame's turn comes.

        To be called before the first i-vector, or never.
        """
        if self._changes is None:
            if self._counted:
                raise KaldiError("frames were counted before their weights came")
            self._changes = []
        for change in changes:
            heapq.heappush(self._changes, change)

    def at(self, frame: int) -> np.ndarray:
        """The i-vector for a frame that is ready, less the prior's mean, float32 [dim]. Frames in increasing order."""
        options = self._setup.options
        self._count_until(self.num_ready - 1 if options.greedy_ivector_extractor else frame)
        ivector = self._current
        if not options.use_most_recent_ivector:
            while self._period < frame // options.ivector_period:
                self._history.popleft()
                self._period += 1
            ivector = self._history[0]
        return (ivector - self._speaker.statistics.default()).astype(np.float32)

    def improvement(self) -> float:
        """Of the log-likelihood per frame, by the newest i-vector instead of the default one."""
        return self._speaker.statistics.improvement(self._current)

    def log_likelihood_per_frame(self) -> float:
        """Of the UBM, over all frames that the speaker's statistics count."""
        count = self._speaker.statistics.count / self._setup.options.posterior_scale
        return self.log_likelihood / count if count else 0.0

    def end(self) -> None:
        """Limits the speaker's statistics to the frames that are to be remembered."""
        options = self._setup.options
        self._speaker.cmvn.end()
        self._speaker.cmvn.limit(options.max_remembered_frames)
        self._speaker.statistics.limit(options.max_remembered_frames * options.posterior_scale)

    def _count_until(self, last: int) -> None:
        options, waiting = self._setup.options, []
        for t in range(self._counted, last + 1):
            if self._changes is None:
                waiting.append((t, 1.0))
            else:
                while self._changes and self._changes[0][0] <= t:
                    waiting.append(heapq.heappop(self._changes))
            due = t == last if options.use_most_recent_ivector else t % options.ivector_period == 0
            if due:
                self._count(waiting)
                waiting = []
                self._current = self._speaker.statistics.ivector(self._current)
                if not options.use_most_recent_ivector:
                    self._history.append(self._current)
        self._counted = max(self._counted, last + 1)
        self._count(waiting)
        done = self._counted - self._first
        if self._changes is None and 2 * done >= len(self._feats):  # each frame is counted once; half of them at a time
            del self._feats[:done], self._normalized_feats[:done]
            self._first = self._counted

    def _count(self, changes: list[tuple[int, float]]) -> None:
        total: dict[int, float] = {}
        for frame, change in changes:
            total[frame] = total.get(frame, 0.0) + change
        frames = [frame for frame, weight in sorted(total.items()) if weight != 0]
        if not frames:
            return
        weights = np.array([total[frame] for frame in frames], np.float32)
        feats, posteriors, likelihoods = self._ahead(frames) if self._changes is None else self._of(frames, weights)
        self.log_likelihood += float(weights @ likelihoods)
        self._speaker.statistics.accumulate(self._setup.extractor, feats, posteriors)

    def _ahead(self, frames: list[int]) -> tuple[np.ndarray, ...]:
        """As ``_of``, of frames that weigh 1 and follow each other; those that come next are computed with them."""
        if frames[-1] >= self._found_first + len(self._found[0]):
            end = max(frames[-1] + 1, min(self.num_ready, frames[0] + _AHEAD))
            self._found = self._of(range(frames[0], end), np.ones(end - frames[0], np.float32))
            self._found_first = frames[0]
        part = slice(frames[0] - self._found_first, frames[-1] + 1 - self._found_first)
        return tuple(array[part] for array in self._found)

    def _of(self, frames: Sequence[int], weights: np.ndarray) -> tuple[np.ndarray, ...]:
        """Features for the extractor, weights of the Gaussians, and log-likelihoods, of some frames."""
        setup, options = self._setup, self._setup.options
        normalized = np.stack([self._normalized_feats[frame - self._first] for frame in frames])
        scores = setup.ubm.gaussian_log_likelihoods(normalized, slice(None)).T
        least = np.minimum(options.min_post / np.abs(weights), 0.99)
        posteriors, likelihoods = pruned_posteriors(scores, options.num_gselect, least)
        posteriors *= (options.posterior_scale * weights)[:, np.newaxis]
        feats = normalized
        if not options.online_cmvn_iextractor:
            feats = np.stack([self._feats[frame - self._first] for frame in frames])
        return feats, posteriors, likelihoods
