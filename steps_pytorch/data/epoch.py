"""What an epoch consists of: chunks of one width of one data set in a batch, batches in random order.

An epoch is a function of the data sets, the seed and its number alone: resuming needs no more than a position in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.minibatch_sizes import MinibatchSizes
from steps_pytorch.data.cutting import Cuts, cutter
from steps_pytorch.data.dataset import Chunk, DataSet

MIXINGS = ("random", "alternate")


@dataclass
class BatchPlan:
    """Chunks of ``num_outputs`` output frames of a data set; arrays, as an epoch of a large corpus has millions.

    ``utterances``: int32, places among the set's; ``firsts``: int32, first input frames; ``speeds``: float64;
    ``counts``: uint8 [chunks, num_outputs], how many chunks have each output frame: where they overlap, two.
    """

    dataset: int
    num_outputs: int
    utterances: np.ndarray
    firsts: np.ndarray
    speeds: np.ndarray
    counts: np.ndarray

    def chunks(self, names: list[str]) -> list[Chunk]:
        """``names``: the data set's utterances."""
        columns = (self.utterances.tolist(), self.firsts.tolist(), self.speeds.tolist())
        return [Chunk(names[utterance], first, speed) for utterance, first, speed in zip(*columns, strict=True)]


class EpochPlanner:
    """Plans epochs.

    Args:
        chunk_width: see ``cutter``.
        minibatch_size: chunks in a batch, as of nnet3-merge-egs: "64", or by width "140=64/70=128".
        mixing: "random": the batches of all sets in random order; "alternate": one of each set in turn, until the set
            with the most batches is through; the others begin anew as often as it takes.
        batches_per_epoch: so many, further passes through the data included; 0: as many as there are.
    """

    def __init__(
        self,
        datasets: list[DataSet],
        chunk_width: str,
        minibatch_size: str,
        frame_subsampling_factor: int,
        seed: int,
        mixing: str = "random",
        batches_per_epoch: int = 0,
    ) -> None:
        """Raises KaldiError for options that make no sense, or not for these sets."""
        if mixing not in MIXINGS:
            raise KaldiError(f"--mixing={mixing} must be one of {', '.join(MIXINGS)}")
        self._datasets, self._factor, self._seed = datasets, frame_subsampling_factor, seed
        self._mixing, self._batches_per_epoch = mixing, batches_per_epoch
        self._minibatches = [MinibatchSizes(each.chunking.minibatch_size or minibatch_size) for each in datasets]
        self._cutters = [
            cutter(each.chunking.chunk_width or chunk_width, frame_subsampling_factor) for each in datasets
        ]
        for dataset, cuts in zip(datasets, self._cutters, strict=True):
            cuts.check(dataset)

    def plan(self, epoch: int, training: bool = True) -> list[BatchPlan]:
        """The batches of an epoch, in order; without ``training`` the order of the data.

        Raises:
            KaldiError: no utterance is long enough.
        """
        random = Random(f"{self._seed} {epoch}")
        if not training:
            return [
                batch for number in range(len(self._datasets)) for batch in self._pass(number, random, False, epoch)
            ]
        wanted = self._batches_per_epoch
        batches = self._mixed(random, epoch)
        while len(batches) < wanted:
            batches += self._mixed(random, epoch)
        return batches[:wanted] if wanted else batches

    def _mixed(self, random: Random, epoch: int) -> list[BatchPlan]:
        """A pass through all sets."""
        of_sets = [self._pass(number, random, True, epoch) for number in range(len(self._datasets))]
        if self._mixing == "random":
            batches = [batch for one in of_sets for batch in one]
            random.shuffle(batches)
            return batches
        longest = max(map(len, of_sets))
        for number, one in enumerate(of_sets):
            random.shuffle(one)
            while len(one) < longest:
                more = self._pass(number, random, True, epoch)
                random.shuffle(more)
                one += more
        return [one[turn] for turn in range(longest) for one in of_sets]

    def _pass(self, number: int, random: Random, training: bool, epoch: int) -> list[BatchPlan]:
        """The batches of a data set, of one width after the other."""
        cuts = self._cuts(number, random, training, epoch)
        ends = np.cumsum(cuts.widths // self._factor)
        batches = []
        for width in np.unique(cuts.widths).tolist():
            num_outputs, size = width // self._factor, self._minibatches[number].largest(width)
            order = np.arange(np.count_nonzero(cuts.widths == width))
            if training:
                np.random.default_rng(random.getrandbits(64)).shuffle(order)
            order = np.flatnonzero(cuts.widths == width)[order]
            for begin in range(0, len(order), size):
                part = order[begin : begin + size]
                counts = cuts.counts[(ends[part] - num_outputs)[:, None] + np.arange(num_outputs)]
                columns = (cuts.utterances[part], cuts.firsts[part], cuts.speeds[part])
                batches.append(BatchPlan(number, num_outputs, *columns, counts))
        return batches

    def _cuts(self, number: int, random: Random, training: bool, epoch: int) -> Cuts:
        """The chunks of a data set."""
        dataset = self._datasets[number]
        drawn = _drawn(dataset, random)
        cuts = self._cutters[number].cut(dataset, drawn, random, training, epoch)
        used = np.unique(cuts.utterances)
        if not len(used):
            raise KaldiError(f"data set {dataset.name}: every utterance is shorter than the shortest chunk")
        every = np.unique(np.array(drawn, np.int32))
        short = np.setdiff1d(every, used, assume_unique=True)
        if len(short) and epoch == 0:
            log.warning(
                f"data set {dataset.name}: {len(short)} of {len(every)} utterances are shorter than any chunk "
                f"and not used, such as {dataset.utterances[short[0]]}"
            )
        return cuts


def _drawn(dataset: DataSet, random: Random) -> list[int]:
    """The utterances of an epoch: all of them, as often as the set says, and for a rest some of them."""
    every = list(range(len(dataset.utterances)))
    whole = int(dataset.repeat)
    count = round((dataset.repeat - whole) * len(every))
    return every * whole + random.sample(every, count)
