"""Vectors of windows along utterances, by networks that pool statistics (diarization/nnet3/xvector of Kaldi)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from kaldi_bridge.io.text_files import read_text
from nnet3_compat.machine.device import select_device
from nnet3_compat.model.changes import ChangeOptions, apply_config
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.utterances.embedding import Embedder, embed
from nnet3_compat.utterances.embedding_options import EmbeddingOptions

_AT_ONCE = 64  # windows of one length


def read_embedder(folder: Path, chunk_size: int, use_gpu: str) -> tuple[Embedder, EmbeddingOptions]:
    """Of a directory of Kaldi's sid/nnet3/xvector scripts: final.raw, cut by extract.config where that is there.

    ``chunk_size``: frames; -1: what its max_chunk_size says. Raises KaldiError.
    """
    least, most = (_number(folder / name) for name in ("min_chunk_size", "max_chunk_size"))
    if chunk_size > most:
        raise KaldiError(f"--chunk-size={chunk_size} is larger than {most}, which {folder}/max_chunk_size has")
    nnet, config = read_nnet(str(folder / "final.raw")), folder / "extract.config"
    if config.is_file():
        apply_config(nnet, ChangeOptions(nnet_config=str(config)))
    options = EmbeddingOptions(chunk_size if chunk_size > 0 else most, least)
    options.check()
    return Embedder(nnet, select_device(use_gpu)), options


def _number(file: Path) -> int:
    text = words(read_text(file))
    if len(text) != 1 or not re.fullmatch("[0-9]{1,9}", text[0]):
        raise KaldiError(f"{file}: expected a number of frames")
    return int(text[0])


def vectors_of(embedder: Embedder, pieces: Sequence[np.ndarray], options: EmbeddingOptions) -> np.ndarray:
    """float32 [N, dim] of features [frames, dim] of N windows, those of one length at once. Raises KaldiError."""
    vectors = np.zeros((len(pieces), embedder.dim), np.float32)
    for rows, numbers in _by_length(pieces):
        if options.min_chunk_size <= rows <= options.chunk_size:
            vectors[numbers] = embedder.many(np.stack([pieces[i] for i in numbers]))
        else:
            vectors[numbers] = [embed(embedder, pieces[i], options) for i in numbers]
    return vectors


def _by_length(pieces: Sequence[np.ndarray]) -> Iterator[tuple[int, list[int]]]:
    of_length: dict[int, list[int]] = defaultdict(list)
    for number, piece in enumerate(pieces):
        of_length[len(piece)].append(number)
    for rows, numbers in of_length.items():
        for begin in range(0, len(numbers), _AT_ONCE):
            yield rows, numbers[begin : begin + _AT_ONCE]
