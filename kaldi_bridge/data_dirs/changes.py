"""Data directories made of others: renamed, repaired (utils/{copy,fix}_data_dir.sh)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.data_dirs.data_dir import (
    FILES,
    RECORDING_FILES,
    SPEAKER_FILES,
    DataDir,
    spk2utt_of,
)
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from kaldi_bridge.io.text_files import Rows, in_order, read_lines

Rename = Callable[[str], str]
REQUIRED = (
    "segments", "feats.scp", "text", "utt2lang", "utt2dur", "utt2num_frames", "wav.scp", "cmvn.scp", "spk2gender",
)  # fmt: skip
SHOWN = 5
"""So many utterances are named in a message, of all that it is about."""


def renamed(data: DataDir, utterance: Rename, speaker: Rename = str, recording: Rename | None = None) -> DataDir:
    """With other names of utterances, speakers and recordings; utt2uniq tells what an utterance was called.

    Without segments recordings are utterances; with them, they keep their names unless ``recording`` is given.
    """
    has_segments = "segments" in data.tables
    of_recording = (recording or str) if has_segments else utterance
    tables: dict[str, Rows] = {}
    for name, rows in data.tables.items():
        rename = speaker if name in SPEAKER_FILES else of_recording if name in RECORDING_FILES else utterance
        tables[name] = {rename(key): value for key, value in rows.items()}
    tables["utt2spk"] = {u: speaker(s) for u, s in tables["utt2spk"].items()}
    tables["spk2utt"] = {s: " ".join(us) for s, us in spk2utt_of(tables["utt2spk"].items()).items()}
    if has_segments:
        tables["segments"] = {
            u: " ".join(_recording_renamed(line, of_recording)) for u, line in tables["segments"].items()
        }
    if any(utterance(u) != u for u in data.utterances) and "utt2uniq" not in data.tables:
        tables["utt2uniq"] = {utterance(u): u for u in data.utterances}
    return DataDir(data.path, tables, data.frame_shift, data.feature_options)


def _recording_renamed(line: str, rename: Rename) -> list[str]:
    name, *times = words(line)
    return [rename(name), *times]


def with_smaller_speakers(
    data: DataDir, most_utterances: int = 0, most_seconds: float = 0.0, within_speakers: bool = True
) -> DataDir:
    """Utterances in a row as a speaker of their own (utils/data/modify_speaker_info.sh); 0: no limit of that kind.

    ``within_speakers``: of the same speaker, who becomes speaker-1, speaker-2, ...; else of any. What belongs to
    speakers (cmvn.scp, say) is left out. Raises KaldiError where seconds are limited but utt2dur is missing.
    """
    durations = {u: float(text) for u, text in data.table("utt2dur").items()} if most_seconds > 0 else {}

    def groups(utterances: Iterable[str]) -> list[list[str]]:
        made: list[list[str]] = []
        seconds = 0.0
        for utterance in utterances:
            duration = durations.get(utterance, 0.0)
            full = (
                not made or len(made[-1]) == most_utterances or (most_seconds > 0 and seconds + duration > most_seconds)
            )
            if full:
                made.append([])
                seconds = 0.0
            made[-1].append(utterance)
            seconds += duration
        return made

    speakers = data.spk2utt.items() if within_speakers else [("speaker", in_order(data.utterances))]
    utt2spk: Rows = {}
    for speaker, utterances in speakers:
        parts = groups(utterances)
        width = len(str(len(parts)))
        for number, part in enumerate(parts, 1):
            utt2spk |= dict.fromkeys(part, f"{speaker}-{number:0{width}}")
    tables = {name: rows for name, rows in data.tables.items() if name not in SPEAKER_FILES}
    tables["utt2spk"] = utt2spk
    tables["spk2utt"] = {s: " ".join(us) for s, us in spk2utt_of(utt2spk.items()).items()}
    return DataDir(data.path, tables, data.frame_shift, data.feature_options)


@dataclass
class Repaired:
    """A directory that was read to be repaired; ``good``: its files that already are as they should be."""

    data: DataDir
    good: set[str]

    def write(self) -> None:
        """In place."""
        self.data.write(self.data.path, unchanged=self.good)


def read_repaired(path: Path, names: Iterable[str] = FILES) -> Repaired:
    """A directory whose files need not be sorted nor go together, with the utterances that all of them have.

    Left out, and told: all but the first line of a key; utterances without features, text, recording, duration and so
    on, or of speakers that cmvn.scp or spk2gender lacks; recordings without utterances.

    Raises:
        KaldiError: a file is missing or malformed, or no utterance is left.
    """
    if not (path / "utt2spk").is_file():
        raise KaldiError(f"no such file {path / 'utt2spk'}")
    made = repaired(path, {name: read_lines(path / name) for name in names if (path / name).is_file()})
    made.good = {name for name in made.good if _is_plain(path / name, made.data.tables[name])}
    return made


def _is_plain(file: Path, rows: Rows) -> bool:
    """Whether nothing is in a file but its lines, of a key, a space and the rest."""
    return file.stat().st_size == sum(len(key) + len(rest) + (2 if rest else 1) for key, rest in rows.items())


def repaired(path: Path, lines: dict[str, list[tuple[str, str]]]) -> Repaired:
    """The same of lines of (key, rest) by file name, which are taken out of ``lines``."""
    tables: dict[str, Rows] = {}
    good = set()
    for name in list(lines):
        tables[name], is_good = first_of_each(path / name, lines.pop(name))
        good |= {name} if is_good else set()
    data = DataDir(path, tables)
    if "segments" in data.tables and "wav.scp" not in data.tables:
        raise KaldiError(f"{path / 'segments'} exists but not {path / 'wav.scp'}")
    kept = set(data.utterances)
    for name, without in _requirements(data):
        missing = in_order(without(kept))
        if missing:
            shown = ", ".join(missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
            log.warning(f"{path / name}: leaving out {len(missing)} utterances that have no good line there: {shown}")
            kept.difference_update(missing)
    if not kept:
        raise KaldiError(f"{path}: no utterances remained: not proceeding further")
    log.info(f"{path}: kept {len(kept)} utterances out of {len(data.utterances)}")
    left = data.subset(utterance for utterance in data.utterances if utterance in kept)
    return Repaired(left, {name for name in good if left.tables.get(name) == tables[name]})


def first_of_each(file: Path, lines: list[tuple[str, str]]) -> tuple[Rows, bool]:
    """The first line of each key, in order, of lines that need not be sorted; and whether they were just these."""
    rows = dict(lines)
    if len(rows) < len(lines):
        rows = dict(reversed(lines))
    ordered = in_order(rows)
    good = len(rows) == len(lines) and list(rows) == ordered
    if not good:
        log.info(f"file {file} is not in sorted order or not unique, sorting it")
        rows = {key: rows[key] for key in ordered}
    return rows, good


def _requirements(data: DataDir) -> Iterator[tuple[str, Callable[[AbstractSet[str]], Iterable[str]]]]:
    """For each file, what leaves those utterances out of some that it has no good line for."""
    for name in (
        "segments",
        "feats.scp",
        "text",
        "utt2lang",
        "utt2dur",
        "utt2num_frames",
        "wav.scp",
        "cmvn.scp",
        "spk2gender",
    ):
        if name in data.tables:
            yield name, partial(_without_line, data, name)


def _without_line(data: DataDir, name: str, utterances: AbstractSet[str]) -> Iterable[str]:
    rows = data.tables[name]
    if name in ("utt2dur", "utt2num_frames"):
        return [u for u in utterances if not _is_positive(rows.get(u, ""))]
    if name in SPEAKER_FILES:
        return [u for u in utterances if data.utt2spk[u] not in rows]
    if name in RECORDING_FILES and "segments" in data.tables:
        return [u for u in utterances if data.recording(u) not in rows]
    return utterances - rows.keys()


def _is_positive(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False
