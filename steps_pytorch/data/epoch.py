"""What an epoch consists of: each utterance of each data set cut into chunks at random, chunks of a width in batches.

For flat-start training, utterances stay whole: a few lengths are allowed, five percent apart, and each utterance is
padded to the next one by repeating its last frame; where speeds may be changed, to the length of one that is near
(Kaldi's utils/data/perturb_speed_to_allowed_lengths.py).

An epoch is a function of the data sets, the seed and its number alone: resuming needs no more than a position in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.minibatch_sizes import MinibatchSizes
from kaldi_bridge.utterance_splitting import ChunkOptions, UtteranceSplitter
from steps_pytorch.data.audio_features import AudioFeatures
from steps_pytorch.data.dataset import Chunk, DataSet
from steps_pytorch.data.flat_start import FlatStartTargets
from steps_pytorch.data.targets import SupervisionTargets

_RANGE = re.compile(r"(\d{1,6})-(\d{1,6})\Z")
WHOLE = "-1"
SPACING = 1.05  # of allowed lengths of whole utterances


@dataclass
class BatchPlan:
    """``chunks`` of a data set, each of ``num_outputs`` output frames."""

    dataset: int
    num_outputs: int
    chunks: list[Chunk]


class EpochPlanner:
    """Plans epochs.

    Args:
        chunk_width: input frames as of train.py --egs.chunk-width, "140,100,70" (the first one is the usual one); or a
            range, "60-150", of which each utterance's usual width is drawn; or "-1": whole utterances.
        minibatch_size: chunks in a batch, as of nnet3-merge-egs: "64", or by width "140=64/70=128".
    """

    def __init__(
        self, datasets: list[DataSet], chunk_width: str, minibatch_size: str, frame_subsampling_factor: int, seed: int
    ) -> None:
        self._datasets, self._factor, self._seed = datasets, frame_subsampling_factor, seed
        self._minibatches = MinibatchSizes(minibatch_size)
        self._whole = chunk_width == WHOLE
        self._widths = [] if self._whole else _widths(chunk_width, frame_subsampling_factor)
        self._is_range = "-" in chunk_width
        for dataset in datasets:
            if self._whole and isinstance(dataset.targets, SupervisionTargets):
                raise KaldiError(f"data set {dataset.name}: lattice supervision is cut into chunks, give their widths")
            if not self._whole and isinstance(dataset.targets, FlatStartTargets):
                raise KaldiError(f"data set {dataset.name}: flat-start supervision is of whole utterances, no chunks")

    def plan(self, epoch: int, shuffled: bool = True) -> list[BatchPlan]:
        """The batches of an epoch, in order.

        Raises:
            KaldiError: no utterance is long enough.
        """
        random = Random(f"{self._seed} {epoch}")
        batches: list[BatchPlan] = []
        for number, dataset in enumerate(self._datasets):
            by_width: dict[int, list[Chunk]] = {}
            drawn = self._drawn(dataset, random)
            chunks = self._whole_ones(dataset, drawn, random if shuffled else None) if self._whole else None
            used = set()
            for width, chunk in chunks or self._cut(dataset, drawn, random, shuffled):
                by_width.setdefault(width, []).append(chunk)
                used.add(chunk.utterance)
            if not by_width:
                raise KaldiError(
                    f"data set {dataset.name}: no utterance has as many frames as the shortest chunk, "
                    f"{min(self._widths)}"
                )
            short = len(set(drawn)) - len(used)
            if short and epoch == 0:
                log.warning(f"data set {dataset.name}: {short} utterances are shorter than any chunk")
            for width, places in sorted(by_width.items()):
                if shuffled:
                    random.shuffle(places)
                size = self._minibatches.largest(width)
                for begin in range(0, len(places), size):
                    batches.append(BatchPlan(number, width // self._factor, places[begin : begin + size]))
        if shuffled:
            random.shuffle(batches)
        return batches

    def _cut(
        self, dataset: DataSet, utterances: list[str], random: Random, training: bool
    ) -> Iterator[tuple[int, Chunk]]:
        """Chunks of the given widths, and these widths."""
        splitters = self._splitters(random)
        for utterance in utterances:
            speed = random.choice(dataset.speeds) if dataset.speeds and training else 1.0
            for part in random.choice(splitters).split(dataset.length_at(utterance, speed)):
                yield part.num_frames, Chunk(utterance, part.first_frame, speed)

    def _whole_ones(
        self, dataset: DataSet, utterances: list[str], random: Random | None
    ) -> Iterator[tuple[int, Chunk]]:
        """Whole utterances, and the allowed lengths that they are brought to."""
        allowed = _allowed_lengths(min(dataset.lengths.values()), max(dataset.lengths.values()), self._factor)
        for utterance in utterances:
            length = dataset.lengths[utterance]
            near = [a for a in allowed if dataset.speeds and min(dataset.speeds) <= length / a <= max(dataset.speeds)]
            if random is not None and near and isinstance(dataset.features, AudioFeatures):
                width = random.choice(near)
                yield width, Chunk(utterance, 0, dataset.features.speed_for(utterance, width))
            else:
                yield next(a for a in allowed if a >= length), Chunk(utterance, 0)

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

    def _drawn(self, dataset: DataSet, random: Random) -> list[str]:
        """The utterances of an epoch: all of them, as often as the set says, and for a rest some of them."""
        whole = int(dataset.repeat)
        count = round((dataset.repeat - whole) * len(dataset.utterances))
        return dataset.utterances * whole + random.sample(dataset.utterances, count)


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
