"""From a stream of log-likelihoods to lattices, words and alignments in tables, as Kaldi's latgen programs do it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from types import TracebackType
from typing import NamedTuple, TypeGuard

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.decoder import Decoded, Graph, SearchOptions, decode_each
from kaldi_bridge.lattices.graph_files import LookaheadFiles
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE
from kaldi_bridge.tables import SequentialReader, TableWriter, is_rspecifier
from kaldi_bridge.tables.holders import INT32_VECTOR
from kaldi_bridge.tables.threads import shares_in_order


@dataclass
class LatticeOptions(SearchOptions):
    """What all latgen programs have."""

    acoustic_scale: float = option(0.1, "Scaling factor for acoustic likelihoods")
    word_symbol_table: str = option("", "Symbol table for words: print the decoded words")
    allow_partial: bool = option(False, "If true, produce output even if end state was not reached.")


class Task(NamedTuple):
    """An utterance to be decoded.

    Attributes:
        frames: its length, for dividing the work; as many as ``scores`` gives, or more where these are subsampled.
        scores: gives the log-likelihoods [frames, pdfs]; called where the utterance is decoded.
    """

    key: str
    frames: int
    scores: Callable[[], np.ndarray]
    graph: Graph

    @classmethod
    def of(cls, key: str, matrix: np.ndarray, graph: Graph) -> Task:
        """With log-likelihoods that are there."""
        return cls(key, len(matrix), lambda: matrix, graph)


def graphs_in_table(rspecifier: str, model: TransitionModel) -> Iterator[tuple[str, Graph]]:
    """Each utterance's own graph."""
    with SequentialReader(rspecifier, FST) as graphs:
        for key, fst in graphs:
            yield key, Graph(fst, model, f"graph of {key}")


def is_table_of_graphs(graph_in: str | LookaheadFiles) -> TypeGuard[str]:
    """Whether there is a graph for each utterance, rather than one for all."""
    return isinstance(graph_in, str) and is_rspecifier(graph_in)


class LatticeWriter:
    """Writes what the search gives for each utterance; counts and reports.

    Attributes:
        done, failed: utterances with and without output; partial: those whose output does not reach the end.
        frames, log_likelihood: sums over the utterances with output.
    """

    def __init__(
        self, options: LatticeOptions, lattices: str, words: str | None = None, alignments: str | None = None
    ) -> None:
        options.check()
        self.options = options
        self.done = self.failed = self.partial = self.frames = 0
        self.log_likelihood = 0.0
        self._start = time.time()
        self._symbols = SymbolTable.read(options.word_symbol_table) if options.word_symbol_table else None
        with ExitStack() as stack:
            holder = COMPACT_LATTICE if options.determinize_lattice else LATTICE
            self._lattices = stack.enter_context(TableWriter(lattices, holder))
            self._words = stack.enter_context(TableWriter(words, INT32_VECTOR)) if words else None
            self._alignments = stack.enter_context(TableWriter(alignments, INT32_VECTOR)) if alignments else None
            self._stack = stack.pop_all()

    def __enter__(self) -> LatticeWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, trace)

    def fail(self, message: str) -> None:
        """Leaves an utterance out."""
        log.warning(message)
        self.failed += 1

    def decode_all(self, tasks: Iterable[Task], scaled: bool, num_threads: int = 1) -> None:
        """Decodes them with so many threads (see ``in_order``); writes in the order that they come in."""
        decoded = shares_in_order(
            lambda share: self._decoded(share, scaled), tasks, num_threads, lambda task: task.frames
        )
        for key, frames, found in decoded:
            self._write(key, frames, found)

    def _decoded(self, tasks: Sequence[Task], scaled: bool) -> Iterator[tuple[str, int, Decoded | None | EntryError]]:
        for graph, some in groupby(tasks, key=lambda task: task.graph):
            keys: list[str] = []
            matrices: list[np.ndarray] = []
            failure = None
            try:
                for task in some:
                    matrices.append(self._scores(task))
                    keys.append(task.key)
            except KaldiError as error:
                failure = error
            outcomes = decode_each(
                graph, [m for m in matrices if len(m)], self.options, self.options.acoustic_scale, scaled
            )
            for key, matrix in zip(keys, matrices, strict=True):
                if not len(matrix):
                    yield key, 0, EntryError(f"Zero-length utterance: {key}")
                elif isinstance(outcome := next(outcomes), EntryError):
                    yield key, len(matrix), EntryError(f"Failed to decode utterance with id {key}: {outcome}")
                else:
                    yield key, len(matrix), outcome
            if failure is not None:
                raise failure

    def _scores(self, task: Task) -> np.ndarray:
        """Raises KaldiError for what is of the wrong model."""
        matrix = task.scores()
        if len(matrix) and matrix.shape[1] < task.graph.num_pdfs:
            raise KaldiError(
                f"the graph needs {task.graph.num_pdfs} pdfs, but the log-likelihoods have {matrix.shape[1]}: "
                "the graph was made for another model"
            )
        return matrix

    def _write(self, key: str, frames: int, decoded: Decoded | None | EntryError) -> None:
        if isinstance(decoded, EntryError):
            self.fail(str(decoded))
            return
        if decoded is None:
            self.fail(f"Failed to decode utterance with id {key}")
            return
        if not decoded.reached_final:
            if not self.options.allow_partial:
                self.fail(
                    f"Not producing output for utterance {key} since no final-state reached and --allow-partial=false."
                )
                return
            log.warning(f"Outputting partial output for utterance {key} since no final-state reached")
            self.partial += 1
        if decoded.lattice.num_states == 0:
            self.fail(f"Unexpected problem getting lattice for utterance {key}")
            return
        if not decoded.complete:
            log.warning(f"Determinization finished earlier than the beam for utterance {key}")
        if self._words:
            self._words.write(key, decoded.words)
        if self._alignments:
            self._alignments.write(key, decoded.alignment)
        if self._symbols:
            print(key, *(self._symbols[word] for word in decoded.words), "", file=sys.stderr)
        self._lattices.write(key, decoded.lattice)
        likelihood = -sum(decoded.cost)
        log.info(f"Log-like per frame for utterance {key} is {likelihood / frames:g} over {frames} frames.")
        log.vlog(2, f"Cost for utterance {key} is {decoded.cost[0]:g} + {decoded.cost[1]:g}")
        self.done += 1
        self.frames += frames
        self.log_likelihood += likelihood

    def report(self, frame_subsampling_factor: int = 1) -> int:
        """The closing log lines; returns the exit status."""
        average = self.log_likelihood / self.frames if self.frames else float("nan")
        log.info(log.time_taken(time.time() - self._start, self.frames * frame_subsampling_factor))
        log.info(f"Done {self.done} utterances, failed for {self.failed}")
        log.info(f"Overall log-likelihood per frame is {average:g} over {self.frames} frames.")
        return 0 if self.done else 1

    def report_of_batches(self, frame_subsampling_factor: int) -> int:
        """As ``report``, in the words of NnetBatchDecoder (nnet3/nnet-batch-compute.cc)."""
        average = self.log_likelihood / max(self.frames, 1)
        log.info(f"Overall likelihood per frame was {average:g} over {self.frames} frames.")
        log.info(log.time_taken(time.time() - self._start, self.frames * frame_subsampling_factor))
        log.info(f"Done {self.done} utterances ({self.partial} forced out); failed for {self.failed}")
        return 0 if self.done else 1
