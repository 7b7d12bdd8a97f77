"""Statistics of both sides of telephone calls: frames count for the side that is louder.

Source: featbin/compute-cmvn-stats-two-channel.cc.
"""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from kaldi_bridge.io.text_files import in_order, read_text
from kaldi_bridge.transforms.cmvn import compute_stats


def read_sides(rxfilename: str) -> list[list[str]]:
    """Utterances of each call, in order of the calls: two, or one where it has not two.

    Lines are: utterance call side. Raises KaldiError for others.
    """
    calls: dict[str, list[str]] = {}
    for line in filter(None, read_text(rxfilename).split("\n")):
        parts = words(line)
        if len(parts) != 3:
            raise KaldiError(f"Expecting 3 fields per line of reco2file_and_channel file {rxfilename}, got: {line}")
        calls.setdefault(parts[1], []).append(parts[0])
    sides: list[list[str]] = []
    for call in in_order(calls):
        utterances = calls[call]
        if len(utterances) == 2:
            sides.append(utterances)
        else:
            log.warning(f"Call {call} has {len(utterances)} utterances, expected two; treating them singly.")
            sides += [[utterance] for utterance in utterances]
    return sides


def statistics_of_pair(first: np.ndarray, second: np.ndarray, quieter_weight: float) -> tuple[np.ndarray, np.ndarray]:
    """[2, dim + 1] of each of two sides [frames, dim], whose first dimension tells how loud they are.

    Raises KaldiError when dimensions or numbers of frames differ.
    """
    if first.shape != second.shape:
        raise KaldiError(f"sides of {first.shape} and {second.shape} frames and dimensions")
    louder = first[:, 0] > second[:, 0]
    weight = float(np.float32(quieter_weight))
    return (
        compute_stats(first, np.where(louder, 1.0, weight)),
        compute_stats(second, np.where(louder, weight, 1.0)),
    )
