"""nnet-pytorch-format-lm: twin of utils/format_lm.sh."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import write_fst
from kaldi_bridge.graphs.decoding_graph import log_stochasticity
from kaldi_bridge.io.text_files import read_lines
from kaldi_bridge.lang.arpa import compile_arpa
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.grammar import check_grammar, word_loop

USAGE = """Make a lang directory for decoding: one for training with a language model, as G.fst.
Usage: nnet-pytorch-format-lm [options] <lang-dir> <arpa-lm> <lexicon> <out-lang-dir>
   or: nnet-pytorch-format-lm --word-loop=true [options] <lang-dir> <word-list> <lexicon> <out-lang-dir>
e.g.: nnet-pytorch-format-lm data/lang data/local/lm/tri.arpa.gz data/local/dict/lexicon.txt data/lang_test"""

COPIED = ("phones.txt", "words.txt", "topo", "L.fst", "L_disambig.fst", "oov.int", "oov.txt")


@dataclass
class Options:
    """Options beyond format_lm.sh, which has none."""

    word_loop: bool = option(False, "Any sequence of the words of a list, each as probable, instead of an ARPA file")
    end_probability: float = option(0.1, "With --word-loop: probability that a word is the last one")


def format_lm(options: Options, lang_dir: str, source: str, lexicon: str, out_dir: str) -> int:
    lang, out = Lang(lang_dir), Path(out_dir)
    if options.word_loop:
        grammar = word_loop([_number(lang, word, source) for word, _ in read_lines(source)], options.end_probability)
    else:
        grammar = compile_arpa(_plain(source), str(lang.path / "words.txt"), disambig_symbol="#0")
    silent = [_number(lang, word, lexicon) for word, phones in read_lines(lexicon) if not phones]
    check_grammar(grammar, lang.words, silent)
    out.mkdir(parents=True, exist_ok=True)
    if out.resolve() != lang.path.resolve():
        for name in COPIED:
            shutil.copyfile(lang.path / name, out / name)
        shutil.rmtree(out / "phones", ignore_errors=True)
        shutil.copytree(lang.path / "phones", out / "phones")
    write_fst(str(out / "G.fst"), grammar)
    log_stochasticity("G", grammar)
    return 0


def _plain(arpa: str) -> str:
    """What to read a file that may be compressed from."""
    return f"gunzip -c {shlex.quote(arpa)} |" if arpa.endswith(".gz") else arpa


def _number(lang: Lang, word: str, file: str) -> int:
    if word not in lang.words.numbers:
        raise KaldiError(f"{file}: word {word} is not in {lang.path}/words.txt")
    return lang.words.numbers[word]


main = command(format_lm, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
