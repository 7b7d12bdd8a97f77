"""What an epoch consists of: each utterance of each data set cut into chunks at random, chunks of a width in batches.

An epoch is a function of the data sets, the seed and its number alone: resuming needs no more than a position in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.minibatch_sizes import MinibatchSizes
from kaldi_bridge.utterance_splitting import ChunkOptions, UtteranceSplitter
from steps_pytorch.data.dataset import DataSet

_RANGE = re.compile(r"(\d{1,6})-(\d{1,6})\Z")


@dataclass
class BatchPlan:
    """``chunks``: (utterance, first input frame) of chunks of ``num_outputs`` output frames."""

    dataset: int
    num_outputs: int
    chunks: list[tuple[str, int]]


class EpochPlanner:
    """Plans epochs.

    Args:
        chunk_width: input frames as of train.py --egs.chunk-width, "140,100,70" (the first one is the usual one); or a
            range, "60-150", of which each utterance's usual width is drawn.
        minibatch_size: chunks in a batch, as of nnet3-merge-egs: "64", or by width "140=64/70=128".
    """

    def __init__(
        self, datasets: list[DataSet], chunk_width: str, minibatch_size: str, frame_subsampling_factor: int, seed: int
    ) -> None:
        self._datasets, self._factor, self._seed = datasets, frame_subsampling_factor, seed
        self._minibatches = MinibatchSizes(minibatch_size)
        self._widths = _widths(chunk_width, frame_subsampling_factor)
        self._is_range = "-" in chunk_width

    def plan(self, epoch: int, shuffled: bool = True) -> list[BatchPlan]:
        """The batches of an epoch, in order.

        Raises:
            KaldiError: no utterance is long enough.
        """
        random = Random(f"{self._seed} {epoch}")
        batches: list[BatchPlan] = []
        for number, dataset in enumerate(self._datasets):
            by_width: dict[int, list[tuple[str, int]]] = {}
            short = 0
            splitters = self._splitters(random)
            for utterance in self._drawn(dataset, random):
                chunks = random.choice(splitters).split(dataset.lengths[utterance])
                short += not chunks
                for chunk in chunks:
                    by_width.setdefault(chunk.num_frames, []).append((utterance, chunk.first_frame))
            if not by_width:
                raise KaldiError(
                    f"data set {dataset.name}: no utterance has as many frames as the shortest chunk, "
                    f"{min(self._widths)}"
                )
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
