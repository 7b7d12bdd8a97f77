"""What is wrong with a lang directory (utils/validate_lang.pl)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.io.text import words
from kaldi_bridge.io.text_files import check_spaces, read_lines
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.grammar import check_grammar
from kaldi_bridge.lang.lexicon_grammar import lexicon_and_grammar
from kaldi_bridge.lang.symbol_table import SymbolTable

LISTS = ("silence", "nonsilence", "optional_silence", "context_indep", "disambig")


def problems_of(lang: Lang, determinize: bool = True) -> list[str]:
    """Each with the file that it is in; ``determinize``: also whether L and G can be composed and determinized."""
    checks: list[Callable[[Lang], Iterable[str]]] = [
        _spaces,
        _phone_lists,
        _phone_sets,
        _all_phones,
        _topology,
        _word_boundary,
        _word_symbols,
        _lexicons,
    ]
    if (lang.path / "G.fst").exists():
        checks += [_grammar, *([_determinizable] if determinize else [])]
    return [problem for check in checks for problem in _guarded(check, lang)]


def _guarded(check: Callable[[Lang], Iterable[str]], lang: Lang) -> Iterator[str]:
    try:
        yield from check(lang)
    except KaldiError as error:
        yield str(error)


def _rows(path: Path) -> list[list[str]]:
    return [[first, *words(rest)] for first, rest in read_lines(path)]


def _disagreement(stem: Path, table: SymbolTable, first: int = 0, last: int | None = None) -> Iterator[str]:
    """Where fields ``first`` to before ``last`` of stem.int are not the numbers of those of stem.txt."""
    texts, numbers = _rows(stem.with_suffix(".txt")), _rows(stem.with_suffix(".int"))
    if len(texts) != len(numbers):
        yield f"{stem}.txt and .int have {len(texts)} and {len(numbers)} lines"
        return
    for text, line in zip(texts, numbers, strict=True):
        expected = [str(table.numbers.get(symbol, "nothing")) for symbol in text[first:last]]
        expected = text[:first] + expected + (text[last:] if last is not None else [])
        if expected != line:
            yield f"{stem}.int: {' '.join(line)!r} should be {' '.join(expected)!r}"
            return


def _spaces(lang: Lang) -> Iterator[str]:
    lists = [f"phones/{name}.txt" for name in (*LISTS, "sets", "roots", "extra_questions")]
    for path in (lang.path / name for name in ("phones.txt", "words.txt", *lists)):
        if path.exists():
            check_spaces(path)
    return iter(())


def _phone_lists(lang: Lang) -> Iterator[str]:
    for name in LISTS:
        stem = lang.path / "phones" / name
        yield from _disagreement(stem, lang.phones)
        colons = ":".join(number for row in _rows(stem.with_suffix(".int")) for number in row)
        if [[colons]] != _rows(stem.with_suffix(".csl")):
            yield f"{stem}.csl does not hold the numbers of {stem}.int"
    if lang.optional_silence not in lang.silence:
        yield f"{lang.path}/phones/optional_silence.int: {lang.optional_silence} is no silence phone"


def _phone_sets(lang: Lang) -> Iterator[str]:
    real = {*lang.silence, *lang.nonsilence}
    roots = [root.phones for root in lang.roots]
    for name, first, lists in (("sets", 0, lang.phone_sets), ("roots", 2, roots)):
        yield from _disagreement(lang.path / "phones" / name, lang.phones, first)
        phones = list(itertools.chain(*lists))
        if len(phones) != len(real) or set(phones) != real:
            yield f"{lang.path}/phones/{name}.int does not have each silence and nonsilence phone once"
    yield from _disagreement(lang.path / "phones/extra_questions", lang.phones)


def _all_phones(lang: Lang) -> Iterator[str]:
    groups = {"silence": lang.silence, "nonsilence": lang.nonsilence, "disambig": lang.disambig}
    for (a, ours), (b, theirs) in itertools.combinations(groups.items(), 2):
        for phone in sorted(set(ours) & set(theirs)):
            yield f"{lang.path}/phones: {lang.phones.symbols.get(phone, phone)} is in {a}.txt and in {b}.txt"
    for phone in sorted(set(lang.phones.symbols) - {0} - set(itertools.chain(*groups.values()))):
        yield f"{lang.path}/phones.txt: {lang.phones[phone]} is in none of {', '.join(f'{g}.txt' for g in groups)}"


def _topology(lang: Lang) -> Iterator[str]:
    for phone in sorted({*lang.silence, *lang.nonsilence} ^ set(lang.topology.phones)):
        state = "is no real phone" if phone in lang.topology.phones else "is missing"
        yield f"{lang.path}/topo: phone {phone} ({lang.phones.symbols.get(phone, 'not in phones.txt')}) {state}"


def _word_boundary(lang: Lang) -> Iterator[str]:
    if not (lang.path / "phones/word_boundary.int").exists():
        return
    yield from _disagreement(lang.path / "phones/word_boundary", lang.phones, last=1)
    if set(lang.word_boundary) != {*lang.silence, *lang.nonsilence}:
        yield f"{lang.path}/phones/word_boundary.int does not have each silence and nonsilence phone"


def _word_symbols(lang: Lang) -> Iterator[str]:
    yield from _disagreement(lang.path / "oov", lang.words)
    symbols = [symbol for row in _rows(lang.path / "phones/wdisambig.txt") for symbol in row]
    for name, table in (("phones", lang.phones), ("words", lang.words)):
        expected = [str(table.numbers.get(symbol, "nothing")) for symbol in symbols]
        path = lang.path / f"phones/wdisambig_{name}.int"
        if [number for row in _rows(path) for number in row] != expected:
            yield f"{path} does not hold the numbers of wdisambig.txt"


def _lexicons(lang: Lang) -> Iterator[str]:
    real = [0, *lang.silence, *lang.nonsilence]
    for name, lexicon, phones in (
        ("L.fst", lang.lexicon, real),
        ("L_disambig.fst", lang.lexicon_disambig, [*real, *lang.disambig]),
    ):
        if not _sorted(lexicon, "olabel"):
            yield f"{lang.path}/{name} is not sorted by output label"
        for label in np.setdiff1d(lexicon.arcs["ilabel"], phones):
            yield f"{lang.path}/{name} has a phone {label} ({lang.phones.symbols.get(int(label), 'not in phones.txt')})"
        for label in np.setdiff1d(lexicon.arcs["olabel"], list(lang.words.symbols)):
            yield f"{lang.path}/{name} has a word {label}, which is not in words.txt"


def _grammar(lang: Lang) -> Iterator[str]:
    if not _sorted(lang.grammar, "ilabel"):
        yield f"{lang.path}/G.fst is not sorted by input label"
    try:
        check_grammar(lang.grammar, lang.words)
    except KaldiError as error:
        yield f"{lang.path}/G.fst: {error}"


def _determinizable(lang: Lang) -> Iterator[str]:
    lexicon_and_grammar(lang.lexicon_disambig, lang.grammar)
    return iter(())


def _sorted(fst: Fst, side: str) -> bool:
    labels = fst.arcs[side].astype(np.int64) + fst.sources * (1 << 32)
    return bool((np.diff(labels) >= 0).all())
