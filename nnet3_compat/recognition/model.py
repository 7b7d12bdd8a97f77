"""A model with its graph, read once for any number of recognizers."""

from __future__ import annotations

import os
from pathlib import Path

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.graph_files import GraphDirectory
from kaldi_bridge.lattices.word_alignment import (
    LexiconAligner,
    WordAligner,
    WordLabelOptions,
    read_alignment_lexicon,
    read_word_boundaries,
)
from nnet3_compat.recognition.acoustic_model import AcousticModel
from nnet3_compat.recognition.kaldi_folder import KaldiFolder
from nnet3_compat.recognition.lattice_results import LatticeResults
from nnet3_compat.recognition.model_folder import GraphFiles, ModelFolder
from nnet3_compat.recognition.rescoring import find_rescoring
from nnet3_compat.recognition.vosk_folder import VoskFolder, is_vosk_folder


def open_folder(path: str | os.PathLike[str], graph: str = "") -> ModelFolder:
    """A folder for Vosk, of either layout, or one of Kaldi's for online decoding. Raises KaldiError for others."""
    folder = Path(path)
    if not folder.is_dir():
        raise KaldiError(f"{folder}: no such folder")
    if is_vosk_folder(folder):
        if graph:
            raise KaldiError(f"{folder} is a folder for Vosk, which has its graph inside: --graph={graph} has no place")
        return VoskFolder(folder)
    if (folder / "conf/online.conf").is_file():
        return KaldiFolder(folder, graph)
    raise KaldiError(
        f"{folder} holds no model: there are neither am/final.mdl and conf/model.conf, nor final.mdl and mfcc.conf "
        "(for Vosk), nor final.mdl and conf/online.conf (Kaldi's prepare_online_decoding.sh)"
    )


class Model:
    """What recognizers share; any number of them, in any threads.

    Args:
        path: the folder; ``graph``: that of the graph, for Kaldi's that hold none, or several.
        precision: of the network's products; "": as the folder's configuration or the model says.

    Attributes:
        sample_frequency: of the samples that its features are made of, in Hz.
        words: the vocabulary.
        setup: of the streams of recognizers.
        graphs: what is searched, and, where it is composed of HCLr.fst and a grammar, what is with another grammar.

        rescoring: by a larger language model, where there is one.

    Raises:
        KaldiError: files are missing, cannot be read or do not fit together.
    """

    def __init__(self, path: str | os.PathLike[str], graph: str = "", precision: str = "") -> None:
        folder = open_folder(path, graph)
        folder.decoding.precision = precision or folder.decoding.precision
        acoustic = AcousticModel(folder)
        self.options, self.sample_frequency = acoustic.options, acoustic.sample_frequency
        self.graphs = GraphDirectory(folder.graph.directory, acoustic.transitions)
        self.words = self.graphs.words
        self.setup = acoustic.setup(self.graphs.graph)
        self.rescoring = find_rescoring(Path(path))
        phones = SymbolTable.read(str(folder.graph.phones)) if folder.graph.phones.is_file() else None
        self.results = LatticeResults(
            acoustic.transitions, self.words, word_aligner(folder.graph, acoustic.transitions), phones
        )

    def find_word(self, word: str) -> int:
        """The number of a word; -1 for one that the vocabulary has not."""
        return self.words.numbers.get(word, -1)


def word_aligner(files: GraphFiles, model: TransitionModel) -> WordAligner | LexiconAligner | None:
    """By the files that are there; None where neither is."""
    if files.word_boundary.is_file():
        return WordAligner(model, read_word_boundaries(str(files.word_boundary)), WordLabelOptions(), max_expand=0)
    if files.align_lexicon.is_file():
        return LexiconAligner(model, read_alignment_lexicon(str(files.align_lexicon)), 0, reorder=True, max_expand=0)
    return None
