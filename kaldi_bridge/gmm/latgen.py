"""Features and a GMM in, lattices out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError
from kaldi_bridge.features.front_end import Features, FrontEndOptions, processed
from kaldi_bridge.fsts.fst import FST, read_fst
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.graph_scoring import graph_of_own_pdfs
from kaldi_bridge.gmm.model import MIXTURES, Mixtures
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.lattices.decoder import Graph
from kaldi_bridge.lattices.generation import LatticeOptions, LatticeWriter, Task, is_table_of_graphs
from kaldi_bridge.lattices.graph_files import open_graph
from kaldi_bridge.lattices.rescored_graph import ModelChange
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX


def latgen(
    options: LatticeOptions,
    front_end: FrontEndOptions,
    model_in: str,
    graph_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None,
    alignments_wspecifier: str | None,
    num_threads: int = 1,
    change: ModelChange | None = None,
) -> int:
    """Decodes every utterance, reports; returns the exit status. ``change``: of the graphs' language model."""
    model = AcousticModel.read(model_in)
    changed = change.of if change else (lambda graph: graph)
    with LatticeWriter(options, lattice_wspecifier, words_wspecifier, alignments_wspecifier) as writer:
        if is_table_of_graphs(graph_in):
            with Features(front_end, features_rspecifier) as features:
                writer.decode_all(_with_own_graphs(writer, features, model, graph_in, changed), False, num_threads)
        else:
            utterances = processed(front_end, features_rspecifier)
            graph = changed(open_graph(graph_in, model.transitions))
            tasks = (Task(key, len(feats), _scores(model.mixtures, feats), graph) for key, feats in utterances)
            writer.decode_all(tasks, False, num_threads)
    if change and change.missing_word:
        log.warning(f"A language model lacks the word {change.missing_word} of the graph: its paths were left out")
    return writer.report()


def _scores(mixtures: Mixtures, feats: np.ndarray) -> Callable[[], np.ndarray]:
    """What computes the log-likelihoods [frames, pdfs]."""
    return lambda: mixtures.log_likelihoods(feats) if len(feats) else feats


def _with_own_graphs(
    writer: LatticeWriter,
    features: Features,
    model: AcousticModel,
    graphs_rspecifier: str,
    changed: Callable[[Graph], Graph],
) -> Iterator[Task]:
    with SequentialReader(graphs_rspecifier, FST) as graphs:
        for key, fst in graphs:
            if key not in features:
                writer.fail(f"Not decoding utterance {key} because no features available.")
                continue
            try:
                feats = features.of(key)
            except EntryError as error:
                writer.fail(str(error))
                continue
            graph, pdfs = graph_of_own_pdfs(model, fst)
            yield Task(key, len(feats), partial(model.mixtures.log_likelihoods, feats, pdfs), changed(graph))


def latgen_of_speakers(
    options: LatticeOptions,
    utt2spk: str,
    model_in: str,
    mixtures_rspecifier: str,
    graph_in: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None,
    alignments_wspecifier: str | None,
) -> int:
    """As ``latgen``, with each speaker's mixtures, or each utterance's where there is no ``utt2spk``."""
    transitions = read_transition_model(model_in)
    of_all = None if is_table_of_graphs(graph_in) else Graph(read_fst(graph_in), transitions, graph_in)
    with (
        LatticeWriter(options, lattice_wspecifier, words_wspecifier, alignments_wspecifier) as writer,
        RandomAccessReader(mixtures_rspecifier, MIXTURES, utt2spk=utt2spk or None) as mixtures,
        SequentialReader(features_rspecifier, FLOAT_MATRIX) as reader,
        ExitStack() as stack,
    ):
        graphs = stack.enter_context(RandomAccessReader(graph_in, FST)) if of_all is None else None

        def tasks() -> Iterator[Task]:
            for key, feats in reader:
                if graphs is not None and key not in graphs:
                    writer.fail(f"Utterance {key} has no corresponding FST, skipping this utterance.")
                elif key not in mixtures:
                    writer.fail(f"Utterance {key} has no corresponding MAP model skipping this utterance.")
                elif not len(feats):
                    writer.fail(f"Zero-length utterance: {key}")
                else:
                    graph = of_all
                    if graphs is not None:
                        graph = Graph(graphs[key], transitions, f"graph of {key}")
                    assert graph is not None
                    yield Task(key, len(feats), _scores(mixtures[key], feats), graph)

        writer.decode_all(tasks(), scaled=False)
    return writer.report()
