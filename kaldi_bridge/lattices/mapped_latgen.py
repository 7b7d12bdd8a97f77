"""Log-likelihoods in, lattices out: what the latgen-faster-mapped programs share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.lattices.generation import (
    LatticeOptions,
    LatticeWriter,
    Task,
    graphs_in_table,
    is_table_of_graphs,
)
from kaldi_bridge.lattices.graph_files import open_graph
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX


def latgen_mapped(
    options: LatticeOptions,
    num_threads: int,
    model_in: str,
    graph_in: str,
    log_likelihoods_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None,
    alignments_wspecifier: str | None,
) -> int:
    """Decodes every utterance, reports; returns the exit status."""
    with open_input(model_in) as stream:
        model = TransitionModel.read(stream, read_header(stream))
    with LatticeWriter(options, lattice_wspecifier, words_wspecifier, alignments_wspecifier) as writer:
        if is_table_of_graphs(graph_in):
            with RandomAccessReader(log_likelihoods_rspecifier, FLOAT_MATRIX) as matrices:
                tasks = _with_own_graphs(writer, matrices, graph_in, model)
                writer.decode_all(tasks, scaled=False, num_threads=num_threads)
        else:
            with SequentialReader(log_likelihoods_rspecifier, FLOAT_MATRIX) as matrices:
                graph = open_graph(graph_in, model)
                alone = (Task.of(key, matrix, graph) for key, matrix in of_each_pdf(matrices, model))
                writer.decode_all(alone, scaled=False, num_threads=num_threads)
    return writer.report()


def _with_own_graphs(
    writer: LatticeWriter, matrices: RandomAccessReader[np.ndarray], graphs_rspecifier: str, model: TransitionModel
) -> Iterator[Task]:
    for key, graph in graphs_in_table(graphs_rspecifier, model):
        if key in matrices:
            for _, matrix in of_each_pdf([(key, matrices[key])], model):
                yield Task.of(key, matrix, graph)
        else:
            writer.fail(f"Not decoding utterance {key} because no loglikes available.")


def of_each_pdf(matrices: Iterable[tuple[str, np.ndarray]], model: TransitionModel) -> Iterator[tuple[str, np.ndarray]]:
    """As in Kaldi's DecodableMatrixScaledMapped: a matrix for each pdf of the model a column, and no other."""
    for key, matrix in matrices:
        if len(matrix) and matrix.shape[1] != model.num_pdfs:
            raise KaldiError(
                f"{key}: mismatch, matrix has {matrix.shape[1]} cols but transition-model has {model.num_pdfs} pdf-ids."
            )
        yield key, matrix
