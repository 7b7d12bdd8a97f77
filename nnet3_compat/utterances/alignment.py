"""Utterances aligned to their graphs by a network: what nnet3-align-compiled does."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaldi_bridge.command import option
from kaldi_bridge.fsts.fst import FST, Fst
from kaldi_bridge.lattices.alignment import Aligner, AlignOptions
from kaldi_bridge.lattices.decoder import Graph
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.model.priors import PriorOptions
from nnet3_compat.utterances.computation_options import IvectorOptions, OptimizationOptions, SimpleComputationOptions

if TYPE_CHECKING:
    from nnet3_compat.utterances.computation import Utterance


@dataclass
class AlignmentOptions(AlignOptions, SimpleComputationOptions, PriorOptions, IvectorOptions, OptimizationOptions):
    """Options of nnet3-align-compiled."""

    use_gpu: str = option("yes", "yes|no|optional|wait: whether to compute on a CUDA device")


def align_tables(
    options: AlignmentOptions, model_in: str, graphs: str, features: str, alignments: str, scores: str | None
) -> int:
    """Aligns every utterance that has a graph, reports; returns the exit status."""
    from nnet3_compat.model.model_file import read_with_transitions
    from nnet3_compat.utterances.compute_tables import Utterances
    from nnet3_compat.utterances.loading import make_computer

    model, transitions = read_with_transitions(model_in)
    computer = make_computer(model, options, options.use_gpu, priors=options, name=model_in)
    utterances = Utterances(features, options)
    waiting: deque[Fst] = deque()  # the graphs of utterances that go through the network together
    with (
        SequentialReader(graphs, FST) as graph_reader,
        RandomAccessReader(features, FLOAT_MATRIX) as feature_reader,
        Aligner(transitions, options, options.acoustic_scale, alignments, scores, scaled=True) as aligner,
    ):

        def complete() -> Iterator[Utterance]:
            for key, fst in graph_reader:
                if key not in feature_reader:
                    aligner.loop.fail(f"No features for utterance {key}")
                    continue
                utterance = utterances.complete(key, feature_reader[key])
                if utterance is not None:
                    waiting.append(fst)
                    yield utterance

        for key, output in computer.compute_many(complete()):
            fst = waiting.popleft()
            with aligner.loop.entry(key):
                aligner.align(key, Graph(aligner.prepared(key, fst), transitions), output)
        aligner.loop.failed += utterances.failed
        return aligner.report()
