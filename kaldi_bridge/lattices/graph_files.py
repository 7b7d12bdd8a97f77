"""What a model is decoded with, as it lies in a directory: HCLG.fst, or HCLr.fst and Gr.fst for composition on demand.

    graphs = GraphDirectory("exp/chain/tdnn/graph", transition_model)
    decode(graphs.graph, log_likelihoods, options, acoustic_scale)
    graphs.words[17]                                        # of words.txt, or of the table inside the graph
    decode(graphs.with_grammar(grammar), ...)               # another grammar of the same words

The names are those of utils/mkgraph.sh and mkgraph_lookahead.sh; Vosk's folders have them in graph/ or at their top.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, read_fst
from kaldi_bridge.fsts.labels import relabelled, without_labels, without_loops
from kaldi_bridge.fsts.lookahead import read_lookahead_fst
from kaldi_bridge.fsts.rational import arc_sorted
from kaldi_bridge.fsts.symbols import symbols_inside
from kaldi_bridge.graphs.grammar_fst import GrammarFst, is_grammar_fst
from kaldi_bridge.io.integer_sets import read_integers
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import decode
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.decoder import ComposedGraph, GrammarGraph, Graph, SearchLexicon

if TYPE_CHECKING:
    from kaldi_bridge.hmm.transition_model import TransitionModel


class LookaheadFiles(NamedTuple):
    """Files of a graph that is composed on demand: lexicon, grammar, and the lexicon's disambiguation symbols."""

    lexicon: str
    grammar: str
    disambig: str


def open_graph(graph_in: str | LookaheadFiles, model: TransitionModel) -> Graph:
    """The graph in a file (an FST, or a GrammarFst), or of such files, or of a graph directory. Raises KaldiError."""
    if isinstance(graph_in, LookaheadFiles):
        lexicon = _read_lexicon(graph_in.lexicon, read_integers(graph_in.disambig), model)
        return ComposedGraph(lexicon, read_fst(graph_in.grammar), graph_in.grammar)
    if graph_in and Path(graph_in).is_dir():
        return GraphDirectory(graph_in, model).graph
    with open_input(graph_in) as stream:
        if is_grammar_fst(stream):
            return GrammarGraph(GrammarFst.read(stream), model, graph_in)
        return Graph(Fst.read(stream), model, graph_in)


def _read_lexicon(rxfilename: str, disambig: list[int], model: TransitionModel) -> SearchLexicon:
    return SearchLexicon(read_lookahead_fst(rxfilename), model, disambig, rxfilename)


class GraphDirectory:
    """A directory with HCLG.fst, or else HCLr.fst, Gr.fst and, where there is one, disambig_tid.int.

    Attributes:
        path: of the directory.
        is_composed: whether its graph is composed of HCLr.fst and a grammar, which can be another one.
        graph: what the search decodes with; any number of threads at a time may.

    Raises:
        KaldiError: files are missing or truncated, or do not belong to the model.
    """

    def __init__(self, path: str | os.PathLike[str], model: TransitionModel) -> None:
        self.path = Path(path)
        self._model = model
        self.graph: Graph
        whole, grammar = self.path / "HCLG.fst", self.path / "Gr.fst"
        self.is_composed = not whole.exists()
        if self.is_composed:
            lexicon, labels = _lexicon_files(self.path)
            self._lexicon = _read_lexicon(lexicon, labels, model)
            fst = read_fst(str(grammar))
            self.graph = ComposedGraph(self._lexicon, fst, str(grammar))
            self._labels = _numbers_in_lexicon(fst)
        else:
            fst = read_fst(str(whole))
            self.graph = Graph(fst, model, str(whole))
        self._symbols = fst.header.osymbols if fst.header else b""

    def with_grammar(self, grammar: Fst, name: str = "grammar") -> Graph:
        """The graph of another grammar, sorted by input label; its words have the numbers of ``words``.

        HCLr.fst may have given them others (mkgraph_lookahead.sh), which Gr.fst has on its input side.

        Raises KaldiError where the directory has a whole graph, HCLG.fst, whose grammar cannot be changed.
        """
        if not self.is_composed:
            raise KaldiError(f"{self.path} has a whole graph, HCLG.fst: the grammar of such a graph cannot be changed")
        if self._labels:
            grammar = arc_sorted(relabelled(grammar, self._labels, {}))
        return ComposedGraph(self._lexicon, grammar, name)

    @cached_property
    def words(self) -> SymbolTable:
        """Those inside the graph, else of words.txt. Raises KaldiError where there are none."""
        return graph_words(self.path, self._symbols)


def graph_of_all_words(path: Path) -> tuple[Fst, bytes]:
    """HCLG.fst, or else HCLr.fst, with the numbers of words that ``words`` has and no disambiguation symbols.

    Also the symbols inside of it, for ``graph_words``.

    Raises KaldiError where files are missing or cannot be read.
    """
    whole = path / "HCLG.fst"
    if whole.exists():
        fst = read_fst(str(whole))
        return fst, fst.header.osymbols if fst.header else b""
    lexicon, disambig = _lexicon_files(path)
    grammar = read_fst(str(path / "Gr.fst"))
    fst = read_lookahead_fst(lexicon).fst
    numbers = {inside: number for number, inside in _numbers_in_lexicon(grammar).items()}
    fst = without_loops(without_labels(relabelled(fst, {}, numbers), disambig))
    return fst, grammar.header.osymbols if grammar.header else b""


def _lexicon_files(path: Path) -> tuple[str, list[int]]:
    """The lexicon's file, and its disambiguation symbols."""
    lexicon, disambig = path / "HCLr.fst", path / "disambig_tid.int"
    if not (lexicon.exists() and (path / "Gr.fst").exists()):
        raise KaldiError(f"{path} has neither HCLG.fst nor both HCLr.fst and Gr.fst")
    return str(lexicon), read_integers(str(disambig)) if disambig.exists() else []


def _numbers_in_lexicon(grammar: Fst) -> dict[int, int]:
    """Of words that have other numbers in HCLr.fst, as Gr.fst has them on its input side."""
    renumbered = grammar.arcs[(grammar.arcs["ilabel"] != grammar.arcs["olabel"]) & (grammar.arcs["olabel"] != 0)]
    return dict(zip(renumbered["olabel"].tolist(), renumbered["ilabel"].tolist(), strict=True))


def graph_words(path: Path, symbols: bytes) -> SymbolTable:
    """The words of a graph directory: ``symbols`` inside its FST, else words.txt. Raises KaldiError for neither."""
    if symbols:
        inside = symbols_inside(symbols).by_number()
        return SymbolTable({number: decode(word) for number, word in inside.items()})
    file = path / "words.txt"
    if not file.exists():
        raise KaldiError(f"{path} has no words.txt, and its graph has no symbols inside")
    return SymbolTable.read(str(file))
