"""A set of utterances: their features, and targets if they have any."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.discriminative_supervision import DiscriminativeSupervision
from kaldi_bridge.examples.supervision import Supervision
from steps_pytorch.data.audio_features import AudioFeatures
from steps_pytorch.data.feature_sources import FeatureSource
from steps_pytorch.data.flat_start import FlatStartTargets
from steps_pytorch.data.ivectors import OnlineIvectors
from steps_pytorch.data.lattice_targets import LatticeTargets
from steps_pytorch.data.normalization import Normalizer
from steps_pytorch.data.perturbation.base import FeaturePerturbation
from steps_pytorch.data.perturbation.perturbed_share import PerturbedShare
from steps_pytorch.data.targets import PdfTargets, SupervisionTargets

AnyTargets = PdfTargets | SupervisionTargets | FlatStartTargets | LatticeTargets
SHOWN = 10  # names of utterances in a warning about many


@dataclass(frozen=True)
class ChunkShape:
    """What a model wants to see: input frames of context before the first and after the last output frame."""

    left_context: int = 0
    right_context: int = 0
    frame_subsampling_factor: int = 1

    def input_frames(self, num_outputs: int) -> int:
        return (num_outputs - 1) * self.frame_subsampling_factor + 1 + self.left_context + self.right_context


@dataclass(frozen=True)
class Chunking:
    """What a data set may have otherwise than the others: "" and -1 for the same.

    Attributes:
        chunk_width, minibatch_size: as ChunkLoader's.
        left_context, right_context: input frames, no fewer than the model needs; outputs of the others are cut off.
    """

    chunk_width: str = ""
    minibatch_size: str = ""
    left_context: int = -1
    right_context: int = -1

    def shape_for(self, shape: ChunkShape, name: str) -> ChunkShape:
        """A model's shape, with the contexts that this set has. Raises KaldiError where they do not do for it."""
        left = shape.left_context if self.left_context < 0 else self.left_context
        right = shape.right_context if self.right_context < 0 else self.right_context
        extra = left - shape.left_context
        if extra < 0 or right < shape.right_context or extra % shape.frame_subsampling_factor:
            raise KaldiError(
                f"data set {name}: a context of {left} and {right} frames does not do for a model that needs "
                f"{shape.left_context} and {shape.right_context}: no fewer, and on the left a multiple of "
                f"{shape.frame_subsampling_factor} more"
            )
        return ChunkShape(left, right, shape.frame_subsampling_factor)


class Chunk(NamedTuple):
    """Part of an utterance, from input frame ``first`` on, where the utterance is spoken ``speed`` times as fast."""

    utterance: str
    first: int
    speed: float = 1.0


@dataclass
class Piece:
    """One chunk: features [frames, dim], targets, i-vector [dim]."""

    features: np.ndarray
    pdfs: np.ndarray | None = None
    supervision: Supervision | None = None
    lattices: DiscriminativeSupervision | None = None
    ivector: np.ndarray | None = None


class DataSet:
    """Utterances of one kind.

    Args:
        targets: None for unlabeled data.
        normalizer, ivectors: None for none.
        perturbations: applied to normalized features in training, one after the other.
        perturbed_share: of the chunks that are perturbed in training; the others have no dither either.
        speeds: one of which is drawn for each utterance in training; of features from recordings. Alignments are
            stretched; lattice supervision is for one speed only.
        chunking: what is other than for other sets.
        weight: of the objective on this set.
        repeat: how often an epoch goes through it; 0.5: through half of it.
        utterances: only these; None: all that can be used.
        length_tolerance: by how many output frames targets and features may differ in length.

    Attributes:
        utterances: those that can be used.
        lengths: of each, the input frames that have targets.
        bad: why others cannot be, by utterance.

    Raises:
        KaldiError: options do not go together, or there is nothing that can be used.
    """

    def __init__(
        self,
        name: str,
        features: FeatureSource,
        targets: AnyTargets | None = None,
        *,
        normalizer: Normalizer | None = None,
        ivectors: OnlineIvectors | None = None,
        perturbations: Sequence[FeaturePerturbation] = (),
        perturbed_share: PerturbedShare | None = None,
        speeds: Sequence[float] = (),
        chunking: Chunking | None = None,
        frame_subsampling_factor: int = 1,
        weight: float = 1.0,
        repeat: float = 1.0,
        utterances: Collection[str] | None = None,
        length_tolerance: int = 1,
    ) -> None:
        self.name, self.weight, self.repeat = name, weight, repeat
        self.features, self.targets = features, targets
        self._normalizer, self._ivectors = normalizer, ivectors
        self._perturbations, self.perturbed_share = list(perturbations), perturbed_share or PerturbedShare()
        self.speeds, self.chunking = tuple(speeds), chunking or Chunking()
        self._check_speeds()
        self._factor, self._tolerance = frame_subsampling_factor, length_tolerance
        self.lengths: dict[str, int] = {}
        wanted = None if utterances is None else set(utterances)
        self.bad = {u: problem for u, problem in features.bad.items() if wanted is None or u in wanted}
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

    def _check_speeds(self) -> None:
        if not self.speeds:
            return
        if not isinstance(self.features, AudioFeatures):
            raise KaldiError(f"data set {self.name}: other speeds need features that are computed from recordings")
        if isinstance(self.targets, SupervisionTargets | LatticeTargets):
            raise KaldiError(
                f"data set {self.name}: the supervision of a lattice is of one speed. Perturb the data directory "
                "(utils/data/perturb_data_dir_speed_3way.sh), align that, and make supervisions of all of it"
            )

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
        if isinstance(self.targets, FlatStartTargets):
            return ""
        has, expected = self.targets.lengths[utterance], -(-length // self._targets_step())
        if abs(has - expected) > self._tolerance:
            return f"{has} frames of targets for {length} frames of features, expected {expected}"
        return ""

    def _usable_length(self, utterance: str, length: int) -> int:
        if self.targets is None or isinstance(self.targets, FlatStartTargets):
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

    def length_at(self, utterance: str, speed: float) -> int:
        """Input frames with targets of an utterance that is spoken so many times as fast."""
        if speed == 1.0 or not isinstance(self.features, AudioFeatures):
            return self.lengths[utterance]
        return min(self.features.length_at(utterance, speed), int(self.lengths[utterance] / speed) + 1)

    def piece(
        self,
        chunk: Chunk,
        num_outputs: int,
        shape: ChunkShape,
        random: np.random.Generator | None,
        epochs: float = 0.0,
    ) -> Piece:
        """The chunk with so many output frames, the first one of them at its first input frame.

        Args:
            random: for the frame shift, the i-vector and perturbations; None: no shift, the i-vector of the middle.
            epochs: how many are done, on which the share of perturbed chunks may depend.

        Raises:
            KaldiError: something cannot be read or does not fit.
        """
        utterance, first, speed = chunk
        factor, width = shape.frame_subsampling_factor, num_outputs * shape.frame_subsampling_factor
        shift = frame_shift(factor, random) if random is not None else 0
        begin, count = first + shift - shape.left_context, shape.input_frames(num_outputs)
        to_perturb = random if random is not None and self.perturbed_share.draw(epochs, random) else None
        if speed != 1.0 and isinstance(self.features, AudioFeatures):
            features = self.features.frames(utterance, begin, count, to_perturb, speed)
        else:
            features = self.features.frames(utterance, begin, count, to_perturb)
        if self._normalizer:
            features = self._normalizer(utterance, features)
        if to_perturb is not None:
            for perturbation in self._perturbations:
                features = perturbation(features, to_perturb)
        made = Piece(features)
        if isinstance(self.targets, PdfTargets):
            # An alignment of the model's own frame rate goes with its chunk, however that is shifted.
            times = (first if self.targets.step > 1 else first + shift) + factor * np.arange(num_outputs)
            made.pdfs = self._pdfs(self.targets, utterance, np.floor((times + 0.5) * speed).astype(np.int64))
        elif isinstance(self.targets, SupervisionTargets):
            made.supervision = self.targets.part(utterance, first // factor, num_outputs)
        elif isinstance(self.targets, LatticeTargets):
            made.lattices = self.targets.part(utterance, first // factor, num_outputs)
        elif self.targets is not None:
            made.supervision = self.targets.whole(utterance, num_outputs)
        if self._ivectors:
            # Kaldi's examples have that of a random frame, from the context of the chunk on to the end.
            frame = first + width // 2
            if random is not None:
                frame = first - shape.left_context + int(random.integers(self.lengths[utterance]))
            made.ivector = self._ivectors.at(utterance, int(frame * speed))
        return made

    def _pdfs(self, targets: PdfTargets, utterance: str, frames: np.ndarray) -> np.ndarray:
        """At these input frames; just beyond the ends those of the first and last frame, later none."""
        last = self.features.lengths[utterance] - 1
        return np.where(frames <= last + self._factor, targets.pdfs(utterance, frames.clip(0, last)), -1)


def frame_shift(factor: int, random: np.random.Generator) -> int:
    """How far input frames may lie from those that output frames belong to: for a factor of 3, -1, 0 or 1.

    As train.py and nnet3-chain-copy-egs --frame-shift do (example_buffer.shift_times).
    """
    return int(random.integers(-((factor - 1) // 2), factor // 2 + 1))


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
