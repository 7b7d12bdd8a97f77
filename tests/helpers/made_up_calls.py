"""Telephone calls of made-up speakers in the layouts of the corpora of LDC and NIST that recipes for speakers prepare.

``<folder>/LDC/<number>``, ``<folder>/SRE/<name>`` and ``<folder>/NIST/<number>`` are what the recipes have in
/export/corpora and the like, ``<folder>/JHU/musan`` and ``<folder>/RIRS_NOISES`` what is added to the calls,
``<folder>/downloads`` the lists that they download.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path

import numpy as np
import soundfile

from tests.helpers.made_up_speakers import Voice, make_musan, make_rooms

RATE = 8000
SECONDS = 6.5  # of a call: the recipes leave out what has less than 5 s of speech
SPEAKERS = 12  # of Switchboard, and as many of the evaluations; every other one is a woman
SWITCHBOARD = {  # the table of each corpus, and its line for a call of a man and a woman
    "LDC98S75": ("callstat.tbl", "sw_{call},,{man},{woman},,M,F,"),
    "LDC99S79": ("callstat.tbl", "{call},,{man},{woman},M,F,"),
    "LDC2002S06": ("callstat.tbl", "{call},,,{man},{woman},M,F,"),
    "LDC2001S13": ("swb_callstats.tbl", "{call},{man},{woman},M,F,"),
    "LDC2004S07": ("swb_callstats.tbl", "{call},{man},{woman},M,F,"),
}
EVALUATIONS = {  # NIST's, whose speakers and calls are in one list
    "LDC2006S44": "sre2004",
    "LDC2011S01": "sre2005",
    "LDC2011S04": "sre2005",
    "LDC2011S09": "sre2006",
    "LDC2011S10": "sre2006",
    "LDC2012S01": "sre2006",
    "LDC2011S05": "sre2008",
    "LDC2011S08": "sre2008",
}


def make_corpora(folder: Path, random: np.random.Generator) -> dict[str, Voice]:
    """Switchboard, NIST's evaluations until 2008, and what is added to calls; returns the evaluations' speakers."""
    callers = {f"{number}": Voice(random, RATE) for number in range(1000, 1000 + SPEAKERS)}
    for first, (corpus, (table, line)) in zip(count(5000, 1000), SWITCHBOARD.items()):  # not 40019: bad calls
        place = folder / "LDC" / corpus
        calls = [(first + number, *pair) for number, pair in enumerate(pairs(callers))]
        for call, man, woman in calls:
            write_call(place / f"sw_{call}.sph", callers[man], callers[woman])
        lines = [line.format(call=call, man=man, woman=woman) for call, man, woman in calls]
        write_lines(place / "docs" / table, lines)
        write_lines(place / "docs/callinfo.tbl", [f"sw_{call},{side}" for call, _, _ in calls for side in "AB"])
        for link, target in (("doc", "docs"), ("DISC1", "."), ("data", ".")):  # where some releases have them
            (place / link).symlink_to(target)

    speakers = {f"{number}": Voice(random, RATE) for number in range(100000, 100000 + SPEAKERS)}
    listed = []
    for corpus, evaluation in EVALUATIONS.items():
        for number, (man, woman) in enumerate(pairs(speakers)):
            call = name_of_call(corpus, number)
            write_call(folder / "LDC" / corpus / "data" / f"{call}.sph", speakers[man], speakers[woman])
            listed += [f"{man} m {evaluation} {call} A", f"{woman} f {evaluation} {call} B"]
    write_archive(folder / "downloads/speaker_list.tgz", {"speaker_list": listed})
    make_musan(folder / "JHU/musan", random)
    make_rooms(folder / "RIRS_NOISES/simulated_rirs")
    return speakers


def name_of_call(corpus: str, number: int) -> str:
    """Of the evaluations' calls, the name of each pair's."""
    return f"{corpus.lower()}c{number}"


def pairs(speakers: Mapping[str, Voice]) -> list[tuple[str, str]]:
    """Each man, the first of two, with a woman."""
    names = list(speakers)
    return list(zip(names[::2], names[1::2], strict=True))


def write_call(path: Path, *sides: Voice) -> None:
    """A SPHERE file of mu-law, a channel for each side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.stack([voice.speak(SECONDS) for voice in sides], axis=1)
    soundfile.write(path, samples, RATE, format="NIST", subtype="ULAW")


def write_lines(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def write_archive(path: Path, files: Mapping[str, Iterable[str]]) -> None:
    """A compressed tar file of text files, each under its name there."""
    for name, lines in files.items():
        write_lines(path.parent / name, lines)
    with tarfile.open(path, "w:gz") as archive:
        for name in files:
            archive.add(path.parent / name, name)
