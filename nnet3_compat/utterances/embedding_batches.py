"""Vectors of recordings as means over chunks of one size, computed many at once (nnet3-xvector-compute-batched.cc)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from nnet3_compat.utterances.embedding import Embedder
from nnet3_compat.utterances.embedding_options import BatchedEmbeddingOptions


def chunk_starts(frames: int, size: int, context: int, pad: bool) -> list[int]:
    """First frames of the chunks of an utterance: without gaps and overlaps of what is pooled, as far as possible.

    Gaps where that makes the variance of the mean over all frames smaller than overlaps do; both are spread evenly.
    None for an utterance shorter than a chunk, unless ``pad``.
    """
    if frames <= size:
        return [0] if pad or frames == size else []
    pooled, step = frames - context, size - context
    fewer = pooled // step
    twice = (fewer + 1) * step - pooled  # frames that are counted twice with one chunk more
    once = pooled - twice
    if np.float32(1.0 / (fewer * step)) <= np.float32((once + 4.0 * twice) / (once + 2.0 * twice) ** 2):
        gaps = _pieces(pooled - fewer * step, fewer + 1)
        return [sum(gaps[: i + 1]) + i * step for i in range(fewer)]
    overlaps = _pieces(twice, fewer)
    return [i * step - sum(overlaps[:i]) for i in range(fewer + 1)]


def _pieces(total: int, count: int) -> list[int]:
    """Nearly equal ones, the smaller ones first."""
    size, larger = divmod(total, count)
    return [size] * (count - larger) + [size + 1] * larger


@dataclass
class _Pending:
    """An utterance of whose chunks not all are computed."""

    key: str
    chunks: int
    outputs: list[np.ndarray] = field(default_factory=list)


def embed_in_batches(
    embedder: Embedder, utterances: Iterable[tuple[str, np.ndarray]], options: BatchedEmbeddingOptions
) -> Iterator[tuple[str, np.ndarray]]:
    """(key, float32 [dim of vectors]) of each (key, features [frames, dim]), in order, of batches of chunks of all.

    Zeros for an utterance shorter than a chunk where ``pad_input`` is false, as Kaldi writes them.
    """
    if options.chunk_size <= embedder.context or options.batch_size < 1:
        raise KaldiError(
            f"--chunk-size={options.chunk_size} must exceed the network's context of {embedder.context} frames, and "
            f"--batch-size={options.batch_size} must be positive"
        )
    pending: deque[_Pending] = deque()
    waiting: list[tuple[_Pending, np.ndarray]] = []

    def compute() -> Iterator[tuple[str, np.ndarray]]:
        if waiting:
            for (owner, _), output in zip(
                waiting, embedder.many(np.stack([chunk for _, chunk in waiting])), strict=True
            ):
                owner.outputs.append(output)
            waiting.clear()
        while pending and len(pending[0].outputs) == pending[0].chunks:
            done = pending.popleft()
            mean = np.mean(done.outputs, axis=0) if done.outputs else np.zeros(embedder.dim, np.float32)
            yield done.key, mean

    for key, features in utterances:
        starts = chunk_starts(len(features), options.chunk_size, embedder.context, options.pad_input)
        if not starts:
            log.warning(f"{key} is shorter than a chunk: its x-vector is written as zeros")
        if features.shape[1] != embedder.input_dim:
            raise KaldiError(
                f"{key}: Feature dimension mismatch: neural net expected {embedder.input_dim}, got {features.shape[1]}"
            )
        owner = _Pending(key, len(starts))
        pending.append(owner)
        for start in starts:
            rows = np.minimum(np.arange(start, start + options.chunk_size), len(features) - 1)
            waiting.append((owner, features[rows]))
            if len(waiting) == options.batch_size:
                yield from compute()
    yield from compute()
