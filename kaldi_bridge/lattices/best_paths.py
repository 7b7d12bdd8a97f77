"""Scores in, the best path through a graph out, without lattices: what decoding programs do (bin/decode-faster.cc)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.decoder import MAX_INT, BestPath, Graph, SearchOptions, TokenTable, best_path, decode
from kaldi_bridge.lattices.lattice import to_compact, to_lattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.paths import best_path_lattice
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop

ONE_PATH = 1e-3  # a lattice beam that leaves little else than the best path

Search = Callable[[Graph, np.ndarray, SearchOptions, float], BestPath | None]
"""As ``best_path``: of a graph, log-likelihoods, options and acoustic scale."""


@dataclass
class BestPathOptions:
    """What all these programs have."""

    acoustic_scale: float = option(0.1, "Scaling factor for acoustic likelihoods")
    word_symbol_table: str = option("", "Symbol table for words: print the decoded words")
    allow_partial: bool = option(True, "Produce output even when no final state was reached")


@dataclass
class FasterOptions:
    """Kaldi's FasterDecoderOptions."""

    beam: float = option(16.0, "Decoding beam. Larger->slower, more accurate.")
    max_active: int = option(MAX_INT, "Decoder max active states. Larger->slower; more accurate")
    min_active: int = option(20, "Decoder min active states (don't prune if #active less than this).")
    beam_delta: float = option(0.5, "Increment of the beam where max-active or min-active set it")
    hash_ratio: float = option(2.0, "Buckets of the table of active states, for each of them; ties depend on it")

    def search(self) -> tuple[Search, SearchOptions]:
        """The search with its table, for one program, and its options."""
        table = TokenTable(ratio=self.hash_ratio)
        options = SearchOptions(
            beam=self.beam, max_active=self.max_active, min_active=self.min_active, beam_delta=self.beam_delta
        )
        return partial(best_path, table=table), options


def best_path_of_lattice(
    graph: Graph, log_likelihoods: np.ndarray, options: SearchOptions, acoustic_scale: float
) -> BestPath | None:
    """As ``best_path``, by the search that makes lattices, whose beam does not become tighter within a frame."""
    options = replace(options, lattice_beam=ONE_PATH, determinize_lattice=False)
    decoded = decode(graph, log_likelihoods, options, acoustic_scale)
    if decoded is None:
        return None
    path = best_path_lattice(scale(to_compact(decoded.lattice), acoustic=acoustic_scale or 1.0))
    assert path is not None
    return BestPath(decoded.words, decoded.alignment, decoded.cost, to_lattice(path), decoded.reached_final)


def write_best_paths(
    find: Search,
    search: SearchOptions,
    options: BestPathOptions,
    graph: Graph,
    scores: Callable[[np.ndarray], np.ndarray],
    utterances: Iterable[tuple[str, np.ndarray]],
    words_wspecifier: str,
    alignments_wspecifier: str | None = None,
    lattices_wspecifier: str | None = None,
) -> int:
    """Decodes every utterance, reports; returns the exit status. Lattices have the best path alone.

    ``scores``: from what utterances have [frames, any] to log-likelihoods.
    """
    search.check()
    start = time.time()
    loop, total, frames = TableLoop(), 0.0, 0
    symbols = SymbolTable.read(options.word_symbol_table) if options.word_symbol_table else None
    with ExitStack() as stack:
        words = stack.enter_context(TableWriter(words_wspecifier, INT32_VECTOR))
        alignments = stack.enter_context(TableWriter(alignments_wspecifier or "ark:/dev/null", INT32_VECTOR))
        lattices = stack.enter_context(TableWriter(lattices_wspecifier or "ark:/dev/null", COMPACT_LATTICE))
        for utterance, feats in utterances:
            with loop.entry(utterance):
                if not len(feats):
                    raise EntryError(f"Zero-length utterance: {utterance}")
                try:
                    decoded = find(graph, scores(feats), search, options.acoustic_scale)
                except EntryError as error:
                    raise EntryError(f"Did not successfully decode utterance {utterance}: {error}") from None
                if decoded is None or not (decoded.reached_final or options.allow_partial):
                    raise EntryError(f"Did not successfully decode utterance {utterance}, len = {len(feats)}")
                if not decoded.reached_final:
                    log.warning(
                        "Decoder did not reach end-state, outputting partial traceback since --allow-partial=true"
                    )
                words.write(utterance, decoded.words)
                alignments.write(utterance, decoded.alignment)
                if lattices_wspecifier:
                    lattices.write(utterance, to_compact(scale(decoded.lattice, 1 / (options.acoustic_scale or 1.0))))
                if symbols:
                    print(utterance, *(symbols[word] for word in decoded.words), "", file=sys.stderr)
                likelihood = -sum(decoded.cost)
                total, frames = total + likelihood, frames + len(feats)
                log.info(
                    f"Log-like per frame for utterance {utterance} is {likelihood / len(feats):g} over "
                    f"{len(feats)} frames."
                )
    log.info(log.time_taken(time.time() - start, frames))
    log.info(f"Done {loop.done} utterances, failed for {loop.failed}")
    average = total / frames if frames else float("nan")
    log.info(f"Overall log-likelihood per frame is {average:g} over {frames} frames.")
    return loop.status
