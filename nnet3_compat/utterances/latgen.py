"""Features and a network in, lattices out: what the latgen-faster programs share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaldi_bridge.lattices.generation import (
    LatticeOptions,
    LatticeWriter,
    Task,
    graphs_in_table,
    is_table_of_graphs,
    tasks_for_graph,
)
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.utterances.computation_options import IvectorOptions, OptimizationOptions, SimpleComputationOptions

if TYPE_CHECKING:
    from kaldi_bridge.lattices.decoder import Graph
    from nnet3_compat.utterances.chunking import ChunkRule
    from nnet3_compat.utterances.computation import Computer
    from nnet3_compat.utterances.compute_tables import Utterances


@dataclass
class Options(LatticeOptions, SimpleComputationOptions, IvectorOptions, OptimizationOptions):
    """Options of nnet3-latgen-faster."""


def latgen(
    options: Options,
    use_gpu: str,
    num_threads: int,
    model_in: str,
    graph_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None,
    alignments_wspecifier: str | None,
    rule: ChunkRule | None = None,
) -> int:
    """Decodes every utterance, reports; returns the exit status. ``rule``: of batches, see Computer."""
    from nnet3_compat.model.model_file import read_with_transitions
    from nnet3_compat.utterances.compute_tables import Utterances
    from nnet3_compat.utterances.loading import make_computer

    model, transition_model = read_with_transitions(model_in)
    computer = make_computer(model, options, use_gpu, use_priors=True, name=model_in, rule=rule)
    utterances = Utterances(features_rspecifier, options)
    with LatticeWriter(options, lattice_wspecifier, words_wspecifier, alignments_wspecifier) as writer:
        if is_table_of_graphs(graph_in):
            tasks = _with_own_graphs(writer, utterances, computer, graphs_in_table(graph_in, transition_model))
        else:
            tasks = tasks_for_graph(graph_in, transition_model, computer.compute_many(utterances))
        writer.decode_all(tasks, scaled=True, num_threads=num_threads)
    writer.failed += utterances.failed
    report = writer.report if rule is None else writer.report_of_batches
    return report(options.frame_subsampling_factor)


def _with_own_graphs(
    writer: LatticeWriter, utterances: Utterances, computer: Computer, graphs: Iterator[tuple[str, Graph]]
) -> Iterator[Task]:
    with RandomAccessReader(utterances.feature_rspecifier, FLOAT_MATRIX) as features:
        for key, graph in graphs:
            if key not in features:
                writer.fail(f"Not decoding utterance {key} because no features available.")
                continue
            utterance = utterances.complete(key, features[key])
            if utterance is not None:
                for _, output in computer.compute_many([utterance]):
                    yield key, output, graph
