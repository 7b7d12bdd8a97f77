"""Frames that the best path so far takes for silence weigh less in i-vectors (OnlineSilenceWeighting)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.online.endpointing import phone_set

LOOK_BACK = 100  # frames of output before the newest ones whose weights may still change


@dataclass
class SilenceWeightingOptions:
    """Kaldi's OnlineSilenceWeightingConfig."""

    weighting_silence_phones: str = option(
        "",
        "Phones whose frames weigh --ivector-silence-weighting.silence-weight in i-vectors, colon-separated",
        name="ivector-silence-weighting.silence-phones",
    )
    weighting_silence_weight: float = option(
        1.0, "Weight of frames of silence in i-vectors", name="ivector-silence-weighting.silence-weight"
    )
    weighting_max_state_duration: float = option(
        -1.0,
        "If positive: a transition-id that lasts so many frames counts as silence",
        name="ivector-silence-weighting.max-state-duration",
    )

    @property
    def active(self) -> bool:
        return bool(self.weighting_silence_phones) and self.weighting_silence_weight != 1


class SilenceWeighting:
    """Follows the weights of one utterance's frames as its best path changes. Raises KaldiError for bad phones."""

    def __init__(self, options: SilenceWeightingOptions, model: TransitionModel, frame_subsampling_factor: int) -> None:
        self._options, self._factor = options, frame_subsampling_factor
        silence = phone_set(options.weighting_silence_phones, "ivector-silence-weighting.silence-phones")
        self._silent = np.isin(model.id_to_phone, list(silence))  # by transition-id
        self._weights: list[float] = []  # told so far, per frame of output
        self._steps = np.zeros((0, 2), np.int32)

    def changes(self, steps: np.ndarray, num_ready: int) -> list[tuple[int, float]]:
        """(frame of input, change of its weight) since the last call.

        Args:
            steps: int [frames, 2], of each frame of output that is decoded, the transition-id of the best path, and the
                state of the graph that it comes from.
            num_ready: frames of input for which there can be i-vectors. Those that are not decoded yet get the weight
                of the last one that is, or, where nothing is, that of silence.
        """
        alignment, factor = self._aligned(steps), self._factor
        ready = max(len(alignment), -(-num_ready // factor))
        begin = max(0, max(len(self._weights), len(alignment)) - LOOK_BACK)
        self._weights += [0.0] * (ready - len(self._weights))
        wanted = self._wanted(alignment[begin:])
        if not wanted:
            wanted = [self._weights[begin - 1] if begin else self._options.weighting_silence_weight]
        wanted += wanted[-1:] * (len(self._weights) - begin - len(wanted))
        changes = []
        for frame, weight in enumerate(wanted[: len(self._weights) - begin], begin):
            change = weight - self._weights[frame]
            self._weights[frame] = weight
            if change:
                changes += [(frame * factor + i, change) for i in range(factor)]
        return changes

    def _aligned(self, steps: np.ndarray) -> np.ndarray:
        """The transition-ids; from the last state that the path before came through too, backwards, those of that path.

        Which is as Kaldi does it: where paths part, it keeps the transition that the earlier one left the state by.
        """
        both = min(len(steps), len(self._steps))
        shared = np.flatnonzero(steps[:both, 1] == self._steps[:both, 1])
        same = int(shared[-1]) + 1 if len(shared) else 0
        self._steps = np.concatenate([self._steps[:same], steps[same:]])
        return self._steps[:, 0]

    def _wanted(self, alignment: np.ndarray) -> list[float]:
        low, longest = self._options.weighting_silence_weight, self._options.weighting_max_state_duration
        weights = np.where(self._silent[alignment], low, 1.0)
        if longest > 0:
            borders = np.flatnonzero(np.diff(alignment)) + 1
            for start, end in itertools.pairwise([0, *borders.tolist(), len(alignment)]):
                if end - start >= longest:
                    weights[start:end] = low
        made: list[float] = weights.tolist()
        return made
