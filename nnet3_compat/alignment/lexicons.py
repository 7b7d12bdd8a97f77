"""What a model's words are: from a lang directory and its tree, or from the graph that it is decoded with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import read_tree
from kaldi_bridge.lang.added_words import AddedWord
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.lexicon import Pronunciation
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.graph_files import GraphDirectory, graph_words
from kaldi_bridge.lattices.pronounced_words import word_aligner as lang_word_aligner
from kaldi_bridge.lattices.word_alignment import LexiconAligner, WordAligner, alignment_lexicon
from nnet3_compat.alignment.graphs import ComposedGraphs, LexiconGraphs, TextGraphs, TrimmedGraphs
from nnet3_compat.alignment.options import AlignerOptions
from nnet3_compat.alignment.pronunciations import ExtraPronunciations
from nnet3_compat.alignment.vocabulary import Vocabulary
from nnet3_compat.recognition.acoustic_model import AcousticModel
from nnet3_compat.recognition.model import open_folder, word_aligner
from nnet3_compat.recognition.model_folder import ModelFolder
from nnet3_compat.recognition.vosk_folder import is_vosk_folder


@dataclass
class Words:
    """``phones``: names of the phones; None where none are told."""

    vocabulary: Vocabulary
    graphs: TextGraphs
    aligner: WordAligner | LexiconAligner
    phones: SymbolTable | None


def open_words(path: str, texts: Iterable[str], options: AlignerOptions) -> tuple[AcousticModel, Words]:
    """The model of a folder, and its words.

    Args:
        path: for Vosk, or Kaldi's for online decoding.
        texts: the words of all transcripts, as they are written.

    Raises:
        KaldiError: files are missing, cannot be read or do not fit together, or the options make no sense.
    """
    options.check()
    folder = open_folder(path, options.graph or ("" if is_vosk_folder(Path(path)) else options.lang))
    folder.decoding.frames_per_chunk = options.frames_per_chunk
    model = AcousticModel(folder)
    words = (_words_of_lang if options.lang else _words_of_graph)(options, folder, model, texts)
    return model, words


def _words_of_lang(options: AlignerOptions, folder: ModelFolder, model: AcousticModel, texts: Iterable[str]) -> Words:
    """Words that the lexicon lacks are spelled, where that can be."""
    lang = Lang(options.lang)
    tree = options.tree or str(folder.tree)
    if not Path(tree).is_file():
        raise KaldiError(
            f"there is no {tree}: graphs of a lexicon need the tree that the model was trained with (--tree)"
        )
    _check_phones(lang, model.transitions)
    extra = ExtraPronunciations(lang)
    unknown = options.unknown_word or lang.words[lang.oov]
    pronunciations = extra.of_file(options.lexicon) if options.lexicon else []
    known = Vocabulary(lang.words, unknown, (entry.word for entry in pronunciations))
    missing = [word for word in dict.fromkeys(texts) if known.find(word) is None]
    pronunciations += extra.spelled(missing)
    vocabulary = Vocabulary(lang.words, unknown, (entry.word for entry in pronunciations))
    added = [_numbered(entry, vocabulary, lang) for entry in pronunciations]
    scale = model.options.acoustic_scale  # 1 for chain models, 0.1 for others, as self-loops are scaled in their graphs
    graphs = LexiconGraphs(lang, read_tree(tree), model.transitions, added, scale)
    return Words(vocabulary, graphs, _lang_aligner(lang, model.transitions, added), lang.phones)


def _check_phones(lang: Lang, model: TransitionModel) -> None:
    unnamed = set(model.phones) - lang.phones.symbols.keys()
    if unnamed:
        raise KaldiError(f"{lang.path} belongs to another model: its phones.txt lacks the phone number {min(unnamed)}")


def _numbered(entry: Pronunciation, vocabulary: Vocabulary, lang: Lang) -> AddedWord:
    return AddedWord(vocabulary[entry.word], [lang.phones.numbers[phone] for phone in entry.phones])


def _lang_aligner(lang: Lang, model: TransitionModel, added: list[AddedWord]) -> WordAligner | LexiconAligner:
    aligner = lang_word_aligner(lang, model)
    if isinstance(aligner, WordAligner) or not added:
        return aligner
    lines = lang.align_lexicon + [[entry.word, entry.word, *entry.phones] for entry in added]
    return LexiconAligner(model, alignment_lexicon(lines, str(lang.path)), 0, reorder=True, max_expand=-1.0)


def _words_of_graph(options: AlignerOptions, folder: ModelFolder, model: AcousticModel, texts: Iterable[str]) -> Words:
    """Of HCLr.fst, or of HCLG.fst, of which only what says the words of the ``texts`` is kept."""
    path, transitions = folder.graph.directory, model.transitions
    aligner = word_aligner(folder.graph, transitions)
    if aligner is None:
        raise KaldiError(
            f"{path} has neither word_boundary.int nor align_lexicon.int, so words cannot be told apart: give --lang"
        )
    phones = SymbolTable.read(str(folder.graph.phones)) if folder.graph.phones.is_file() else None
    graphs: TextGraphs
    whole = path / "HCLG.fst"
    if whole.exists():
        fst = read_fst(str(whole))
        vocabulary = Vocabulary(graph_words(path, fst.header.osymbols if fst.header else b""), options.unknown_word)
        graphs = TrimmedGraphs(fst, transitions, vocabulary.numbers_of(texts))
    else:
        directory = GraphDirectory(path, transitions)
        vocabulary = Vocabulary(directory.words, options.unknown_word)
        graphs = ComposedGraphs(directory)
    return Words(vocabulary, graphs, aligner, phones)
