"""Dictionary directories: lexicon and phone lists, of which lang directories are made (utils/validate_dict_dir.pl)."""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from kaldi_bridge.io.text_files import check_spaces, read_lines
from kaldi_bridge.lang.lexicon import Pronunciation, read_lexicon
from kaldi_bridge.lang.lexicon_fst import SilenceProbabilities

_FORBIDDEN_PHONE = re.compile(r"#.*|.*_[BESI]|<eps>")


@dataclass
class Dictionary:
    """Phones on a line are variants of one base phone.

    Attributes:
        silence_probabilities: of silprob.txt, where the lexicon is lexiconp_silprob.txt.
        word_boundary: path of a word_boundary.txt made elsewhere, if there is one.
    """

    silence_phones: list[list[str]]
    nonsilence_phones: list[list[str]]
    optional_silence: str
    extra_questions: list[list[str]]
    lexicon: list[Pronunciation]
    silence_probabilities: SilenceProbabilities | None = None
    word_boundary: Path | None = None

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Dictionary:
        """The lexicon is the first there is of lexiconp_silprob.txt, lexiconp.txt and lexicon.txt.

        Raises:
            KaldiError: a file is missing or malformed, or they do not belong together.
        """
        path = Path(path)
        if (path / "nonterminals.txt").exists():
            raise KaldiError(
                f"{path / 'nonterminals.txt'}: decoding with grammars of nonterminals is not possible here"
            )
        silence, nonsilence = (_phone_lists(path / f"{kind}_phones.txt") for kind in ("silence", "nonsilence"))
        known = _distinct(path, silence) | _distinct(path, nonsilence)
        both = {p for line in silence for p in line} & {p for line in nonsilence for p in line}
        if both:
            raise KaldiError(f"{path}: {min(both)} is a silence phone and a nonsilence phone")
        optional = _phone_lists(path / "optional_silence.txt")
        if len(optional) != 1 or len(optional[0]) != 1 or optional[0][0] not in itertools.chain(*silence):
            raise KaldiError(f"{path / 'optional_silence.txt'}: expected one phone of silence_phones.txt")
        questions = _questions(path / "extra_questions.txt", known)
        _check_distinguished(path, nonsilence, questions)
        boundary = path / "word_boundary.txt"
        return cls(
            silence,
            nonsilence,
            optional[0][0],
            questions,
            _lexicon(path, known),
            _silence_probabilities(path) if (path / "lexiconp_silprob.txt").exists() else None,
            boundary if boundary.exists() else None,
        )


def _phone_lists(path: Path) -> list[list[str]]:
    check_spaces(path)
    lists = [[first, *words(rest)] for first, rest in read_lines(path)]
    if not lists:
        raise KaldiError(f"empty file {path}")
    for phone in itertools.chain(*lists):
        if _FORBIDDEN_PHONE.fullmatch(phone):
            raise KaldiError(
                f"{path}: {phone} cannot be a phone: it looks like a disambiguation symbol or word position"
            )
    return lists


def _distinct(path: Path, lists: list[list[str]]) -> set[str]:
    phones = list(itertools.chain(*lists))
    for phone in phones:
        if phones.count(phone) > 1:
            raise KaldiError(f"{path}: phone {phone} is there twice")
    return set(phones)


def _questions(path: Path, known: set[str]) -> list[list[str]]:
    if not path.exists():
        return []
    check_spaces(path)
    questions = [[first, *words(rest)] for first, rest in read_lines(path)]
    for phone in itertools.chain(*questions):
        if phone not in known:
            raise KaldiError(f"{path}: {phone} is neither a silence nor a nonsilence phone")
    return questions


def _check_distinguished(path: Path, nonsilence: list[list[str]], questions: list[list[str]]) -> None:
    """Phones on one line share a tree root: a question must tell each two of them apart."""
    for line in nonsilence:
        for a, b in itertools.combinations(line, 2):
            if not any((a in question) != (b in question) for question in questions):
                raise KaldiError(
                    f"{path}: phones {a} and {b} share a tree root, but no line of extra_questions.txt tells them apart"
                )


def _lexicon(path: Path, known: set[str]) -> list[Pronunciation]:
    lexicons = {}
    for name, probabilities, silences in (
        ("lexiconp_silprob.txt", True, True),
        ("lexiconp.txt", True, False),
        ("lexicon.txt", False, False),
    ):
        if (path / name).exists():
            check_spaces(path / name)
            lexicons[name] = read_lexicon(path / name, probabilities, silences)
    if not lexicons:
        raise KaldiError(f"{path} has no lexicon.txt or lexiconp.txt")
    for (name, lexicon), (other_name, other) in itertools.pairwise(lexicons.items()):
        spoken, also = ([(e.word, e.phones) for e in entries] for entries in (lexicon, other))
        if spoken != also:
            raise KaldiError(f"{path}: {name} and {other_name} have not the same words and phones: remove one of them")
    name, lexicon = next(iter(lexicons.items()))
    for entry in lexicon:
        for phone in entry.phones:
            if phone not in known:
                raise KaldiError(f"{path / name}: phone {phone} of word {entry.word} is in none of the phone lists")
    return lexicon


def _silence_probabilities(path: Path) -> SilenceProbabilities:
    file = path / "silprob.txt"
    try:
        values = {key: float(value) for key, value in read_lines(file)}
        found = SilenceProbabilities(values["<s>"], values["</s>_s"], values["</s>_n"])
    except (ValueError, KeyError):
        raise KaldiError(f"{file}: expected lines of <s>, </s>_s, </s>_n and overall with a number") from None
    if not (0 < found.beginning < 1 and found.end_after_silence > 0 and found.end_after_word > 0):
        raise KaldiError(f"{file}: a probability is out of range")
    return found
