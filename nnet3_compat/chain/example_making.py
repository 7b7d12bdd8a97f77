"""Chain examples of an utterance (chainbin/nnet3-chain-get-egs.cc)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.examples.chain_examples import TOKEN, ChainOutput
from kaldi_bridge.examples.cutting import InputCutter, frame_indexes
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.examples.supervision_splitting import SupervisionSplitter
from kaldi_bridge.examples.utterance_splitting import Chunk, UtteranceSplitter
from kaldi_bridge.fsts.packed_acceptors import PackedAcceptor
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.text import encode
from nnet3_compat.chain.normalization import normalized
from nnet3_compat.chain.unconstrained import unconstrained


@dataclass
class Utterance:
    """What examples are made of.

    Attributes:
        features: ``packed`` (kaldi_bridge.examples.cutting).
        ivectors: [rows, dim], one for each ``ivector_period`` frames.
        deriv_weights: one for each frame of the supervision.
    """

    key: str
    features: Any
    supervision: Supervision
    ivectors: np.ndarray | None = None
    ivector_period: int = 1
    deriv_weights: np.ndarray | None = None


class ExampleMaker:
    """Cuts utterances into examples.

    Args:
        normalization: whose costs are added to the supervisions; None: to be added later.
        model: makes supervisions of transition-ids flat-start ones.
        compress: compress features that are not.
        long_key: keys tell the contexts.
        tolerance: how far the lengths of supervision, features and weights may differ, in frames of the supervision.
    """

    def __init__(
        self,
        splitter: UtteranceSplitter,
        random: CRandom,
        normalization: PackedAcceptor | None = None,
        model: TransitionModel | None = None,
        compress: bool = True,
        long_key: bool = False,
        tolerance: int = 1,
    ) -> None:
        self._splitter, self._random = splitter, random
        self._normalization, self._model = normalization, model
        self._compress, self._long_key, self._tolerance = compress, long_key, tolerance

    def make(self, utterance: Utterance) -> bytes:
        """Examples as entries of an archive; none, and a warning, where lengths do not fit or are too short."""
        supervision, weights = utterance.supervision, utterance.deriv_weights
        frames, outputs = utterance.features.rows, supervision.frames_per_sequence
        if weights is not None and abs(len(weights) - outputs) > self._tolerance:
            log.warning(
                f"For utterance {utterance.key}, mismatch between deriv-weights dim and num-output-frames; "
                f"{len(weights)} vs {outputs}"
            )
            return b""
        if not self._splitter.lengths_match(utterance.key, frames, outputs, self._tolerance):
            return b""
        factor = self._splitter.options.frame_subsampling_factor
        frames = min(frames, outputs * factor)
        chunks = self._splitter.cut(frames)
        if not chunks:
            log.warning(f"Not producing egs for utterance {utterance.key} because it is too short: {frames} frames.")
            return b""
        cutter = SupervisionSplitter(supervision)
        inputs = InputCutter(
            utterance.features, utterance.ivectors, utterance.ivector_period, self._compress, self._random
        )
        if self._normalization is None and self._model is None:
            return inputs.pack_chain_examples(
                utterance.key, chunks, frames, cutter.targets, weights, long_keys=self._long_key
            )
        made = []
        for chunk in (Chunk(*fields) for fields in chunks.fields()):
            part = self._supervision(
                utterance, chunk, cutter.part(chunk.first_frame // factor, chunk.num_frames // factor)
            )
            if part is None:
                continue
            key = f"{utterance.key}-{chunk.first_frame}"
            if self._long_key:
                key += f"-{chunk.left_context}-{chunk.num_frames}-{chunk.right_context}-v1"
            self._random.rand()  # by which Kaldi chooses some supervisions to be checked
            output = self._output(utterance, chunk, part, factor)
            made += [encode(f"{key} "), inputs.pack_example(TOKEN, chunk, frames, output)]
        return b"".join(made)

    def _supervision(self, utterance: Utterance, chunk: Chunk, part: Supervision) -> Supervision | None:
        if self._model is not None:
            part = unconstrained(part, self._model, self._random)
        if self._normalization is None:
            return part
        made = normalized(part, self._normalization)
        if made is None:
            log.warning(
                f"For utterance {utterance.key}, feature frames {chunk.first_frame} to "
                f"{chunk.first_frame + chunk.num_frames}, FST was empty after composing with normalization FST. "
                "This should be extremely rare (a few per corpus, at most)"
            )
        return made

    def _output(self, utterance: Utterance, chunk: Chunk, supervision: Supervision, factor: int) -> ChainOutput:
        weights = chunk.output_weights
        if utterance.deriv_weights is not None:
            first = chunk.first_frame // factor
            given = utterance.deriv_weights[first : first + len(weights)]
            weights = weights * np.pad(given, (0, len(weights) - len(given)))
        return ChainOutput("output", frame_indexes(0, supervision.frames_per_sequence, factor), supervision, weights)
