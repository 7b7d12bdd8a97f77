"""Edit distance with Kaldi's choice among equally good alignments (util/edit-distance.h)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.c_random import CRandom


def edit_distance(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[int, int, int]:
    """(insertions, deletions, substitutions) of a best alignment; where several are best, Kaldi's."""
    row = [(n, 0, n, 0) for n in range(len(reference) + 1)]  # total, insertions, deletions, substitutions
    for word in hypothesis:
        total, ins, dele, sub = row[0]
        new = [(total + 1, ins + 1, dele, sub)]
        for i, expected in enumerate(reference, 1):
            above, before, diagonal = row[i], new[i - 1], row[i - 1]
            wrong = int(word != expected)
            substitution, deletion, insertion = diagonal[0] + wrong, before[0] + 1, above[0] + 1
            if substitution < insertion and substitution < deletion:
                new.append((substitution, diagonal[1], diagonal[2], diagonal[3] + wrong))
            elif deletion < insertion:
                new.append((deletion, before[1], before[2] + 1, before[3]))
            else:
                new.append((insertion, above[1] + 1, above[2], above[3]))
        row = new
    _, ins, dele, sub = row[-1]
    return ins, dele, sub


def aligned(reference: Sequence[str], hypothesis: Sequence[str], empty: str) -> list[tuple[str, str]]:
    """Pairs of words of a best alignment, ``empty`` where one has none; of several Kaldi's (LevenshteinAlignment)."""
    table = [list(range(len(hypothesis) + 1))]
    for word in reference:
        above = table[-1]
        row = [above[0] + 1]
        for n, other in enumerate(hypothesis):
            row.append(min(above[n] + (word != other), above[n + 1] + 1, row[n] + 1))
        table.append(row)
    pairs = []
    m, n = len(reference), len(hypothesis)
    while m or n:
        if m and n:
            substitution = table[m - 1][n - 1] + (reference[m - 1] != hypothesis[n - 1])
            deletion, insertion = table[m - 1][n] + 1, table[m][n - 1] + 1
            both = substitution <= min(deletion, insertion)
            by_reference, by_hypothesis = both or deletion <= insertion, both or deletion > insertion
        else:
            by_reference, by_hypothesis = m > 0, n > 0
        m, n = m - by_reference, n - by_hypothesis
        pairs.append((reference[m] if by_reference else empty, hypothesis[n] if by_hypothesis else empty))
    return pairs[::-1]


class Bootstrap:
    """Confidence of error rates by drawing sentences anew (Bisani and Ney, 2004), with the draws of Kaldi's program."""

    def __init__(self, replications: int) -> None:
        self._replications = replications
        self._random = CRandom(1)

    def _draws(self, sentences: int) -> np.ndarray:
        """int64 [replications, sentences], numbers of sentences."""
        if sentences == 1:
            return np.zeros((self._replications, 1), np.int64)
        return self._random.rands(self._replications * sentences).reshape(-1, sentences) % sentences

    def interval(self, errors: np.ndarray, words: np.ndarray) -> tuple[np.float32, np.float32]:
        """Mean of the error rate, and half the width of its interval of 95 %. errors, words: int64 [sentences]."""
        if not len(errors):
            return np.float32("nan"), np.float32("nan")
        draws = self._draws(len(errors))
        rates = errors[draws].sum(axis=1).astype(np.float32) / words[draws].sum(axis=1).astype(np.float32)
        n = np.float32(self._replications)
        mean = np.cumsum(rates)[-1] / n
        variance = np.cumsum(rates * rates)[-1] / n - mean * mean
        return mean, np.float32(1.96 * float(np.sqrt(variance)))

    def improvement(self, errors: np.ndarray, others: np.ndarray) -> np.float32:
        """How probable it is that the others are fewer."""
        if not len(errors):
            return np.float32(0.0)
        draws = self._draws(len(errors))
        better = int(((errors - others)[draws].sum(axis=1) > 0).sum())
        return np.float32(better) / np.float32(self._replications)


@dataclass
class WordErrors:
    """Sums over sentences; ``absent`` sentences had no hypothesis."""

    words: int = 0
    insertions: int = 0
    deletions: int = 0
    substitutions: int = 0
    sentences: int = 0
    wrong_sentences: int = 0
    absent: int = 0

    def add(self, reference: Sequence[str], hypothesis: Sequence[str]) -> None:
        insertions, deletions, substitutions = edit_distance(reference, hypothesis)
        self.words += len(reference)
        self.insertions += insertions
        self.deletions += deletions
        self.substitutions += substitutions
        self.sentences += 1
        self.wrong_sentences += list(reference) != list(hypothesis)

    def report(self) -> str:
        """The three lines that compute-wer prints and scripts parse."""
        errors = self.insertions + self.deletions + self.substitutions
        wer = 100.0 * errors / self.words if self.words else float("nan")
        ser = 100.0 * self.wrong_sentences / self.sentences if self.sentences else float("nan")
        return (
            f"%WER {wer:.2f} [ {errors} / {self.words}, {self.insertions} ins, {self.deletions} del, "
            f"{self.substitutions} sub ]{' [PARTIAL]' if self.absent else ''}\n"
            f"%SER {ser:.2f} [ {self.wrong_sentences} / {self.sentences} ]\n"
            f"Scored {self.sentences} sentences, {self.absent} not present in hyp.\n"
        )
