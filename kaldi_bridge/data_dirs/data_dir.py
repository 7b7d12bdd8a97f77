"""Data directories: files of lines "key value", sorted by key in the C locale (https://kaldi-asr.org/doc/data_prep.html).

A key is an utterance, a speaker or a recording; without ``segments`` a recording is an utterance.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kaldi_bridge.data_dirs.feature_options import FeatureOptions
from kaldi_bridge.data_dirs.segments import Segment, SegmentError, parse_segment
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from kaldi_bridge.io.text_files import Rows, read_rows, read_text, write_rows, write_text

UTTERANCE_FILES = (
    "utt2spk", "text", "feats.scp", "segments", "vad.scp",
    "utt2lang", "utt2uniq", "utt2dur", "utt2num_frames", "utt2warp",
)  # fmt: skip
SPEAKER_FILES = ("spk2utt", "cmvn.scp", "spk2gender", "spk2warp")
RECORDING_FILES = ("wav.scp", "reco2dur", "reco2file_and_channel")
FILES = UTTERANCE_FILES + SPEAKER_FILES + RECORDING_FILES


def spk2utt_of(utt2spk: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Speakers in the order of their first utterances, each with its utterances; of (utterance, speaker)."""
    speakers: dict[str, list[str]] = {}
    for utterance, speaker in utt2spk:
        speakers.setdefault(speaker, []).append(utterance)
    return speakers


@dataclass
class DataDir:
    """A directory's tables by file name; ``path`` is where they came from, for messages.

    ``frame_shift`` is the text of the file of that name, "" where there is none; ``feature_options`` how features were
    made, where that is told.
    """

    path: Path
    tables: dict[str, Rows] = field(default_factory=dict)
    frame_shift: str = ""
    feature_options: FeatureOptions | None = None

    @classmethod
    def read(cls, path: str | os.PathLike[str], names: Iterable[str] = FILES) -> DataDir:
        """Reads those of the files that are there.

        Raises:
            KaldiError: there is no such directory, it has no utt2spk, a file is empty or has a key twice.
        """
        path = Path(path)
        if not path.is_dir():
            raise KaldiError(f"no such directory {path}")
        if not (path / "utt2spk").is_file():
            raise KaldiError(f"no such file {path / 'utt2spk'}")
        frame_shift = path / "frame_shift"
        return cls(
            path,
            {name: read_rows(path / name) for name in names if (path / name).is_file()},
            read_text(frame_shift) if frame_shift.is_file() else "",
            FeatureOptions.of_directory(path),
        )

    def table(self, name: str) -> Rows:
        """Raises KaldiError when the directory has no such file."""
        if name not in self.tables:
            raise KaldiError(f"no such file {self.path / name}")
        return self.tables[name]

    @property
    def utterances(self) -> list[str]:
        return list(self.table("utt2spk"))

    @property
    def utt2spk(self) -> Rows:
        return self.table("utt2spk")

    @property
    def spk2utt(self) -> dict[str, list[str]]:
        return spk2utt_of(self.utt2spk.items())

    @property
    def text(self) -> dict[str, list[str]]:
        """Transcripts as words."""
        return {utterance: words(text) for utterance, text in self.table("text").items()}

    @property
    def segments(self) -> dict[str, Segment]:
        """Raises KaldiError for a line that is not "utterance recording start end"."""
        return {utterance: self._segment(utterance, line) for utterance, line in self.table("segments").items()}

    def _segment(self, utterance: str, line: str) -> Segment:
        try:
            return parse_segment(f"{utterance} {line}")
        except SegmentError as error:
            raise KaldiError(f"{self.path / 'segments'}: {error}") from None

    def recording(self, utterance: str) -> str:
        """The recording that an utterance is a part of."""
        if "segments" not in self.tables:
            return utterance
        return self._segment(utterance, self.tables["segments"].get(utterance, "")).recording

    def subset(self, utterances: Iterable[str]) -> DataDir:
        """These utterances, with their speakers and recordings; spk2utt is made anew."""
        all_of_them = self.utt2spk
        utt2spk = {utterance: all_of_them[utterance] for utterance in utterances}
        speakers = spk2utt_of(utt2spk.items())
        recordings: Iterable[str] = utt2spk
        if "segments" in self.tables:
            recordings = dict.fromkeys(self.recording(utterance) for utterance in utt2spk)
        tables: dict[str, Rows] = {}
        for name, rows in self.tables.items():
            kept: Iterable[str] = utt2spk
            if name in SPEAKER_FILES:
                kept = speakers
            elif name in RECORDING_FILES:
                kept = recordings
            tables[name] = rows if list(rows) == list(kept) else {key: rows[key] for key in kept if key in rows}
        tables["utt2spk"] = utt2spk
        tables["spk2utt"] = {speaker: " ".join(of_speaker) for speaker, of_speaker in speakers.items()}
        return DataDir(self.path, tables, self.frame_shift, self.feature_options)

    def write(self, path: str | os.PathLike[str], unchanged: Collection[str] = ()) -> None:
        """Writes the tables that have lines, sorted, each file whole or not at all; others that were there are gone.

        ``unchanged``: names of files that are there as they should be.
        """
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        for name in {*FILES, *self.tables} - set(unchanged):
            if self.tables.get(name):
                write_rows(path / name, self.tables[name])
            else:
                (path / name).unlink(missing_ok=True)
        if self.frame_shift:
            write_text(path / "frame_shift", self.frame_shift)
        if self.feature_options is not None:
            self.feature_options.write(path)
