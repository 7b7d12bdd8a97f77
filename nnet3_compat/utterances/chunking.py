"""How an utterance is cut into chunks that are computed separately, and which frames and i-vector each one sees.

``SimpleChunks`` follows DecodableNnetSimple (nnet3/nnet-am-decodable-simple.cc), ``BatchChunks`` NnetBatchComputer
(nnet3/nnet-batch-compute.cc). Frames beyond either end of the utterance repeat its first or last frame.

Output frame i, of n = ceil(T / f), belongs to input frame i * f, f = frame_subsampling_factor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from nnet3_compat.utterances.computation_options import SimpleComputationOptions


@dataclass
class Chunk:
    """Output frames ``first, ..., first + num_outputs - 1`` of an utterance, of which the first ``unused`` are dropped.

    The input is the frames ``first_input, ..., first_input + num_inputs - 1``, ``left`` of them before the first
    output. ``num_used`` output frames after the dropped ones are kept.
    """

    first: int
    num_outputs: int
    first_input: int
    num_inputs: int
    left: int
    unused: int
    num_used: int
    ivector: np.ndarray | None = None


def round_chunk_size(options: SimpleComputationOptions, modulus: int) -> int:
    """frames_per_chunk, raised to a multiple of the subsampling factor and the modulus (CheckAndFixConfigs).

    Raises:
        KaldiError: factor or chunk size below one, or a negative extra context.
    """
    factor, size = options.frame_subsampling_factor, options.frames_per_chunk
    if factor < 1 or size < 1:
        raise KaldiError("--frame-subsampling-factor and --frames-per-chunk must be > 0")
    if options.extra_left_context < 0 or options.extra_right_context < 0:
        raise KaldiError("--extra-left-context and --extra-right-context must not be negative")
    unit = math.lcm(factor, modulus)
    if size % unit:
        rounded = unit * -(-size // unit)
        why = f"to make it a multiple of --frame-subsampling-factor={factor}"
        if modulus != 1:
            why = f"due to --frame-subsampling-factor={factor} and nnet shift-invariance modulus = {modulus}"
        log.info(f"Increasing --frames-per-chunk from {size} to {rounded} {why}")
        return rounded
    return size


class ChunkRule(Protocol):
    """How a program cuts utterances."""

    @property
    def minibatch_size(self) -> int:
        """The most chunks that go through the network at once on a GPU."""
        ...

    def cut(
        self, options: SimpleComputationOptions, chunk_size: int, left: int, right: int, num_frames: int
    ) -> list[Chunk]:
        """The chunks of ``num_frames`` frames of input; ``left``, ``right``: the network's context."""
        ...

    def ivector_row(self, chunk: Chunk, factor: int, period: int, rows: int) -> int:
        """Which of ``rows`` online i-vectors, one every ``period`` frames, a chunk gets. Raises KaldiError: too few."""
        ...

    def keeps_modulus(self, factor: int, modulus: int) -> bool:
        """Whether chunks begin at multiples of the network's modulus only."""
        ...


class SimpleChunks:
    """Those of nnet3-compute: the last one is shorter."""

    minibatch_size = 128

    def cut(
        self, options: SimpleComputationOptions, chunk_size: int, left: int, right: int, num_frames: int
    ) -> list[Chunk]:
        """See ChunkRule.cut."""
        factor = options.frame_subsampling_factor
        total = -(-num_frames // factor)
        per_chunk = chunk_size // factor
        chunks = []
        for first in range(0, total, per_chunk):
            n = min(per_chunk, total - first)
            extra_left, extra_right = options.extra_left_context, options.extra_right_context
            if first == 0 and options.extra_left_context_initial >= 0:
                extra_left = options.extra_left_context_initial
            if first + n == total and options.extra_right_context_final >= 0:
                extra_right = options.extra_right_context_final
            before, after = left + extra_left, right + extra_right
            num_inputs = (n - 1) * factor + 1 + before + after
            chunks.append(Chunk(first, n, first * factor - before, num_inputs, before, 0, n))
        return chunks

    def ivector_row(self, chunk: Chunk, factor: int, period: int, rows: int) -> int:
        """See ChunkRule.ivector_row (Kaldi: GetCurrentIvector)."""
        frame = chunk.first * factor + (chunk.num_outputs - 1) * factor // 2
        row = frame // period
        if row >= rows:
            if rows == 0 or (row - (rows - 1)) * period > 50:
                raise KaldiError(
                    f"Could not get iVector for frame {frame}, only available till frame {rows} * "
                    f"ivector-period={period} (mismatched --online-ivector-period?)"
                )
            row = rows - 1
        return row

    def keeps_modulus(self, factor: int, modulus: int) -> bool:
        """Always: the size of a chunk is a multiple of it."""
        return True


@dataclass(frozen=True)
class BatchChunks:
    """Those of nnet3-compute-batch: all of one size, the last one moved back to end with the utterance.

    ``exact_final_context``: an utterance that is shorter than a chunk is not padded to the length of one.
    """

    exact_final_context: bool = False
    minibatch_size: int = 128

    def cut(
        self, options: SimpleComputationOptions, chunk_size: int, left: int, right: int, num_frames: int
    ) -> list[Chunk]:
        """See ChunkRule.cut."""
        factor = options.frame_subsampling_factor
        total = -(-num_frames // factor)
        per_chunk = chunk_size // factor
        initial, final = options.extra_left_context_initial, options.extra_right_context_final
        chunks = []
        for start in range(0, total, per_chunk):
            used = min(per_chunk, total - start)
            if total <= per_chunk:
                first, n = 0, total if self.exact_final_context else per_chunk
            else:
                first, n = min(start, total - per_chunk), per_chunk
            extra_left, extra_right = options.extra_left_context, options.extra_right_context
            if first <= 0 and initial >= 0:
                extra_left = initial
            if first + n >= total and final >= 0:
                extra_right = final
            before = left + extra_left
            num_inputs = n * factor + before + right + extra_right
            chunks.append(Chunk(first, n, first * factor - before, num_inputs, before, start - first, used))
        return chunks

    def ivector_row(self, chunk: Chunk, factor: int, period: int, rows: int) -> int:
        """See ChunkRule.ivector_row (Kaldi: AddOnlineIvectorsToTasks)."""
        row = (chunk.first + chunk.num_outputs // 2) * factor // period
        if row >= rows:
            if rows == 0:  # Kaldi's margin of 20 frames is written such that it excludes nothing
                raise KaldiError(
                    f"Could not get iVector for frame {row}, online-ivectors matrix has {rows} rows. "
                    "Mismatched --online-ivector-period?"
                )
            row = rows - 1
        return row

    def keeps_modulus(self, factor: int, modulus: int) -> bool:
        """The last chunk may begin at any output frame."""
        return factor % modulus == 0


def fill_input(to: np.ndarray, chunk: Chunk, features: np.ndarray) -> None:
    """Fills ``to`` [num_inputs, D] with what a chunk sees of ``features`` [T, D]."""
    total = len(features)
    begin = min(max(-chunk.first_input, 0), chunk.num_inputs)  # rows before the utterance, and where it ends
    end = min(max(total - chunk.first_input, 0), chunk.num_inputs)
    to[:begin] = features[0]
    to[begin:end] = features[chunk.first_input + begin : chunk.first_input + end]
    to[end:] = features[-1]


def _same(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


def merge(chunks: list[Chunk], factor: int, left: int, right: int, max_outputs: int, unit: int) -> list[Chunk]:
    """Joins neighbouring chunks with the same i-vector into pieces of at most about ``max_outputs`` output frames.

    Only for networks whose outputs do not depend on the chunking; ``left``, ``right``: the network's context. Pieces of
    a long utterance are of about equal size, and begin at multiples of ``unit`` output frames.
    """
    runs: list[list[Chunk]] = []
    for chunk in chunks:
        if runs and _same(chunk.ivector, runs[-1][-1].ivector):
            runs[-1].append(chunk)
        else:
            runs.append([chunk])
    out = []
    for run in runs:
        total = sum(c.num_used for c in run)
        first = run[0].first + run[0].unused
        size = -(-total // -(-total // max(max_outputs, 1)))
        size = unit * -(-size // unit)
        for start in range(0, total, size):
            n = min(size, total - start)
            num_inputs = (n - 1) * factor + 1 + left + right
            at = (first + start) * factor - left
            out.append(Chunk(first + start, n, at, num_inputs, left, 0, n, run[0].ivector))
    return out
