"""How often a network is called for long utterances, and for how many frames: each frame once, but for contexts."""

from collections.abc import Callable

import numpy as np
import pytest

from nnet3_compat.utterances.chunking import BatchChunks, ChunkRule, SimpleChunks
from nnet3_compat.utterances.computation import Computer, Utterance
from nnet3_compat.utterances.computation_options import SimpleComputationOptions

MINUTE, PERIOD, FACTOR, CHUNK = 6000, 10, 3, 51
CONTEXT = 29  # frames on each side


class CountingModel:
    """Outputs of nothing; keeps the shapes of its inputs, and the contexts, which layouts are made for."""

    left_context = right_context = CONTEXT
    modulus = 1
    input_dim, ivector_dim, output_dim = 4, 2, 3
    frame_subsampling_factor = FACTOR
    on_cpu = any_thread = True
    num_threads = 1

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []
        self.layouts: set[tuple[int, int, int]] = set()

    def chunk_invariant(self, num_outputs: int) -> bool:
        return True

    def __call__(self, features: np.ndarray, ivector: np.ndarray | None, left: int, num_outputs: int) -> np.ndarray:
        self.calls.append((features.shape[0], features.shape[1]))
        self.layouts.add((features.shape[1], left, num_outputs))
        return np.zeros((len(features), num_outputs, self.output_dim), np.float32)


@pytest.mark.parametrize("rule", [SimpleChunks(), BatchChunks()], ids=["compute", "compute-batch"])
@pytest.mark.parametrize(
    ("ivectors", "pieces"),
    [
        (lambda rows: np.repeat(np.arange(rows), 2).reshape(-1, 2), -(-MINUTE // CHUNK)),
        (lambda rows: np.ones((rows, 2)), MINUTE // Computer.PIECE_FRAMES),
    ],
    ids=["changing", "constant"],
)
def test_minutes_with_ivectors(ivectors: Callable[[int], np.ndarray], pieces: int, rule: ChunkRule) -> None:
    """Chunks between which the i-vector changes are computed together, others as few long pieces."""
    options = SimpleComputationOptions(frame_subsampling_factor=FACTOR, frames_per_chunk=CHUNK)
    model = CountingModel()
    computer = Computer(model, options, rule=rule)
    online = ivectors(MINUTE // PERIOD).astype(np.float32)
    utterances = [
        Utterance(str(i), np.zeros((MINUTE - i, 4), np.float32), online_ivectors=online, ivector_period=PERIOD)
        for i in range(3)
    ]
    outputs = dict(computer.compute_many(utterances))
    assert [len(outputs[str(i)]) for i in range(3)] == [-(-(MINUTE - i) // FACTOR) for i in range(3)]
    frames = sum(sequences * length for sequences, length in model.calls)
    assert frames <= 3 * (MINUTE + pieces * (2 * CONTEXT + FACTOR))
    assert len(model.calls) <= 2 * frames / Computer.BATCH_FRAMES + 3  # besides the last chunks
    assert len(model.layouts) <= 4
