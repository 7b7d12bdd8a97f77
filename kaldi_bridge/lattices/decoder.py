"""The search: scaled log-likelihoods and a decoding graph in, lattices out.

The work is done in C++ (csrc/search.h); while it runs, other Python threads can.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kaldi_bridge.command import option, without_effect
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC
from kaldi_bridge.lattices.determinization import NO_PHONES, DeterminizationOptions, filled, say
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice, of_parts

if TYPE_CHECKING:
    from kaldi_bridge.fsts.lookahead import LookaheadFst
    from kaldi_bridge.graphs.grammar_fst import GrammarFst
    from kaldi_bridge.hmm.transition_model import TransitionModel

MAX_INT = 2**31 - 1


@dataclass
class SearchOptions(DeterminizationOptions):
    """Kaldi's LatticeFasterDecoderConfig."""

    beam: float = option(16.0, "Decoding beam. Larger->slower, more accurate.")
    max_active: int = option(MAX_INT, "Decoder max active states. Larger->slower; more accurate")
    min_active: int = option(200, "Decoder minimum #active states.")
    lattice_beam: float = option(10.0, "Lattice generation beam. Larger->slower, and deeper lattices")
    prune_interval: int = option(25, "Interval (in frames) at which to prune tokens")
    determinize_lattice: bool = option(True, "If true, determinize the lattice, keeping one path per word sequence")
    beam_delta: float = option(0.5, "Increment of the beam where max-active or min-active set it")
    hash_ratio: float = without_effect(2.0, "The table of active states grows as needed")
    memory_pool_tokens_block_size: int = without_effect(256, "Memory is taken as needed here")
    memory_pool_links_block_size: int = without_effect(256, "Memory is taken as needed here")

    def check(self) -> None:
        """Raises KaldiError for values with which no search is possible."""
        for name in ("beam", "lattice_beam", "beam_delta", "prune_interval"):
            if not getattr(self, name) > 0:
                raise KaldiError(f"--{name.replace('_', '-')}={getattr(self, name)} must be greater than zero")
        if self.max_active <= 1 or not 0 <= self.min_active <= self.max_active:
            raise KaldiError(
                f"--max-active={self.max_active} must be greater than 1, "
                f"and --min-active={self.min_active} between 0 and it"
            )


class Graph:
    """A decoding graph that belongs to a transition model; made once, searched by any number of threads.

    It keeps the FST's arrays, in which arcs of a state may change their order.

    ``columns``: where each pdf's log-likelihoods are, int32 [pdfs]; in the column of its number by default.
    ``column_of_id``: the same by transition-id, -1 where there is none.
    Raises KaldiError when labels are no transition-ids of the model, or there is a cycle without input labels.

    Attributes:
        column_of_id: where the log-likelihoods of each transition-id are.
    """

    def __init__(
        self, fst: Fst, transition_model: TransitionModel, name: str = "graph", columns: np.ndarray | None = None
    ) -> None:
        self.phone_starts = transition_model.phone_starts
        self.column_of_id = transition_model.id_to_pdf
        if columns is not None:
            self.column_of_id = np.where(self.column_of_id >= 0, columns[self.column_of_id], -1)
        self._search(fst, name)

    def _search(self, fst: Fst, name: str) -> None:
        try:
            fst = _searchable(fst)
            self.native = _csrc.StaticGraph(fst.start, fst.finals, fst.offsets, fst.arcs, self.column_of_id.tolist())
        except ValueError as error:
            raise KaldiError(f"{name}: {error}") from None

    @property
    def num_pdfs(self) -> int:
        """Columns that log-likelihoods must have at least."""
        return int(self.native.num_pdfs)


class LabelGraph(Graph):
    """A graph of no transition model: its input label i is scored by column i - 1. As Graph otherwise."""

    def __init__(self, fst: Fst, name: str = "graph") -> None:
        self.phone_starts = NO_PHONES
        self.column_of_id = np.arange(-1, int(fst.arcs["ilabel"].max(initial=0)), dtype=np.int32)
        self._search(fst, name)

    def scores(self, log_likelihoods: np.ndarray) -> np.ndarray:
        """The log-likelihoods [frames, labels] as they are. Raises KaldiError where there are fewer than labels."""
        if log_likelihoods.shape[1] < self.num_pdfs:
            raise KaldiError(
                f"the graph has a label {self.num_pdfs}, the log-likelihoods only {log_likelihoods.shape[1]} columns"
            )
        return log_likelihoods


def _searchable(fst: Fst) -> Fst:
    """Without arcs that cannot be taken; its arrays are such that C++ can look at them."""
    possible = fst.arcs["weight"] != np.inf
    arcs, offsets = fst.arcs, fst.offsets
    if not possible.all():
        arcs = arcs[possible]
        offsets = np.concatenate([[0], np.cumsum(possible)])[offsets]
    return Fst(
        fst.start,
        np.ascontiguousarray(fst.finals, np.float32),
        np.ascontiguousarray(offsets, np.int64),
        np.require(arcs, ARC, ["C", "W"]),
    )


class SearchLexicon:
    """A lexicon of a transition model, from transition-ids to words, to be searched with any number of grammars.

    ``disambig``: input labels that are as good as none. Raises KaldiError when other labels are no transition-ids of
    the model, or there is a cycle without labels.
    """

    def __init__(
        self, lexicon: LookaheadFst, transition_model: TransitionModel, disambig: Sequence[int], name: str = "lexicon"
    ) -> None:
        self.phone_starts = transition_model.phone_starts
        self.name = name
        fst = lexicon.fst
        columns = transition_model.id_to_pdf.tolist()
        try:
            self.native = _csrc.SearchLexicon(
                fst.start, fst.finals, fst.offsets, fst.arcs, lexicon.reachable, columns, disambig
            )
        except ValueError as error:
            raise KaldiError(f"{name}: {error}") from None


class ComposedGraph(Graph):
    """The graph of a lexicon and a grammar, composed as the search comes by; as Graph otherwise.

    Results are those of the whole graph: costs of words come earlier on its paths, their sums are the same. A search
    keeps what it unfolds for those after it, ``kept_arcs`` (of 16 bytes each) from one frame to the next.

    Raises KaldiError when the grammar is not sorted by input label.
    """

    def __init__(self, lexicon: SearchLexicon, grammar: Fst, name: str = "grammar", kept_arcs: int = 1 << 21) -> None:
        self.phone_starts = lexicon.phone_starts
        try:
            self.native = _csrc.ComposedGraph(
                lexicon.native, grammar.start, grammar.finals, grammar.offsets, grammar.arcs, kept_arcs
            )
        except ValueError as error:
            raise KaldiError(f"{name} with {lexicon.name}: {error}") from None


class GrammarGraph(Graph):
    """Graphs that lead into one another, put together as the search comes by; as Graph otherwise.

    Raises KaldiError when labels are neither transition-ids of the model nor nonterminals, or there is a cycle without
    input labels. A search raises it where it comes to a nonterminal that has no graph.
    """

    def __init__(self, grammar: GrammarFst, transition_model: TransitionModel, name: str = "grammar") -> None:
        self.phone_starts = transition_model.phone_starts
        self.column_of_id = transition_model.id_to_pdf
        top, *others = (
            (
                fst.start,
                np.ascontiguousarray(fst.finals, np.float32),
                np.ascontiguousarray(fst.offsets, np.int64),
                np.ascontiguousarray(fst.arcs, ARC),
            )
            for fst in (grammar.top, *grammar.others.values())
        )
        self._arrays = top, others  # the graph reads them
        try:
            self.native = _csrc.GrammarGraph(
                grammar.nonterminals.offset, top, list(grammar.others), others, self.column_of_id.tolist()
            )
        except ValueError as error:
            raise KaldiError(f"{name}: {error}") from None


@dataclass
class Decoded:
    """The outcome for one utterance.

    Attributes:
        words, alignment: of the best path; transition-ids, one a frame.
        cost: (graph, acoustic) of the best path, the acoustic part scaled.
        lattice: CompactLattice, or Lattice where it was not to be determinized; acoustic costs not scaled.
        reached_final: False when no final state was reached, so that every last state counted as final.
        complete: False when there was too little memory to determinize the whole lattice beam.
    """

    words: list[int]
    alignment: list[int]
    cost: tuple[float, float]
    lattice: CompactLattice | Lattice
    reached_final: bool
    complete: bool


@dataclass
class BestPath:
    """``words``, ``alignment``, ``cost`` and ``reached_final`` as in Decoded; the path as a lattice, costs scaled."""

    words: list[int]
    alignment: list[int]
    cost: tuple[float, float]
    lattice: Lattice
    reached_final: bool


@dataclass
class TokenTable:
    """How many buckets Kaldi's table of tokens has (util/hash-list.h), and at least for each token of the last frame.

    It is gone through bucket by bucket, so that ties and the tightest beams depend on it; it only grows.
    """

    buckets: int = 1000
    ratio: float = 2.0


def best_path(
    graph: Graph,
    log_likelihoods: np.ndarray,
    options: SearchOptions,
    acoustic_scale: float,
    table: TokenTable | None = None,
) -> BestPath | None:
    """The best path only, by a search that knows no other (decoder/faster-decoder.cc); otherwise as ``decode``.

    ``table``: of a decoder for several utterances, changed by each; else each has its own.
    """
    table = table or TokenTable()

    def search(*arguments: Any) -> Any:
        return _csrc.search_best_path(*arguments, table.buckets, table.ratio)

    words, alignment, cost, reached_final, lattice, table.buckets = _searched(
        search, graph, log_likelihoods, options, acoustic_scale
    )
    return None if cost is None else BestPath(words, alignment, cost, Lattice(*lattice), reached_final)


def native_options(options: SearchOptions) -> _csrc.SearchOptions:
    """The options as the search in C++ takes them."""
    native = _csrc.SearchOptions()
    for name in ("beam", "max_active", "min_active", "lattice_beam", "prune_interval", "beam_delta"):
        setattr(native, name, getattr(options, name))
    return native


def _searched(search: Any, graph: Graph, log_likelihoods: np.ndarray, options: SearchOptions, scale: float) -> Any:
    check_values(log_likelihoods)
    try:
        return search(graph.native, native_options(options), log_likelihoods, scale)
    except ValueError as error:
        raise KaldiError(str(error)) from None


def check_values(log_likelihoods: np.ndarray) -> None:
    """Raises EntryError for log-likelihoods of an utterance that no path can be searched with."""
    # Minus infinity is what cannot be, and kept out of all paths; the maximum is not a number where any is not.
    if not log_likelihoods.max(initial=-np.inf) < np.inf:
        raise EntryError("the log-likelihoods have values that are plus infinity or not a number")


def decode(
    graph: Graph, log_likelihoods: np.ndarray, options: SearchOptions, acoustic_scale: float, scaled: bool = False
) -> Decoded | None:
    """Decodes log-likelihoods [frames, pdfs], not yet times the acoustic scale unless ``scaled``.

    None when no path survived. Raises KaldiError when there are no frames, too few pdfs, or values that are not finite.
    """
    outcome = next(decode_each(graph, [log_likelihoods], options, acoustic_scale, scaled))
    if isinstance(outcome, EntryError):
        raise outcome
    return outcome


def decode_each(
    graph: Graph,
    log_likelihoods: Sequence[np.ndarray],
    options: SearchOptions,
    acoustic_scale: float,
    scaled: bool = False,
) -> Iterator[Decoded | None | EntryError]:
    """The same of some utterances, all of them without the interpreter's lock.

    An EntryError, not raised, for one with values that are not finite. Raises KaldiError after the outcomes before.
    """
    errors: list[EntryError | None] = []
    good = []
    for matrix in log_likelihoods:
        try:
            check_values(matrix)
        except EntryError as error:
            errors.append(error)
        else:
            errors.append(None)
            good.append(matrix)
    scale = 1.0 if scaled else acoustic_scale
    try:
        found = _csrc.decode_each(
            graph.native, native_options(options), good, scale, outcome_options(graph, options, acoustic_scale)
        )
    except ValueError as error:
        raise KaldiError(str(error)) from None
    results = iter(found)
    for faulty in errors:
        yield faulty or made_outcome(next(results))


def outcome_options(graph: Graph, options: SearchOptions, acoustic_scale: float) -> _csrc.OutcomeOptions:
    """What the C++ makes of a search: a lattice, determinized or not, without the acoustic scale."""
    determinization = None
    if options.determinize_lattice:
        determinization = filled(_csrc.PhoneDeterminizeOptions(), options, options.lattice_beam)
    unscale = 1.0 / float(np.float32(acoustic_scale)) if acoustic_scale != 0.0 else 1.0
    return _csrc.OutcomeOptions(determinization, graph.phone_starts, unscale)


def made_outcome(found: Any) -> Decoded | None:
    """What the search in C++ found, as Python has it. Raises KaldiError where that is a message."""
    if found is None:
        return None
    if isinstance(found, str):
        raise KaldiError(found)
    words, alignment, cost, parts, reached_final, complete, messages = found
    say(messages)
    return Decoded(words, alignment, cost, of_parts(parts), reached_final, complete)
