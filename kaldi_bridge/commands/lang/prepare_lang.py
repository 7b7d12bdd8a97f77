"""nnet-pytorch-prepare-lang: twin of utils/prepare_lang.sh."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lang.dictionary import Dictionary
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.preparation import LangOptions, LangPreparation
from kaldi_bridge.lang.validation import problems_of

USAGE = """Make a lang directory (phones, words, lexicon FSTs, topology) of a dictionary directory.
Usage: nnet-pytorch-prepare-lang [options] <dict-dir> <oov-word> <tmp-dir> <lang-dir>
e.g.: nnet-pytorch-prepare-lang data/local/dict "<UNK>" data/local/lang data/lang"""


@dataclass
class Options(LangOptions):
    """Options of prepare_lang.sh."""


def prepare_lang(options: Options, dict_dir: str, oov_word: str, tmp_dir: str, lang_dir: str) -> int:
    preparation = LangPreparation(Dictionary.read(dict_dir), oov_word, options)
    preparation.write_lexicons(tmp_dir)
    preparation.write(lang_dir)
    problems = problems_of(Lang(lang_dir), determinize=False)
    if problems:
        raise KaldiError(f"{lang_dir} is not right: {'; '.join(problems)}")
    phones, words = len(preparation.silence) + len(preparation.nonsilence), len(preparation.words)
    log.info(f"Wrote {lang_dir}: {phones} phones, {words} word symbols, {len(preparation.lexicon)} pronunciations")
    return 0


main = command(prepare_lang, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
