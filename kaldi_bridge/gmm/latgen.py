"""Features and a GMM in, lattices out."""

from __future__ import annotations

from collections.abc import Iterator

from kaldi_bridge.errors import EntryError
from kaldi_bridge.features.front_end import Features, FrontEndOptions, processed
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.graph_scoring import scored
from kaldi_bridge.lattices.generation import LatticeOptions, LatticeWriter, Task, is_table_of_graphs, tasks_for_graph
from kaldi_bridge.tables import SequentialReader


def latgen(
    options: LatticeOptions,
    front_end: FrontEndOptions,
    model_in: str,
    graph_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None,
    alignments_wspecifier: str | None,
) -> int:
    """Decodes every utterance, reports; returns the exit status."""
    model = AcousticModel.read(model_in)
    with LatticeWriter(options, lattice_wspecifier, words_wspecifier, alignments_wspecifier) as writer:
        if is_table_of_graphs(graph_in):
            with Features(front_end, features_rspecifier) as features:
                writer.decode_all(_with_own_graphs(writer, features, model, graph_in), scaled=False)
        else:
            utterances = processed(front_end, features_rspecifier)
            matrices = (
                (key, model.mixtures.log_likelihoods(feats) if len(feats) else feats) for key, feats in utterances
            )
            writer.decode_all(tasks_for_graph(graph_in, model.transitions, matrices), scaled=False)
    return writer.report()


def _with_own_graphs(
    writer: LatticeWriter, features: Features, model: AcousticModel, graphs_rspecifier: str
) -> Iterator[Task]:
    with SequentialReader(graphs_rspecifier, FST) as graphs:
        for key, fst in graphs:
            if key not in features:
                writer.fail(f"Not decoding utterance {key} because no features available.")
                continue
            try:
                graph, matrix = scored(model, fst, features.of(key))
            except EntryError as error:
                writer.fail(str(error))
                continue
            yield key, matrix, graph
