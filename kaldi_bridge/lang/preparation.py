"""Lang directories of dictionary directories, file by file as utils/prepare_lang.sh makes them."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, write_fst
from kaldi_bridge.hmm.topology_making import hmm_topology
from kaldi_bridge.io.text import words
from kaldi_bridge.io.text_files import in_order, read_lines, write_text
from kaldi_bridge.lang.dictionary import Dictionary
from kaldi_bridge.lang.lexicon import Pronunciation, with_disambiguation, with_positions
from kaldi_bridge.lang.lexicon_fst import lexicon_fst, lexicon_fst_with_silence_probabilities
from kaldi_bridge.lang.symbol_table import SymbolTable

POSITIONS = ("_B", "_E", "_I", "_S")
_BOUNDARIES = {"_B": "begin", "_E": "end", "_I": "internal", "_S": "singleton"}


@dataclass
class LangOptions:
    """Options of prepare_lang.sh."""

    num_sil_states: int = option(5, "Number of states of silence phones")
    num_nonsil_states: int = option(3, "Number of states of other phones")
    position_dependent_phones: bool = option(True, "Mark phones with their position in the word: _B, _E, _S, _I")
    share_silence_phones: bool = option(False, "All silence phones share their pdfs")
    sil_prob: float = option(0.5, "Probability of silence between words; 0 for none")
    phone_symbol_table: str = option("", "Number phones as this phones.txt does, of a system that is there already")
    extra_word_disambig_syms: str = option("", "File of more disambiguation symbols of the grammar, one a line")
    num_extra_phone_disambig_syms: int = option(1, "Disambiguation symbols beyond those of words; 1 is for silence")


class LangPreparation:
    """What the files are made of.

    Attributes:
        phone_variants: each phone of the dictionary with the phones that it stands for, positions marked.
        lexicon, disambiguated: pronunciations in these phones, without and with disambiguation symbols.
        disambig, word_disambig: all disambiguation symbols, and those that the grammar has too.
        phones, words: the symbol tables.
    """

    def __init__(self, dictionary: Dictionary, oov: str, options: LangOptions) -> None:
        if not 0 <= options.sil_prob < 1:
            raise KaldiError(f"--sil-prob={options.sil_prob:g} must be from 0 to below 1")
        if options.num_extra_phone_disambig_syms < 1:
            raise KaldiError("--num-extra-phone-disambig-syms: at least 1 is needed, after silence")
        self.dictionary, self.oov, self.options = dictionary, oov, options
        positions = options.position_dependent_phones
        suffixes = POSITIONS if positions else ("",)
        silence, nonsilence = (
            list(itertools.chain(*lists)) for lists in (dictionary.silence_phones, dictionary.nonsilence_phones)
        )
        # Silence also comes without a position: as optional silence it is part of no word.
        self.phone_variants = {
            phone: [phone + s for s in (("", *suffixes) if positions else suffixes)] for phone in silence
        }
        self.phone_variants |= {phone: [phone + s for s in suffixes] for phone in nonsilence}
        self.silence, self.nonsilence = self._variants(silence), self._variants(nonsilence)
        self.lexicon = with_positions(dictionary.lexicon) if positions else dictionary.lexicon
        self.disambiguated, used = with_disambiguation(self.lexicon)
        self.last_disambig = used + options.num_extra_phone_disambig_syms
        self.word_disambig = ["#0", *_extra_disambig(options.extra_word_disambig_syms)]
        self.disambig = [f"#{n}" for n in range(self.last_disambig + 1)] + self.word_disambig[1:]
        self.phones = self._number_phones()
        vocabulary = in_order({entry.word for entry in self.lexicon})
        symbols = ["<eps>", *vocabulary, "#0", "<s>", "</s>", *self.word_disambig[1:]]
        self.words = {word: number for number, word in enumerate(symbols)}
        if oov not in vocabulary:
            raise KaldiError(f"the word {oov}, to stand for words that are not in the lexicon, is not in it itself")

    def _variants(self, phones: Iterable[str]) -> list[str]:
        return [variant for phone in phones for variant in self.phone_variants[phone]]

    def _number_phones(self) -> dict[str, int]:
        real = ["<eps>", *self.silence, *self.nonsilence]
        if not self.options.phone_symbol_table:
            return {phone: number for number, phone in enumerate([*real, *self.disambig])}
        table = self.options.phone_symbol_table
        given = SymbolTable.read(table).numbers
        for phone in [*real, "#0"]:
            if phone not in given:
                raise KaldiError(
                    f"phone {phone} is not in {table} (or --position-dependent-phones does not go with it)"
                )
        numbers = {phone: given[phone] for phone in sorted(real, key=given.__getitem__)}
        return numbers | {symbol: given["#0"] + i for i, symbol in enumerate(self.disambig)}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the lang directory; what was in its phones/ is gone."""
        path = Path(path)
        shutil.rmtree(path / "phones", ignore_errors=True)
        (path / "phones").mkdir(parents=True)
        self._write_symbols(path)
        self._write_phone_lists(path / "phones")
        self._write_sets(path / "phones")
        self._write_word_boundary(path / "phones")
        self._write_align_lexicon(path / "phones")
        numbers = self.phones
        topology = hmm_topology(
            [numbers[phone] for phone in self.nonsilence],
            [numbers[phone] for phone in self.silence],
            self.options.num_nonsil_states,
            self.options.num_sil_states,
        )
        _write(path / "topo", topology.rstrip("\n").split("\n"))
        write_fst(str(path / "L.fst"), self._lexicon_fst(self.lexicon))
        loops = [(self.phones[symbol], self.words[symbol]) for symbol in self.word_disambig]
        write_fst(str(path / "L_disambig.fst"), self._lexicon_fst(self.disambiguated, f"#{self.last_disambig}", loops))

    def _lexicon_fst(
        self, lexicon: list[Pronunciation], disambig: str | None = None, loops: Iterable[tuple[int, int]] = ()
    ) -> Fst:
        silence, probabilities = self.dictionary.optional_silence, self.dictionary.silence_probabilities
        loops = list(loops)
        if probabilities is None:
            prob = self.options.sil_prob
            return lexicon_fst(lexicon, self.phones, self.words, silence, prob, disambig, loops)
        return lexicon_fst_with_silence_probabilities(
            lexicon, self.phones, self.words, silence, probabilities, disambig, loops
        )

    def write_lexicons(self, path: str | os.PathLike[str]) -> None:
        """The lexicons in marked phones, as Kaldi leaves them in prepare_lang.sh's temporary directory."""
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        name = "lexiconp" if self.dictionary.silence_probabilities is None else "lexiconp_silprob"
        for end, lexicon in (("", self.lexicon), ("_disambig", self.disambiguated)):
            _write(
                path / f"{name}{end}.txt",
                ("\t".join([e.word, e.probability, *e.silence, " ".join(e.phones)]) for e in lexicon),
            )
        _write(path / "lex_ndisambig", [str(self.last_disambig)])
        _write(path / "phone_map.txt", (" ".join([phone, *v]) for phone, v in self.phone_variants.items()))

    def _write_symbols(self, path: Path) -> None:
        for name, symbols in (("phones.txt", self.phones), ("words.txt", self.words)):
            _write(path / name, (f"{symbol} {number}" for symbol, number in symbols.items()))
        _write(path / "oov.txt", [self.oov])
        _write(path / "oov.int", [str(self.words[self.oov])])

    def _write_phone_lists(self, folder: Path) -> None:
        lists = {
            "silence": self.silence,
            "nonsilence": self.nonsilence,
            "optional_silence": [self.dictionary.optional_silence],
            "context_indep": self.silence,
            "disambig": self.disambig,
        }
        for name, symbols in lists.items():
            numbers = [str(self.phones[symbol]) for symbol in symbols]
            _write(folder / f"{name}.txt", symbols)
            _write(folder / f"{name}.int", numbers)
            _write(folder / f"{name}.csl", [":".join(numbers)])
        _write(folder / "wdisambig.txt", self.word_disambig)
        _write(folder / "wdisambig_phones.int", (str(self.phones[symbol]) for symbol in self.word_disambig))
        _write(folder / "wdisambig_words.int", (str(self.words[symbol]) for symbol in self.word_disambig))

    def _write_sets(self, folder: Path) -> None:
        """Sets of phones that are variants of one, the roots of the tree, and the questions of the dictionary."""
        dictionary = self.dictionary
        silence = dictionary.silence_phones
        if self.options.share_silence_phones:
            silence = [list(itertools.chain(*silence))]
        sets = [self._variants(line) for line in [*silence, *dictionary.nonsilence_phones]]
        roots = [["shared", "split", *phones] for phones in sets]
        if self.options.share_silence_phones:
            roots[0][:2] = ["not-shared", "not-split"]
        self._write_lists(folder / "sets", map(" ".join, sets))
        self._write_lists(folder / "roots", map(" ".join, roots), first=2)
        questions = [" ".join(self._variants(question)) for question in dictionary.extra_questions]
        if self.options.position_dependent_phones:
            for lists, suffixes in ((dictionary.nonsilence_phones, POSITIONS), (silence, ("", *POSITIONS))):
                questions += ["".join(f"{p}{suffix} " for p in itertools.chain(*lists)) for suffix in suffixes]
        self._write_lists(folder / "extra_questions", questions)

    def _write_word_boundary(self, folder: Path) -> None:
        if self.options.position_dependent_phones:
            lines = [f"{p} {_BOUNDARIES.get(p[-2:], 'nonword')}" for p in [*self.silence, *self.nonsilence]]
        elif self.dictionary.word_boundary is not None:
            lines = [f"{phone} {kind}" for phone, kind in read_lines(self.dictionary.word_boundary)]
        else:
            return
        self._write_lists(folder / "word_boundary", lines, last=1)

    def _write_align_lexicon(self, folder: Path) -> None:
        """Each pronunciation as lattice-align-words-lexicon wants it, and silence as a word without symbol."""
        entries = [(entry.word, entry.phones) for entry in self.lexicon]
        entries.append(("<eps>", (self.dictionary.optional_silence,)))
        lines = in_order({" ".join([word, word, *phones]) for word, phones in entries})
        _write(folder / "align_lexicon.txt", lines)
        fields = (line.split(" ") for line in lines)
        _write(
            folder / "align_lexicon.int",
            (" ".join([*_numbers(line[:2], self.words), *_numbers(line[2:], self.phones)]) for line in fields),
        )

    def _write_lists(self, stem: Path, lines: Iterable[str], first: int = 0, last: int | None = None) -> None:
        """Lines of phones as .txt and, the fields from ``first`` to before ``last`` as numbers, as .int."""
        lines = list(lines)
        _write(stem.with_suffix(".txt"), lines)
        numbered = []
        for line in lines:
            fields = words(line)
            fields[first:last] = _numbers(fields[first:last], self.phones)
            numbered.append(" ".join(fields))
        _write(stem.with_suffix(".int"), numbered)


def _numbers(symbols: Iterable[str], table: Mapping[str, int]) -> list[str]:
    for symbol in symbols:
        if symbol not in table:
            raise KaldiError(f"{symbol} is no phone of this lang directory")
    return [str(table[symbol]) for symbol in symbols]


def _extra_disambig(path: str) -> list[str]:
    if not path:
        return []
    symbols = [first for first, _ in read_lines(path)]
    for symbol in symbols:
        if not re.fullmatch(r"#(?!-?\d+$).+", symbol):
            raise KaldiError(f"{path}: {symbol}: a disambiguation symbol is # and a name that is no number")
    if not symbols or len(set(symbols)) < len(symbols):
        raise KaldiError(f"{path}: no symbols, or one of them twice")
    return symbols


def _write(path: Path, lines: Iterable[str]) -> None:
    write_text(path, "".join(f"{line}\n" for line in lines))
