"""Alignment: the best way through an utterance's graph (decoder/decoder-wrappers.cc, AlignUtteranceWrapper)."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.rational import concatenated
from kaldi_bridge.graphs.transition_costs import transition_costs, with_costs
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.decoder import BestPath, Graph, SearchOptions, best_path
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT, FLOAT_VECTOR, INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop


@dataclass
class AlignOptions:
    """Kaldi's AlignConfig, and what else the align-compiled programs share."""

    beam: float = option(200.0, "Decoding beam used in alignment")
    retry_beam: float = option(0.0, "Decoding beam for second try at alignment")
    careful: bool = option(
        False, "Add a way back to the start of the graph: utterances that want to take it are failures"
    )
    transition_scale: float = option(1.0, "Transition-probability scale [relative to acoustics]")
    self_loop_scale: float = option(1.0, "Scale of self-loop versus non-self-loop log probs [relative to acoustics]")
    write_per_frame_acoustic_loglikes: str = option(
        "", "Wspecifier for the acoustic log-likelihood of each frame on the path, a vector for each utterance"
    )


class Aligner:
    """Aligns utterances and writes what was found.

        with Aligner(model, options, options.acoustic_scale, wspecifier, scores) as aligner:
            for utterance, fst in graphs:
                with aligner.loop.entry(utterance):
                    aligner.align(utterance, Graph(aligner.prepared(utterance, fst), model), log_likelihoods)
        return aligner.report()

    Args:
        acoustic_scale: of the log-likelihoods; ``scaled`` ones have it already.
    Raises:
        KaldiError: values of options with which no alignment is possible.
    """

    def __init__(
        self,
        transitions: TransitionModel,
        options: AlignOptions,
        acoustic_scale: float,
        alignments: str,
        scores: str | None,
        scaled: bool = False,
    ) -> None:
        beam, retry_beam = options.beam, options.retry_beam
        if not beam > 0 or (retry_beam != 0 and not retry_beam > beam):
            raise KaldiError(f"Beams do not make sense: beam {beam:g}, retry-beam {retry_beam:g}")
        if not acoustic_scale > 0:
            raise KaldiError(f"--acoustic-scale={acoustic_scale:g} must be positive")
        self.loop = TableLoop()
        self._options = options
        self._costs = transition_costs(transitions, options.transition_scale, options.self_loop_scale)
        self._acoustic_scale, self._given_scale = acoustic_scale, acoustic_scale if scaled else 1.0
        self._retried = self._frames = 0
        self._likelihood = 0.0
        per_frame = options.write_per_frame_acoustic_loglikes
        with ExitStack() as stack:
            self._alignments = stack.enter_context(TableWriter(alignments, INT32_VECTOR))
            self._scores = stack.enter_context(TableWriter(scores, FLOAT)) if scores else None
            self._per_frame = stack.enter_context(TableWriter(per_frame, FLOAT_VECTOR)) if per_frame else None
            self._stack = stack.pop_all()

    def __enter__(self) -> Aligner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, trace)

    def prepared(self, utterance: str, graph: Fst) -> Fst:
        """The graph as it is searched, with the costs of transitions.

        Raises EntryError where it is empty, KaldiError where it belongs to another model.
        """
        if graph.start < 0:
            raise EntryError(f"Empty decoding graph for {utterance}")
        graph = with_costs(graph, self._costs)
        return with_way_back(graph) if self._options.careful else graph

    def align(self, utterance: str, graph: Graph, log_likelihoods: np.ndarray) -> None:
        """Writes the alignment to log-likelihoods [frames, columns of the graph].

        Raises EntryError when there is no way through the graph.
        """
        failed = f"Did not successfully decode file {utterance}, len = {len(log_likelihoods)}"
        retry_beam = self._options.retry_beam
        try:
            path = self._search(graph, log_likelihoods, self._options.beam)
            if path is None and retry_beam:
                log.warning(f"Retrying utterance {utterance} with beam {retry_beam:g}")
                self._retried += 1
                path = self._search(graph, log_likelihoods, retry_beam)
        except EntryError as error:
            raise EntryError(f"{failed}: {error}") from None
        if path is None:
            raise EntryError(failed)
        self._alignments.write(utterance, path.alignment)
        if self._scores is not None:
            self._scores.write(utterance, -sum(path.cost))
        if self._per_frame is not None:
            columns = graph.column_of_id[path.alignment]
            on_path = log_likelihoods[np.arange(len(columns)), columns]
            self._per_frame.write(utterance, on_path / np.float32(self._given_scale))
        self._likelihood -= sum(path.cost) / self._acoustic_scale
        self._frames += len(path.alignment)

    def report(self) -> int:
        """The closing log lines; returns the exit status."""
        average = self._likelihood / self._frames if self._frames else float("nan")
        log.info(f"Overall log-likelihood per frame is {average:g} over {self._frames} frames.")
        log.info(f"Retried {self._retried} out of {self.loop.done + self.loop.failed} utterances.")
        log.info(f"Done {self.loop.done}, errors on {self.loop.failed}")
        return self.loop.status

    def _search(self, graph: Graph, log_likelihoods: np.ndarray, beam: float) -> BestPath | None:
        options = SearchOptions(beam=beam, min_active=20)
        path = best_path(graph, log_likelihoods, options, self._acoustic_scale / self._given_scale)
        return path if path is not None and path.reached_final else None


def with_way_back(graph: Fst) -> Fst:
    """For careful alignment: where the graph ends it may begin again, but that second round has no end.

    Of a recording that holds more than its transcript the second round takes the rest better than the last states do,
    so that these fall out of the beam and no end is reached (ModifyGraphForCarefulAlignment).
    """
    ways = concatenated(graph, graph.changed(finals=np.full_like(graph.finals, np.inf)))
    return ways.changed(finals=np.concatenate([graph.finals, ways.finals[graph.num_states :]]))
