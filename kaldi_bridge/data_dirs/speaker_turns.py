"""Who speaks when: labelled windows that overlap become turns, which RTTM files hold (NIST's RT-09 evaluation plan)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kaldi_bridge.io.text_files import in_order, write_text


class Turn(NamedTuple):
    """From ``start`` to ``end`` of a recording, in seconds."""

    start: float
    end: float
    speaker: str


def without_overlap(turns: Iterable[Turn]) -> list[Turn]:
    """Turns in the order of their starts, each to the middle of its overlap with the next; those that touch are one."""
    cut: list[Turn] = []
    for turn in turns:
        if cut and cut[-1].end > turn.start:
            middle = (turn.start + cut[-1].end) / 2
            cut[-1], turn = cut[-1]._replace(end=middle), turn._replace(start=middle)
        cut.append(turn)
    joined: list[Turn] = []
    for turn in cut:
        if joined and joined[-1].end == turn.start and joined[-1].speaker == turn.speaker:
            turn = turn._replace(start=joined.pop().start)
        joined.append(turn)
    return joined


def write_rttm(path: Path, turns: Mapping[str, Sequence[Turn]], channel: int = 0) -> None:
    """The turns of each recording, as Kaldi's diarization/make_rttm.py writes them."""
    lines = [
        f"SPEAKER {recording} {channel} {start:7.3f} {end - start:7.3f} <NA> <NA> {speaker} <NA> <NA>\n"
        for recording in in_order(turns)
        for start, end, speaker in turns[recording]
    ]
    write_text(path, "".join(lines))
