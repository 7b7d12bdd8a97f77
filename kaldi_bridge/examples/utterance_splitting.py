"""How utterances are cut into chunks of a few lengths (nnet3/nnet-example-utils.cc, UtteranceSplitter).

Chunks have the first, principal, of the given lengths, but for up to two of the others. For each length of an utterance
those combinations are found that fit best, where frames left out count twice as much as frames used twice, and one is
drawn at random. Overlaps and gaps are then spread over the utterance.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc

_NEARLY_BEST = 1.9999  # combinations that cost so many frames more than the best are drawn too


@dataclass
class ChunkOptions:
    """How examples are cut: options of the programs that make them."""

    left_context: int = option(0, "Frames of left context that are added to each example")
    right_context: int = option(0, "Frames of right context that are added to each example")
    left_context_initial: int = option(-1, "Left context at the beginning of an utterance (<0: as elsewhere)")
    right_context_final: int = option(-1, "Right context at the end of an utterance (<0: as elsewhere)")
    num_frames: str = option(
        "1", "Frames with labels in an example; a principal value and others, 150,110,90; -1: whole utterances"
    )
    num_frames_overlap: int = option(0, "Frames of overlap of adjacent examples, about")
    frame_subsampling_factor: int = option(1, "Frames of input for one label")


class Chunk(NamedTuple):
    """``output_weights`` [num_frames / frame_subsampling_factor]: one over the number of chunks with that frame."""

    first_frame: int
    num_frames: int
    left_context: int
    right_context: int
    output_weights: np.ndarray


class UtteranceSplitter:
    """Cuts utterances, and counts what it did."""

    def __init__(self, options: ChunkOptions, random: CRandom) -> None:
        """Raises KaldiError for options that make no sense.

        Chunks and their order are those that Kaldi draws for the same seed; the order of gaps is from numbers of its
        own, as there, where no seed fixes it.
        """
        self.options = options
        self._random = random
        self._gap_order = Random(random.seed_number)
        self._factor = options.frame_subsampling_factor
        if self._factor < 1:
            raise KaldiError(f"Invalid value --frame-subsampling-factor={self._factor}")
        self._sizes = chunk_sizes(options)
        self._splits = self._table() if self._sizes else []
        order = Random(random.seed_number).getstate()[1]
        self._core = _csrc.UtteranceSplitter(_contexts(options), self._sizes, self._splits, random.core, order)

    def _table(self) -> list[list[tuple[int, ...]]]:
        """For each length of an utterance up to a few chunks the combinations to choose from."""
        principal, longest = self._sizes[0], 2 * max(self._sizes) + self._sizes[0]
        if self.options.num_frames_overlap >= principal:
            raise KaldiError("--num-frames-overlap must be smaller than the first of --num-frames")
        splits = set()
        for others in itertools.product((0, *self._sizes[1:]), repeat=2):
            split = tuple(size for size in others if size)
            while self._duration(split) <= longest + principal:
                if split:
                    splits.add(split)
                split = tuple(sorted((*split, principal)))
        ordered = sorted(splits)
        durations = np.array([self._duration(split) for split in ordered], np.float32)
        largest = np.array([max(split) for split in ordered])
        table = []
        for length in range(longest + 1):
            costs = np.where(durations > length, durations - length, 2.0 * (length - durations))
            costs = np.where(largest > length, np.inf, costs)
            best = costs.min()
            chosen = np.flatnonzero(costs < best + _NEARLY_BEST) if np.isfinite(best) else ()
            table.append([ordered[i] for i in chosen])
        return table

    def _duration(self, split: tuple[int, ...]) -> float:
        """Frames that the chunks cover when they overlap as they should."""
        share = self.options.num_frames_overlap / self._sizes[0]
        return sum(split) - share * sum(min(a, b) for a, b in itertools.pairwise(split))

    def lengths_match(self, utterance: str, input_frames: int, output_frames: int, tolerance: int) -> bool:
        """Whether features and supervision fit together; warns where not."""
        expected = -(-input_frames // self._factor)
        if abs(output_frames - expected) <= tolerance:
            return True
        factor = self._factor
        lengths = f"{input_frames}, got {output_frames}"
        if factor != 1:
            lengths = (
                f"({input_frames} + {factor} - 1) / {factor} = {expected}, got: {output_frames} "
                f"(note: --frame-subsampling-factor={factor})"
            )
        log.warning(f"Supervision does not have expected length for utterance {utterance}: expected length = {lengths}")
        return False

    def cut(self, length: int) -> Any:
        """The chunks of an utterance of so many frames, as functions in C++ take them; none where it is too short."""
        try:
            return self._core.split(length)
        except ValueError as error:
            raise KaldiError(str(error)) from None

    def split(self, length: int) -> list[Chunk]:
        """The same, for all others."""
        return [Chunk(*fields) for fields in self.cut(length).fields()]

    def split_many(self, lengths: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The chunks of utterances of so many frames.

        Returns (places of their utterances, first frames, frames: int32 [chunks]; uint8, of the output frames of all
        chunks, one chunk after the other, how many chunks of the utterance have them).
        """
        try:
            return self._core.split_many(np.array(lengths, np.int32))
        except ValueError as error:
            raise KaldiError(str(error)) from None

    def report(self) -> bool:
        """Logs what was cut; whether there was any chunk."""
        chunks, length = self._core.chunks, self._core.frames
        total = sum(size * count for size, count in chunks.items())
        count = sum(chunks.values())
        log.info(
            f"Split {self._core.utterances} utts, with total length {length} frames ({length / 360000.0:g} "
            f"hours assuming 100 frames per second) into {count} chunks."
        )
        frames = length or float("nan")
        overlap, output = 100.0 * self._core.overlap / frames, 100.0 * total / frames
        log.info(
            f"Average chunk length was {total / (count or float('nan')):g} frames; overlap between adjacent chunks was "
            f"{overlap:g}% of input length; length of output was {output:g}% of input length (minus overlap = "
            f"{output - overlap:g}%)."
        )
        if len(chunks) > 1:
            shares = ", ".join(f"{size} = {100.0 * size * n / total:.4g}%" for size, n in sorted(chunks.items()))
            log.info(f"Output frames are distributed among chunk-sizes as follows: {shares}")
        return total > 0


def chunk_sizes(options: ChunkOptions) -> list[int]:
    """The lengths of chunks, rounded up to multiples of the subsampling factor; empty for whole utterances."""
    if options.num_frames == "-1":
        return []
    try:
        given = [int(part) for part in options.num_frames.split(",")]
    except ValueError:
        given = []
    if not given or min(given) <= 0:
        raise KaldiError(
            f"Invalid option (expected comma-separated list of integers): --num-frames={options.num_frames}"
        )
    factor = options.frame_subsampling_factor
    rounded = [-(-size // factor) * factor for size in given]
    if rounded != given:
        log.info(
            f"Rounding up --num-frames={options.num_frames} to multiples of --frame-subsampling-factor={factor}, to: "
            + ",".join(map(str, rounded))
        )
    return rounded


def _contexts(o: ChunkOptions) -> tuple[int, ...]:
    """What is the same for all utterances."""
    overlap, factor = o.num_frames_overlap, o.frame_subsampling_factor
    return o.left_context, o.right_context, o.left_context_initial, o.right_context_final, overlap, factor
