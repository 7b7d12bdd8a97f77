"""nnet-pytorch-xvector-compute-batched: twin of nnet3-xvector-compute-batched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR
from nnet3_compat.structure.request import INT_MAX, INT_MIN
from nnet3_compat.utterances.computation_options import COMPILER, NO_TRAINING, DeviceOptions
from nnet3_compat.utterances.embedding_options import BatchedEmbeddingOptions

USAGE = """Compute the x-vector of each utterance as the mean over chunks of one size, many of them at once.

Usage: nnet-pytorch-xvector-compute-batched [options] <raw-nnet-in> <features-rspecifier> <vector-wspecifier>
e.g.: nnet-pytorch-xvector-compute-batched --chunk-size=150 final.raw scp:feats.scp ark:xvectors.ark"""


@dataclass
class Options(BatchedEmbeddingOptions, DeviceOptions):
    """Options of nnet3-xvector-compute-batched."""

    use_gpu: str = option("no", "yes|no|optional|wait: whether to compute on a CUDA device")
    debug: bool = without_effect(False, COMPILER)
    cache_capacity: int = without_effect(64, COMPILER)
    use_shortcut: bool = without_effect(True, COMPILER)
    optimize: bool = without_effect(True, COMPILER)
    consolidate_model_update: bool = without_effect(True, COMPILER)
    propagate_in_place: bool = without_effect(True, COMPILER)
    backprop_in_place: bool = without_effect(True, COMPILER)
    extend_matrices: bool = without_effect(True, COMPILER)
    optimize_row_ops: bool = without_effect(True, COMPILER)
    split_row_ops: bool = without_effect(True, COMPILER)
    convert_addition: bool = without_effect(True, COMPILER)
    remove_assignments: bool = without_effect(True, COMPILER)
    allow_left_merge: bool = without_effect(True, COMPILER)
    allow_right_merge: bool = without_effect(True, COMPILER)
    initialize_undefined: bool = without_effect(True, COMPILER)
    move_sizing_commands: bool = without_effect(True, COMPILER)
    allocate_from_other: bool = without_effect(True, COMPILER)
    snip_row_ops: bool = without_effect(True, COMPILER)
    memory_compression_level: int = without_effect(1, COMPILER)
    min_deriv_time: int = without_effect(INT_MIN, NO_TRAINING)
    max_deriv_time: int = without_effect(INT_MAX, NO_TRAINING)
    max_deriv_time_relative: int = without_effect(INT_MAX, NO_TRAINING)


class _Utterances:
    """Yields (key, features) of those that have frames, and counts them."""

    def __init__(self, reader: SequentialReader[np.ndarray]) -> None:
        self.read = self.frames = 0
        self._reader = reader

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        for key, features in self._reader:
            if not len(features):
                log.warning(f"Zero-length utterance: {key}")
                continue
            self.read += 1
            self.frames += len(features)
            yield key, features


def xvector_compute_batched(options: Options, nnet_in: str, features_rspecifier: str, vector_wspecifier: str) -> int:
    start = time.time()
    from nnet3_compat.machine.device import select_device
    from nnet3_compat.model.model_file import read_nnet
    from nnet3_compat.utterances.embedding import Embedder
    from nnet3_compat.utterances.embedding_batches import embed_in_batches

    embedder = Embedder(read_nnet(nnet_in), select_device(options.use_gpu))
    written = 0
    with (
        SequentialReader(features_rspecifier, FLOAT_MATRIX) as reader,
        TableWriter(vector_wspecifier, FLOAT_VECTOR) as writer,
    ):
        utterances = _Utterances(reader)
        for key, vector in embed_in_batches(embedder, utterances, options):
            writer.write(key, vector)
            written += 1
    log.info(log.time_taken(time.time() - start, utterances.frames))
    log.info(f"Read {utterances.read} utterances, wrote {written} xvectors.")
    return 0 if written > utterances.read // 2 else 1


main = command(xvector_compute_batched, usage=USAGE)
if __name__ == "__main__":
    main()
