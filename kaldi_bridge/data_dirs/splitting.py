"""Parts of data directories: for parallel jobs (utils/split_scp.pl), and subsets (utils/subset_scp.pl)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text_files import in_order

T = TypeVar("T")


def split(data: DataDir, parts: int, per_utterance: bool = False) -> list[DataDir]:
    """Consecutive parts of about as many utterances, which share no speaker unless ``per_utterance``.

    Raises KaldiError when there are fewer utterances, or speakers, than parts.
    """
    groups = consecutive(data.utterances, parts) if per_utterance else balanced(data.spk2utt, parts)
    return [data.subset(group) for group in groups]


def consecutive(items: Sequence[T], parts: int) -> list[Sequence[T]]:
    """Parts whose sizes differ by at most one, the larger ones first. Raises KaldiError for fewer items than parts."""
    size, larger = divmod(len(items), parts)
    if size < 1:
        raise KaldiError(f"{len(items)} utterances cannot be split into {parts} parts")
    starts = [part * size + min(part, larger) for part in range(parts + 1)]
    return [items[start:end] for start, end in zip(starts, starts[1:], strict=False)]


def balanced(spk2utt: Mapping[str, Sequence[str]], parts: int) -> list[list[str]]:
    """Utterances of consecutive speakers: as many speakers in each part, then moved where it makes sizes more alike.

    Raises KaldiError for fewer speakers than parts.
    """
    speakers = list(spk2utt)
    if len(speakers) < parts:
        raise KaldiError(f"{len(speakers)} speakers cannot be split into {parts} parts (--per-utt splits utterances)")
    groups: list[list[str]] = [[] for _ in range(parts)]
    for i, speaker in enumerate(speakers):
        groups[i * parts // len(speakers)].append(speaker)
    sizes = [sum(len(spk2utt[speaker]) for speaker in group) for group in groups]

    def move(source: int, target: int, position: int) -> bool:
        """Moves a part's last (-1) or first (0) speaker to its neighbour, if that makes their sizes more alike."""
        if not 0 <= target < parts or not groups[source]:
            return False
        count = len(spk2utt[groups[source][position]])
        if abs((sizes[target] + count) - (sizes[source] - count)) >= abs(sizes[target] - sizes[source]):
            return False
        groups[target].insert(0 if position else len(groups[target]), groups[source].pop(position))
        sizes[source] -= count
        sizes[target] += count
        return True

    while any([move(part, part + 1, -1) | move(part, part - 1, 0) for part in range(parts)]):
        pass
    if not all(groups):
        raise KaldiError(f"speakers have too different numbers of utterances for {parts} parts (--per-utt: utterances)")
    return [[utterance for speaker in group for utterance in spk2utt[speaker]] for group in groups]


def evenly_spread(items: Sequence[T], count: int) -> list[T]:
    """``count`` of the items from all over the list, always the same ones."""
    if len(items) <= 1:
        return list(items[:count])
    half = len(items) // 2
    return [*evenly_spread(items[:half], count // 2), *evenly_spread(items[half:], count - count // 2)]


def some_speakers(spk2utt: Mapping[str, Sequence[str]], count: int, seed: int = 0) -> list[str]:
    """Of speakers drawn at random, all utterances, until there are at least ``count``."""
    speakers = list(spk2utt)
    random.Random(seed).shuffle(speakers)
    chosen: list[str] = []
    for speaker in speakers:
        if len(chosen) >= count:
            break
        chosen += spk2utt[speaker]
    return in_order(chosen)


def some_of_each_speaker(spk2utt: Mapping[str, Sequence[str]], count: int) -> list[str]:
    """Up to ``count`` utterances of each speaker, from all over the speaker's list."""
    chosen: list[str] = []
    for utterances in spk2utt.values():
        step = max(1, len(utterances) // count)
        chosen += utterances[: count * step : step]
    return chosen
