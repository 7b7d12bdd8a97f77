"""Edit distance with Kaldi's choice among equally good alignments (util/edit-distance.h)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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
