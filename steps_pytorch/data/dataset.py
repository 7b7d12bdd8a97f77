"""A set of utterances: their features, and targets if they have any."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.supervision import Supervision
from steps_pytorch.data.feature_sources import FeatureSource
from steps_pytorch.data.ivectors import OnlineIvectors
from steps_pytorch.data.normalization import Normalizer
from steps_pytorch.data.targets import PdfTargets, SupervisionTargets

SHOWN = 10  # names of utterances in a warning about many


@dataclass(frozen=True)
class ChunkShape:
    """What a model wants to see: input frames of context before the first and after the last output frame."""

    left_context: int = 0
    right_context: int = 0
    frame_subsampling_factor: int = 1

    def input_frames(self, num_outputs: int) -> int:
        return (num_outputs - 1) * self.frame_subsampling_factor + 1 + self.left_context + self.right_context


@dataclass
class Piece:
    """One chunk: features [frames, dim], targets, i-vector [dim]."""

    features: np.ndarray
    pdfs: np.ndarray | None = None
    supervision: Supervision | None = None
    ivector: np.ndarray | None = None


class DataSet:
    """Utterances of one kind.

    Args:
        targets: None for unlabeled data.
        normalizer, ivectors: None for none.
        weight: of the objective on this set.
        repeat: how often an epoch goes through it; 0.5: through half of it.
        utterances: only these; None: all that can be used.
        length_tolerance: by how many output frames targets and features may differ in length.

    Attributes:
        utterances: those that can be used.
        lengths: of each, the input frames that have targets.
        bad: why others cannot be, by utterance.
    """

    def __init__(
        self,
        name: str,
        features: FeatureSource,
        targets: PdfTargets | SupervisionTargets | None = None,
        *,
        normalizer: Normalizer | None = None,
        ivectors: OnlineIvectors | None = None,
        frame_subsampling_factor: int = 1,
        weight: float = 1.0,
        repeat: float = 1.0,
        utterances: Collection[str] | None = None,
        length_tolerance: int = 1,
    ) -> None:
        self.name, self.weight, self.repeat = name, weight, repeat
        self.features, self.targets = features, targets
        self._normalizer, self._ivectors = normalizer, ivectors
        self._factor, self._tolerance = frame_subsampling_factor, length_tolerance
        self.bad: dict[str, str] = {}
        self.lengths: dict[str, int] = {}
        wanted = None if utterances is None else set(utterances)
        for utterance, length in features.lengths.items():
            if wanted is not None and utterance not in wanted:
                continue
            problem = self._problem(utterance, length)
            if problem:
                self.bad[utterance] = problem
            else:
                self.lengths[utterance] = self._usable_length(utterance, length)
        self.utterances = list(self.lengths)
        self._report()

    @property
    def feature_dim(self) -> int:
        return self.features.dim

    @property
    def ivector_dim(self) -> int:
        return self._ivectors.dim if self._ivectors else 0

    @property
    def num_pdfs(self) -> int | None:
        """None without targets."""
        return self.targets.num_pdfs if self.targets else None

    def _targets_step(self) -> int:
        return self.targets.step if isinstance(self.targets, PdfTargets) else self._factor

    def _problem(self, utterance: str, length: int) -> str:
        if length <= 0:
            return "no frames"
        if self._normalizer and (problem := self._normalizer.problem(utterance)):
            return problem
        if self._ivectors and utterance not in self._ivectors:
            return "no i-vectors"
        if self.targets is None:
            return ""
        if utterance not in self.targets.lengths:
            return "features, but no targets"
        has, expected = self.targets.lengths[utterance], -(-length // self._targets_step())
        if abs(has - expected) > self._tolerance:
            return f"{has} frames of targets for {length} frames of features, expected {expected}"
        return ""

    def _usable_length(self, utterance: str, length: int) -> int:
        if self.targets is None:
            return length
        return min(length, self.targets.lengths[utterance] * self._targets_step())

    def _report(self) -> None:
        without = [u for u in self.targets.lengths if u not in self.features.lengths] if self.targets else []
        if without:
            log.warning(
                f"data set {self.name}: {len(without)} utterances have targets, but no features: {_some(without)}"
            )
        for utterance, problem in list(self.bad.items())[:SHOWN]:
            log.warning(f"data set {self.name}: utterance {utterance} is left out: {problem}")
        total = len(self.utterances) + len(self.bad)
        if self.bad:
            log.warning(
                f"data set {self.name}: {len(self.bad)} of {total} utterances are left out"
                + (f", the first {SHOWN} are shown" if len(self.bad) > SHOWN else "")
            )
        if not self.utterances:
            raise KaldiError(f"data set {self.name}: none of its {total} utterances can be used")

    def piece(
        self, utterance: str, first: int, num_outputs: int, shape: ChunkShape, random: np.random.Generator | None
    ) -> Piece:
        """The chunk whose first output frame is at input frame ``first``.

        ``random``: for the frame shift, the i-vector and perturbations; None: no shift, the i-vector of the middle.

        Raises:
            KaldiError: something cannot be read or does not fit.
        """
        factor, width = shape.frame_subsampling_factor, num_outputs * shape.frame_subsampling_factor
        shift = frame_shift(factor, random) if random is not None else 0
        features = self.features.frames(
            utterance, first + shift - shape.left_context, shape.input_frames(num_outputs), random
        )
        if self._normalizer:
            features = self._normalizer(utterance, features)
        made = Piece(features)
        if isinstance(self.targets, PdfTargets):
            # An alignment of the model's own frame rate goes with its chunk, however that is shifted.
            begin = first if self.targets.step > 1 else first + shift
            frames = begin + factor * np.arange(num_outputs)
            made.pdfs = self.targets.pdfs(utterance, frames.clip(0, self.features.lengths[utterance] - 1))
        elif self.targets is not None:
            made.supervision = self.targets.part(utterance, first // factor, num_outputs)
        if self._ivectors:
            # Kaldi's examples have that of a random frame, from the context of the chunk on to the end.
            frame = first + width // 2
            if random is not None:
                frame = first - shape.left_context + int(random.integers(self.lengths[utterance]))
            made.ivector = self._ivectors.at(utterance, frame)
        return made


def frame_shift(factor: int, random: np.random.Generator) -> int:
    """How far input frames may lie from those that output frames belong to: for a factor of 3, -1, 0 or 1.

    As train.py and nnet3-chain-copy-egs --frame-shift do (example_buffer.shift_times).
    """
    return int(random.integers(-((factor - 1) // 2), factor // 2 + 1))


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
