"""How utterances become chunks: cut at random into a few widths, or whole.

For flat-start training they stay whole: a few lengths are allowed, five percent apart, and each utterance is padded to
the next one by repeating its last frame or, where speeds may be changed, brought to one that is near
(Kaldi's utils/data/perturb_speed_to_allowed_lengths.py).
"""

from __future__ import annotations

import math
import re
from itertools import groupby
from random import Random
from typing import NamedTuple, Protocol

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.utterance_splitting import ChunkOptions, UtteranceSplitter
from steps_pytorch.data.audio_features import AudioFeatures
from steps_pytorch.data.dataset import DataSet
from steps_pytorch.data.flat_start import FlatStartTargets
from steps_pytorch.data.targets import SupervisionTargets

_RANGE = re.compile(r"(\d{1,6})-(\d{1,6})\Z")
WHOLE = "-1"
SPACING = 1.05  # of allowed lengths of whole utterances


class Cuts(NamedTuple):
    """Chunks on arrays, as an epoch of a large corpus has millions.

    ``utterances``: int32 [chunks], their places in the data set; ``firsts``, ``widths``: int32 [chunks], input frames;
    ``speeds``: float64 [chunks]; ``counts``: uint8, of the output frames of all chunks, one chunk after the other, how
    many chunks of the utterance have them: where they overlap, two.
    """

    utterances: np.ndarray
    firsts: np.ndarray
    widths: np.ndarray
    speeds: np.ndarray
    counts: np.ndarray


class Cutter(Protocol):
    """Cuts utterances of a set into chunks with their targets."""

    def check(self, dataset: DataSet) -> None:
        """Raises KaldiError where the targets of a set cannot be cut in this way."""

    def cut(self, dataset: DataSet, utterances: list[int], random: Random, training: bool, epoch: int = 0) -> Cuts:
        """The chunks of these utterances; none of utterances that are too short."""
        ...


def cutter(chunk_width: str, frame_subsampling_factor: int) -> Cutter:
    """By what training is told.

    Args:
        chunk_width: input frames as of train.py --egs.chunk-width, "140,100,70" (the first one is the usual one); or a
            range, "60-150", of which each utterance's usual width is drawn; or "-1": whole utterances.

    Raises:
        KaldiError: it is none of these.
    """
    if chunk_width == WHOLE:
        return WholeUtterances(frame_subsampling_factor)
    return ChunkCutter(chunk_width, frame_subsampling_factor)


class ChunkCutter:
    """Cuts as Kaldi's programs that make examples do, with other random numbers in each epoch."""

    def __init__(self, chunk_width: str, frame_subsampling_factor: int) -> None:
        self._factor = frame_subsampling_factor
        self._widths = _widths(chunk_width, frame_subsampling_factor)
        self._is_range = "-" in chunk_width

    def check(self, dataset: DataSet) -> None:
        if isinstance(dataset.targets, FlatStartTargets):
            raise KaldiError(
                f"data set {dataset.name}: flat-start supervision is of whole utterances: --chunk-width={WHOLE}"
            )

    def cut(self, dataset: DataSet, utterances: list[int], random: Random, training: bool, epoch: int = 0) -> Cuts:
        splitters, names = self._splitters(random), dataset.utterances
        chosen, speeds, lengths = [], [], []
        for utterance in utterances:
            changes = dataset.speeds and training and dataset.perturbed_share.draw(epoch, random)
            speeds.append(random.choice(dataset.speeds) if changes else 1.0)
            chosen.append(random.choice(splitters))
            lengths.append(dataset.length_at(names[utterance], speeds[-1]))
        parts, done = [list(splitters[0].split_many([]))], 0
        for splitter, run in groupby(chosen):
            end = done + len(list(run))
            places, *rest = splitter.split_many(lengths[done:end])
            parts.append([places + done, *rest])
            done = end
        places, firsts, widths, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
        return Cuts(np.array(utterances, np.int32)[places], firsts, widths, np.array(speeds)[places], counts)

    def _splitters(self, random: Random) -> list[UtteranceSplitter]:
        """One for each usual width."""
        draws = CRandom(random.getrandbits(31))
        orders = [self._widths]
        if self._is_range:
            orders = [[width, *(w for w in self._widths if w != width)] for width in self._widths]
        return [
            UtteranceSplitter(
                ChunkOptions(num_frames=",".join(map(str, order)), frame_subsampling_factor=self._factor), draws
            )
            for order in orders
        ]


class WholeUtterances:
    """Leaves utterances whole, and brings them to one of the allowed lengths."""

    def __init__(self, frame_subsampling_factor: int) -> None:
        self._factor = frame_subsampling_factor

    def check(self, dataset: DataSet) -> None:
        if isinstance(dataset.targets, SupervisionTargets):
            raise KaldiError(f"data set {dataset.name}: lattice supervision is cut into chunks: give --chunk-width")

    def cut(self, dataset: DataSet, utterances: list[int], random: Random, training: bool, epoch: int = 0) -> Cuts:
        allowed = _allowed_lengths(min(dataset.lengths.values()), max(dataset.lengths.values()), self._factor)
        features, speeds = dataset.features, dataset.speeds
        widths, chosen = [], []
        for utterance in utterances:
            name = dataset.utterances[utterance]
            length = dataset.lengths[name]
            near = [width for width in allowed if speeds and min(speeds) <= length / width <= max(speeds)]
            changes = training and near and dataset.perturbed_share.draw(epoch, random)
            if changes and isinstance(features, AudioFeatures):
                widths.append(random.choice(near))
                chosen.append(features.speed_for(name, widths[-1]))
            else:
                widths.append(next(width for width in allowed if width >= length))
                chosen.append(1.0)
        counts = np.ones(sum(width // self._factor for width in widths), np.uint8)
        firsts = np.zeros(len(widths), np.int32)
        return Cuts(np.array(utterances, np.int32), firsts, np.array(widths, np.int32), np.array(chosen), counts)


def _widths(text: str, factor: int) -> list[int]:
    """The widths, rounded up to multiples of the subsampling factor."""
    match = _RANGE.match(text)
    if match:
        low, high = (-(-int(number) // factor) * factor for number in match.groups())
        if not 0 < low <= high:
            raise KaldiError(f"--chunk-width={text}: expected a range such as 60-150")
        return list(range(low, high + 1, factor))
    try:
        widths = [int(word) for word in text.split(",")]
    except ValueError:
        widths = []
    if not widths or min(widths) <= 0:
        raise KaldiError(f"--chunk-width={text}: expected numbers of frames, 140,100,70, or a range, 60-150")
    return list(dict.fromkeys(-(-width // factor) * factor for width in widths))


def _allowed_lengths(shortest: int, longest: int, factor: int) -> list[int]:
    """Multiples of the subsampling factor, each about five percent longer than the one before."""
    lengths = [-(-shortest // factor) * factor]
    while lengths[-1] < longest:
        lengths.append(max(lengths[-1] + factor, math.ceil(lengths[-1] * SPACING / factor) * factor))
    return lengths
