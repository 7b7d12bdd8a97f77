"""Features and a network in, lattices out: what the latgen-faster programs share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.holders import FLOAT_MATRIX
from kaldi_bridge.lattice_generation import (
    LatticeOptions,
    LatticeWriter,
    Task,
    graphs_in_table,
    is_table_of_graphs,
    tasks_for_graph,
)
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.transition_model import TransitionModel
from nnet3_compat.computation_options import IvectorOptions, OptimizationOptions, SimpleComputationOptions


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
) -> int:
    """Decodes every utterance, reports; returns the exit status."""
    from nnet3_compat.compute_tables import Utterances
    from nnet3_compat.loading import make_computer
    from nnet3_compat.model_file import AmNnet, Archive, read_any

    model = read_any(model_in)
    transition_model = model.transition_model if isinstance(model, AmNnet | Archive) else None
    if transition_model is None:
        raise KaldiError(f"{model_in} has no transition model, so no graph can be searched with it: this needs a .mdl")
    computer = make_computer(model, options, use_gpu, use_priors=True, name=model_in)
    writer = LatticeWriter(options, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    with writer:
        if is_table_of_graphs(graph_in):
            tasks = _tasks_with_own_graphs(options, writer, computer, transition_model, graph_in, features_rspecifier)
            writer.decode_all(tasks, scaled=True, num_threads=num_threads)
        else:
            utterances = Utterances(features_rspecifier, options)
            outputs = computer.compute_many(utterances)
            writer.decode_all(tasks_for_graph(graph_in, transition_model, outputs), True, num_threads)
            writer.failed += utterances.failed
    return writer.report(options.frame_subsampling_factor)


def _tasks_with_own_graphs(  # type: ignore[no-untyped-def]
    options: Options,
    writer: LatticeWriter,
    computer,
    transition_model: TransitionModel,
    graphs_rspecifier: str,
    features_rspecifier: str,
) -> Iterator[Task]:
    from nnet3_compat.compute_tables import utterance_lookup

    with RandomAccessReader(features_rspecifier, FLOAT_MATRIX) as features:
        lookup = utterance_lookup(options)
        for key, graph in graphs_in_table(graphs_rspecifier, transition_model):
            if key not in features:
                writer.fail(f"Not decoding utterance {key} because no features available.")
                continue
            found = lookup(key, features[key])
            if isinstance(found, str):
                writer.fail(found)
                continue
            output: np.ndarray = next(iter(computer.compute_many([found])))[1]
            yield key, output, graph
