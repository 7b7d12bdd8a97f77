"""Examples with targets for each frame (nnet3bin/nnet3-get-egs.cc, nnet3-get-egs-dense-targets.cc)."""

from __future__ import annotations

from typing import Any, NoReturn

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.cutting import InputCutter
from kaldi_bridge.examples.utterance_splitting import UtteranceSplitter
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.tables.holders import ObjectHolder
from kaldi_bridge.tables.posterior import read_sparse_posterior


def _read(stream: InputStream, binary: bool) -> Any:
    posterior = read_sparse_posterior(stream, binary)
    return _csrc.PackedPosterior(posterior.offsets, posterior.indexes, posterior.weights)


def _not_written(stream: OutputStream, binary: bool, value: Any) -> NoReturn:
    raise KaldiError(f"{stream.name}: packed posteriors are for reading only")


PACKED_POSTERIOR = ObjectHolder[Any](_read, _not_written, form="packed posterior")
"""A posterior, to be cut in C++; ``rows``: how many frames it has."""


def frame_examples(
    key: str,
    frames: int,
    cutter: InputCutter,
    targets: Any,
    num_targets: int,
    splitter: UtteranceSplitter,
    tolerance: int,
) -> bytes:
    """The examples of an utterance of so many frames, as entries of an archive; none, and a warning, if there are none.

    ``targets``: as ``InputCutter.pack_frame_examples`` takes them, ``num_targets`` rows.
    """
    if not splitter.lengths_match(key, frames, num_targets, tolerance) or not num_targets:
        return b""
    chunks = splitter.cut(frames)
    if not chunks:
        log.warning(f"Not producing egs for utterance {key} because it is too short: {frames} frames.")
        return b""
    return cutter.pack_frame_examples(key, chunks, frames, targets)
