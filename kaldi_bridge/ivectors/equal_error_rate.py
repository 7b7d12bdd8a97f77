"""The equal error rate of scores (ivectorbin/compute-eer.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import decode, real_number, shown, words


def equal_error_rate(targets: np.ndarray, nontargets: np.ndarray) -> tuple[float, float]:
    """The proportion of errors, and the score that is the threshold, of float32 [targets] and [nontargets] scores.

    The threshold is the first of the target scores, from the lowest on, that exceeds the nontarget score below which
    the same proportion of nontargets is accepted. Raises KaldiError where there are no scores of either.
    """
    for scores, name in ((targets, "target"), (nontargets, "non-target")):
        if not len(scores):
            raise KaldiError(f"No {name} scores seen.")
    targets, nontargets = np.sort(targets), np.sort(nontargets)
    position = np.arange(len(targets))
    accepted = (len(nontargets) * position / len(targets)).astype(np.int64)
    separated = nontargets[len(nontargets) - 1 - accepted] < targets
    separated[-1] = True
    found = int(separated.argmax())
    return float(np.float32(found / len(targets))), float(targets[found])


def read_scores(rxfilename: str) -> tuple[np.ndarray, np.ndarray]:
    """float32 scores of targets and of nontargets, from lines of a score and ``target`` or ``nontarget``.

    Raises KaldiError, which names the line.
    """
    scores: dict[str, list[float]] = {"target": [], "nontarget": []}
    with open_input(rxfilename) as stream:
        for number, line in enumerate(stream.lines(), 1):
            where = f"{rxfilename}: line {number}"
            fields = words(decode(line))
            if len(fields) != 2:
                raise KaldiError(f"{where}: Invalid input line (must have two fields): {shown(line)}")
            score = real_number(fields[0], f"score, in {where}")
            if fields[1] not in scores:
                raise KaldiError(f"{where}: Invalid input line (second field must be 'target' or 'nontarget')")
            scores[fields[1]].append(score)
    if not any(scores.values()):
        raise KaldiError(f"{rxfilename}: Empty input.")
    return np.array(scores["target"], np.float32), np.array(scores["nontarget"], np.float32)
