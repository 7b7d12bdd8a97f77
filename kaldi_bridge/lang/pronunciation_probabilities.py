"""Probabilities of pronunciations and of silence around words, from counts (utils/dict_dir_add_pronprobs.sh).

The model is that of Chen et al., "Pronunciation and silence probability modeling for ASR" (Interspeech 2015). With
C(w p) how often word w was said as p, plus one:  P(p | w) = C(w p) / C(w).  With s and n for silence and none, and l
and r for before and behind a word w said in one of its ways:

    P(s_r | w) = (C(w s) + 2 P(s)) / (C(w) + 2)
    F(s_l | w) = (C(s w) + 2) / (sum_v C(v ? w) P(s_r | v) + 2),   F(n_l | w) likewise with 1 - P(s_r | v)

C(v ? w) being how often w follows v, whatever is between them. Numbers are rounded on the way as Kaldi's script does:
to six digits, or, those of silence, to two decimals.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import is_number, words
from kaldi_bridge.io.text_files import c_locale, read_lines, read_text
from kaldi_bridge.lang.pronunciation_counts import Pron

_SMOOTHING = 2  # lambda_2 and lambda_3 of the paper


@dataclass
class Silences:
    """``around``: of each pronunciation, P(s_r | w), F(s_l | w) and F(n_l | w); ``ends``: lines of silprob.txt."""

    around: dict[Pron, tuple[str, str, str]]
    ends: dict[str, str]


def pronunciation_probabilities(
    lexicon: Iterable[Pron], counts: Mapping[Pron, int], max_normalize: bool
) -> list[tuple[Pron, str]]:
    """P(p | w) of all pronunciations, in the order of the script.

    ``max_normalize``: divided by that of the word's most frequent one. Raises KaldiError for counts of pronunciations
    that are not in the lexicon.
    """
    total: Counter[Pron] = Counter(set(lexicon))
    for pron in total:
        total[pron] = 1
    for pron, count in counts.items():
        if pron[0] == "<eps>":
            continue
        if pron not in total:
            raise KaldiError(
                f"the pronunciation {' '.join(pron[1:])} of {pron[0]} was counted, but is not in the dictionary; "
                "pron_counts_nowb.txt is what belongs here, counted with a lang directory of the same dictionary"
            )
        total[pron] += count
    of_word: Counter[str] = Counter()
    for pron, count in total.items():
        of_word[pron[0]] += count
    found = [(pron, f"{count / of_word[pron[0]]:.6g}") for pron, count in total.items()]
    found.sort(key=lambda item: (c_locale(item[0][0]), float(item[1]), c_locale(" ".join(item[0][1:]))))
    if not max_normalize:
        return found
    most: defaultdict[str, float] = defaultdict(float)
    for pron, probability in found:
        most[pron[0]] = max(most[pron[0]], float(probability))
    return [(pron, f"{float(probability) / most[pron[0]]:.6g}") for pron, probability in found]


def silence_probabilities(
    lexicon: Sequence[Pron],
    counts: Mapping[Pron, tuple[int, int, int, int]],
    pairs: Mapping[tuple[Pron, Pron], int],
) -> Silences:
    """Of the pronunciations of a lexicon, from PronunciationCounts.silences() and word_pairs()."""
    with_silence, without = (sum(around[i] for around in counts.values()) for i in (0, 1))
    if not with_silence + without:
        raise KaldiError("the counts of silence are all 0")
    overall = f"{with_silence / (with_silence + without):.2f}"
    nothing = (0, 0, 0, 0)
    prior = float(overall) * _SMOOTHING, (1 - float(overall)) * _SMOOTHING

    def behind(pron: Pron) -> str:
        silence, none = (count + more for count, more in zip(counts.get(pron, nothing)[2:], prior, strict=True))
        return _inside(f"{silence / (silence + none):.2f}")

    after = {pron: behind(pron) for pron in lexicon}
    expected: defaultdict[Pron, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for (first, second), count in pairs.items():
        silence = float(after.get(first, 0))  # 0 for the beginning of an utterance, as in the script
        expected[second][0] += count * silence
        expected[second][1] += count * (1 - silence)

    def before(pron: Pron) -> tuple[float, float]:
        (silence, none), (with_silence, without) = counts.get(pron, nothing)[:2], expected[pron]
        return (silence + _SMOOTHING) / (with_silence + _SMOOTHING), (none + _SMOOTHING) / (without + _SMOOTHING)

    around = {}
    for pron in lexicon:
        after_silence, after_word = (f"{ratio:.2f}" for ratio in before(pron))
        around[pron] = after[pron], _positive(after_silence), _positive(after_word)
    end = [f"{ratio:.15g}" for ratio in before(("</s>",))]
    return Silences(around, {"<s>": behind(("<s>",)), "</s>_s": end[0], "</s>_n": end[1], "overall": overall})


def _positive(ratio: str) -> str:
    return "0.01" if ratio == "0.00" else ratio


def _inside(probability: str) -> str:
    return "0.99" if probability == "1.00" else _positive(probability)


# Files.


def read_counts(path: str) -> dict[Pron, int]:
    """pron_counts_nowb.txt: lines of count, word, phones."""
    counts: Counter[Pron] = Counter()
    for count, rest in read_lines(path):
        pron = tuple(words(rest))
        if not is_number(count) or len(pron) < 2:
            raise KaldiError(f"{path}: expected a count, a word and phones, not {count} {rest}")
        counts[pron] += int(count)
    if not counts:
        raise KaldiError(f"{path} is empty")
    return dict(counts)


def read_silence_counts(path: str) -> dict[Pron, tuple[int, int, int, int]]:
    """sil_counts_nowb.txt: lines of four counts, word, phones."""
    counts = {}
    for first, rest in read_lines(path):
        fields = [first, *words(rest)]
        if len(fields) < 5 or not all(map(is_number, fields[:4])):
            raise KaldiError(f"{path}: expected four counts, a word and phones, not {' '.join(fields)}")
        counts[tuple(fields[4:])] = (int(fields[0]), int(fields[1]), int(fields[2]), int(fields[3]))
    if not counts:
        raise KaldiError(f"{path} is empty")
    return counts


def read_pair_counts(path: str) -> dict[tuple[Pron, Pron], int]:
    """pron_bigram_counts_nowb.txt: lines of count, one, the one behind it, with tabs between them."""
    counts = {}
    for line in filter(None, read_text(path).split("\n")):
        fields = line.split("\t")
        if len(fields) != 3 or not is_number(fields[0]):
            raise KaldiError(f"{path}: expected a count and two pronunciations with tabs between them, not {line!r}")
        counts[tuple(words(fields[1])), tuple(words(fields[2]))] = int(fields[0])
    return counts
