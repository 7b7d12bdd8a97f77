"""Networks over whole utterances: chunks as Kaldi cuts them, many computed at once.

    computer = Computer(model, options, log_priors)
    output = computer.compute(features, ivector=...)             # [ceil(T / f), P]
    for key, output in computer.compute_many(utterances): ...     # a stream, in the order of the input

``model`` is a Network or anything else that follows ``Model`` below, such as a loaded archive. Outputs are those of
nnet3-compute (or of nnet3-compute-batch) for the same options: minus log priors, times the acoustic scale.

Where the network's structure is the same in every chunk, so that an output frame does not depend on where its chunk
begins and ends (``Model.chunk_invariant``), neighbouring chunks with equal i-vectors are computed as one: nothing is
computed twice at chunk borders. Other networks (recurrent, or with optional inputs) see exactly Kaldi's chunks, and
chunks of the same shape from several utterances go through the network together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.tables.threads import in_order
from nnet3_compat.utterances.chunking import Chunk, ChunkRule, SimpleChunks, fill_input, merge, round_chunk_size
from nnet3_compat.utterances.computation_options import SimpleComputationOptions


class Model(Protocol):
    """What a Computer needs of a network.

    The call takes features [N, T, D], the first frame ``left`` frames before the first output, and i-vectors [N, K] or
    None, and gives ``num_outputs`` frames per sequence, ``frame_subsampling_factor`` apart: [N, num_outputs, P].

    Attributes:
        on_cpu: whether it computes there, so that batches need not be large.
        any_thread: whether several threads may call it at a time.
        num_threads: that it shall keep busy: those that call it, where any may.
    """

    left_context: int
    right_context: int
    modulus: int
    input_dim: int
    ivector_dim: int
    output_dim: int
    frame_subsampling_factor: int
    on_cpu: bool
    any_thread: bool
    num_threads: int

    def chunk_invariant(self, num_outputs: int) -> bool:
        """Whether outputs do not depend on how the utterance is cut into chunks (of ``num_outputs`` frames or more)."""
        ...

    def __call__(self, features: np.ndarray, ivector: np.ndarray | None, left: int, num_outputs: int) -> np.ndarray: ...


@dataclass
class Utterance:
    """Features [T, D]; an i-vector [K], or online i-vectors [R, K], one every ``ivector_period`` frames, or neither."""

    key: str
    features: np.ndarray
    ivector: np.ndarray | None = None
    online_ivectors: np.ndarray | None = None
    ivector_period: int = 0


@dataclass
class _Job:
    """An utterance on its way through the network."""

    utterance: Utterance
    chunks: list[Chunk]
    rows: int
    output: np.ndarray | None = None


class Computer:
    """Computes network outputs of utterances; see the top of this file.

    Args:
        model: on the device where it shall run.
        options: chunk sizes, contexts, acoustic scale.
        log_priors: [P], which are subtracted from the outputs; None: nothing.
        rule: how utterances are cut; default: as nnet3-compute does.
    Raises:
        KaldiError: options out of range, or a model with a fixed subsampling factor other than that of the options.
    """

    PIECE_FRAMES = 3000  # of input in one piece: long enough to hide the context, short enough for the memory
    BATCH_FRAMES = 4000  # of input through the network at once, on a CPU
    GATHER_FRAMES = 20000  # of input read ahead so that chunks of the same shape meet

    def __init__(
        self,
        model: Model,
        options: SimpleComputationOptions,
        log_priors: np.ndarray | None = None,
        rule: ChunkRule | None = None,
    ) -> None:
        self.model, self.options, self.rule = model, options, rule or SimpleChunks()
        if model.frame_subsampling_factor != options.frame_subsampling_factor:
            raise KaldiError(
                f"this model gives an output every {model.frame_subsampling_factor} frames, but "
                f"--frame-subsampling-factor={options.frame_subsampling_factor}"
            )
        self.chunk_size = round_chunk_size(options, model.modulus)
        self.log_priors: np.ndarray | None = None
        if log_priors is not None:
            if len(log_priors) != model.output_dim:
                raise KaldiError(f"the model has {len(log_priors)} priors but {model.output_dim} outputs")
            self.log_priors = np.array(log_priors, np.float32)
        per_chunk = self.chunk_size // options.frame_subsampling_factor
        shifts_fit = self.rule.keeps_modulus(options.frame_subsampling_factor, model.modulus)
        self.whole = shifts_fit and model.chunk_invariant(per_chunk)

    @property
    def any_thread(self) -> bool:
        """Whether several threads may compute an utterance each."""
        return self.model.any_thread

    def compute(
        self,
        features: np.ndarray,
        ivector: np.ndarray | None = None,
        online_ivectors: np.ndarray | None = None,
        ivector_period: int = 0,
    ) -> np.ndarray:
        """As ``compute_one``, of an utterance without a name."""
        return self.compute_one(Utterance("", features, ivector, online_ivectors, ivector_period))

    def compute_one(self, utterance: Utterance) -> np.ndarray:
        """The output of one utterance, float32 [ceil(T / f), P].

        Raises:
            KaldiError: no frames, wrong dimensions, i-vectors missing, superfluous or too few.
        """
        return next(self._run([self._job(utterance)]))[1]

    def compute_many(self, utterances: Iterable[Utterance]) -> Iterator[tuple[str, np.ndarray]]:
        """(key, output) of each utterance, in order; those before a faulty one are given out before it raises.

        Where the model has several threads that may call it, each is computed by itself, some ahead of those that are
        given out.
        """
        if self.model.any_thread and self.model.num_threads > 1:
            made = in_order(self._with_key, utterances, self.model.num_threads, lambda some: len(some.features))
            yield from made
            return
        waiting: list[_Job] = []
        frames = 0
        limit = self.GATHER_FRAMES if self.model.on_cpu else 20 * self.GATHER_FRAMES
        for utterance in utterances:
            try:
                job = self._job(utterance)
            except KaldiError:
                yield from self._run(waiting)
                raise
            waiting.append(job)
            frames += len(utterance.features)
            if frames >= limit or (self.whole and utterance.online_ivectors is None):
                yield from self._run(waiting)
                waiting, frames = [], 0
        yield from self._run(waiting)

    def num_outputs(self, utterance: Utterance) -> int:
        """Rows of the output."""
        return -(-len(utterance.features) // self.options.frame_subsampling_factor)

    def compute_blocks(self, utterance: Utterance) -> Iterator[np.ndarray]:
        """The rows of the output of one long utterance, some at a time: the whole of it need not fit into memory."""
        job = self._job(utterance)
        size = max(1, self.BATCH_FRAMES // job.chunks[0].num_inputs)
        for start in range(0, len(job.chunks), size):
            some = job.chunks[start : start + size]
            first = some[0].first + some[0].unused
            here = [replace(c, first=c.first - first) for c in some]
            part = _Job(utterance, here, sum(c.num_used for c in some))
            yield next(self._run([part]))[1]

    def check(self, utterance: Utterance) -> None:
        """Raises KaldiError where the utterance does not fit the model."""
        model, features = self.model, utterance.features
        if features.ndim != 2 or len(features) == 0:
            raise KaldiError(f"Zero-length utterance: {utterance.key}")
        if features.shape[1] != model.input_dim:
            given = features.shape[1]
            raise KaldiError(
                f"Neural net expects 'input' features with dimension {model.input_dim} but you provided {given}"
            )
        given = 0
        if utterance.ivector is not None and utterance.online_ivectors is not None:
            raise KaldiError("give --ivectors or --online-ivectors, not both")
        if utterance.ivector is not None:
            given = len(utterance.ivector)
        elif utterance.online_ivectors is not None:
            given = utterance.online_ivectors.shape[1]
            if utterance.ivector_period <= 0:
                raise KaldiError("You need to set the --online-ivector-period option!")
        if given != model.ivector_dim:
            raise KaldiError(
                f"Neural net expects 'ivector' features with dimension {model.ivector_dim} but you provided {given}"
            )

    def _job(self, utterance: Utterance) -> _Job:
        self.check(utterance)
        options, model = self.options, self.model
        factor = options.frame_subsampling_factor
        num_frames, context = len(utterance.features), (model.left_context, model.right_context)
        chunks = self.rule.cut(options, self.chunk_size, *context, num_frames)
        for chunk in chunks:
            chunk.ivector = utterance.ivector
            online = utterance.online_ivectors
            if online is not None:
                chunk.ivector = online[self.rule.ivector_row(chunk, factor, utterance.ivector_period, len(online))]
        if self.whole:
            unit = math.lcm(factor, model.modulus) // factor
            chunks = merge(chunks, factor, model.left_context, model.right_context, self.PIECE_FRAMES // factor, unit)
        total = -(-len(utterance.features) // factor)
        return _Job(utterance, chunks, total)

    def _run(self, jobs: list[_Job]) -> Iterator[tuple[str, np.ndarray]]:
        groups: dict[tuple[int, int, int], list[tuple[_Job, Chunk]]] = {}
        for job in jobs:
            for chunk in job.chunks:
                groups.setdefault((chunk.num_inputs, chunk.left, chunk.num_outputs), []).append((job, chunk))
        for (num_inputs, _, _), members in groups.items():
            size = max(1, self.BATCH_FRAMES // num_inputs) if self.model.on_cpu else self.rule.minibatch_size
            for start in range(0, len(members), size):
                self._run_batch(members[start : start + size])
        for job in jobs:
            assert job.output is not None
            yield job.utterance.key, job.output

    def _with_key(self, utterance: Utterance) -> tuple[str, np.ndarray]:
        return utterance.key, self.compute_one(utterance)

    def _run_batch(self, members: list[tuple[_Job, Chunk]]) -> None:
        chunk = members[0][1]
        features = np.empty((len(members), chunk.num_inputs, self.model.input_dim), np.float32)
        for to, (job, c) in zip(features, members, strict=True):
            fill_input(to, c, job.utterance.features)
        ivector = None
        if chunk.ivector is not None:
            ivector = np.stack([np.asarray(c.ivector, np.float32) for _, c in members])
        made = self.model(features, ivector, chunk.left, chunk.num_outputs)
        if self.log_priors is not None:
            made -= self.log_priors
        if self.options.acoustic_scale != 1.0:
            made *= np.float32(self.options.acoustic_scale)
        for y, (job, c) in zip(made, members, strict=True):
            if len(job.chunks) == 1 and c.num_used == len(y):
                job.output = y
                continue
            if job.output is None:
                job.output = np.empty((job.rows, self.model.output_dim), np.float32)
            first = c.first + c.unused
            job.output[first : first + c.num_used] = y[c.unused : c.unused + c.num_used]
