"""Features and a network in, lattices out: what the latgen-faster programs share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from kaldi_bridge.lattices.generation import (
    LatticeOptions,
    LatticeWriter,
    Task,
    graphs_in_table,
    is_table_of_graphs,
)
from kaldi_bridge.lattices.graph_files import open_graph
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.model.model_file import read_with_transitions
from nnet3_compat.model.priors import PriorOptions
from nnet3_compat.utterances.computation_options import IvectorOptions, OptimizationOptions, SimpleComputationOptions
from nnet3_compat.utterances.looped_options import LoopedOptions

if TYPE_CHECKING:
    import numpy as np

    from kaldi_bridge.hmm.transition_model import TransitionModel
    from kaldi_bridge.lattices.decoder import Graph
    from kaldi_bridge.lattices.graph_files import LookaheadFiles
    from nnet3_compat.utterances.chunking import ChunkRule
    from nnet3_compat.utterances.computation import Utterance
    from nnet3_compat.utterances.compute_tables import Utterances


class ComputesUtterances(Protocol):
    """Network outputs of utterances: a Computer, or a LoopedComputer.

    Attributes:
        any_thread: whether several threads may compute one each.
    """

    @property
    def any_thread(self) -> bool: ...

    def compute_one(self, utterance: Utterance) -> np.ndarray: ...

    def compute_many(self, utterances: Iterable[Utterance]) -> Iterator[tuple[str, np.ndarray]]: ...


@dataclass
class Options(LatticeOptions, SimpleComputationOptions, PriorOptions, IvectorOptions, OptimizationOptions):
    """Options of nnet3-latgen-faster."""


@dataclass
class LatgenLoopedOptions(LatticeOptions, LoopedOptions, IvectorOptions, OptimizationOptions):
    """Options of nnet3-latgen-faster-looped."""


def latgen(
    options: Options,
    use_gpu: str,
    num_threads: int,
    model_in: str,
    graph_in: str | LookaheadFiles,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None,
    alignments_wspecifier: str | None,
    rule: ChunkRule | None = None,
) -> int:
    """Decodes every utterance, reports; returns the exit status. ``rule``: of batches, see Computer."""
    from nnet3_compat.utterances.compute_tables import Utterances
    from nnet3_compat.utterances.loading import make_computer

    model, transitions = read_with_transitions(model_in)
    threads = 1 if num_threads > 1 else None  # each thread that searches computes too
    computer = make_computer(model, options, use_gpu, priors=options, name=model_in, rule=rule, threads=threads)
    with LatticeWriter(options, lattice_wspecifier, words_wspecifier, alignments_wspecifier) as writer:
        utterances = Utterances(features_rspecifier, options)
        decode_utterances(writer, utterances, computer, graph_in, transitions, num_threads)
    report = writer.report if rule is None else writer.report_of_batches
    return report(options.frame_subsampling_factor)


def latgen_looped(
    options: LatgenLoopedOptions,
    model_in: str,
    graph_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None,
    alignments_wspecifier: str | None,
    num_threads: int = 1,
) -> int:
    """The same with looped computation."""
    from nnet3_compat.utterances.compute_tables import Utterances
    from nnet3_compat.utterances.looped_computation import LoopedComputer

    model, transitions = read_with_transitions(model_in)
    computer = LoopedComputer(model, options, model_in)
    with LatticeWriter(options, lattice_wspecifier, words_wspecifier, alignments_wspecifier) as writer:
        utterances = Utterances(features_rspecifier, options)
        decode_utterances(writer, utterances, computer, graph_in, transitions, num_threads)
    return writer.report(options.frame_subsampling_factor)


def decode_utterances(
    writer: LatticeWriter,
    utterances: Utterances,
    computer: ComputesUtterances,
    graph_in: str | LookaheadFiles,
    transitions: TransitionModel,
    num_threads: int = 1,
) -> None:
    """Decodes all utterances with the one graph (see ``open_graph``), or each with its own of a table.

    With several threads each computes the network for what it decodes, if any thread may.
    """
    with ExitStack() as stack:
        if is_table_of_graphs(graph_in):
            features = stack.enter_context(RandomAccessReader(utterances.feature_rspecifier, FLOAT_MATRIX))
            wanted = _with_own_graphs(writer, utterances, features, graphs_in_table(graph_in, transitions))
        else:
            graph = open_graph(graph_in, transitions)
            wanted = ((utterance, graph) for utterance in utterances)
        tasks: Iterable[Task]
        if num_threads > 1 and computer.any_thread:
            tasks = (_to_be_computed(computer, utterance, graph) for utterance, graph in wanted)
        else:
            tasks = _computed(computer, wanted)
        writer.decode_all(tasks, scaled=True, num_threads=num_threads)
    writer.failed += utterances.failed


def _with_own_graphs(
    writer: LatticeWriter,
    utterances: Utterances,
    features: RandomAccessReader[np.ndarray],
    graphs: Iterator[tuple[str, Graph]],
) -> Iterator[tuple[Utterance, Graph]]:
    for key, graph in graphs:
        if key not in features:
            writer.fail(f"Not decoding utterance {key} because no features available.")
            continue
        utterance = utterances.complete(key, features[key])
        if utterance is not None:
            yield utterance, graph


def _to_be_computed(computer: ComputesUtterances, utterance: Utterance, graph: Graph) -> Task:
    return Task(utterance.key, len(utterance.features), partial(computer.compute_one, utterance), graph)


def _computed(computer: ComputesUtterances, wanted: Iterable[tuple[Utterance, Graph]]) -> Iterator[Task]:
    waiting: deque[Graph] = deque()  # of utterances that go through the network together

    def utterances() -> Iterator[Utterance]:
        for utterance, graph in wanted:
            waiting.append(graph)
            yield utterance

    for key, output in computer.compute_many(utterances()):
        yield Task.of(key, output, waiting.popleft())
