"""Waveforms of utterances: any part of them, read from their recordings."""

from __future__ import annotations

import os

import numpy as np

from kaldi_bridge.data_dirs.data_dir import DataDir, Segment
from kaldi_bridge.data_dirs.wave import Wave, read_wave, read_wave_info, read_wave_part
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.filenames import classify_input
from kaldi_bridge.io.streams import open_input


class Recordings:
    """Of a data directory, by wav.scp and, where there is one, segments.

    Of plain files only the part is read that is asked for; what comes from a pipe is read whole, and the last such
    recording is kept.

    Attributes:
        lengths: samples of each utterance.
        bad: why others cannot be read, by utterance.
        sample_frequency: in Hz.
    """

    def __init__(self, directory: str | os.PathLike[str], sample_frequency: float) -> None:
        """Reads the headers of all recordings (those from pipes whole)."""
        data = DataDir.read(directory, ("utt2spk", "wav.scp", "segments"))
        self.sample_frequency = sample_frequency
        self._files = data.table("wav.scp")
        self._segments = data.segments if "segments" in data.tables else {}
        self._last: tuple[str, np.ndarray] | None = None
        self.lengths: dict[str, int] = {}
        self.bad: dict[str, str] = {}
        self._starts: dict[str, int] = {}
        sizes: dict[str, int | str] = {}  # of recordings, or what is wrong with them
        for utterance in self._segments or self._files:
            segment = self._segments.get(utterance, Segment(utterance, utterance, 0.0, -1.0))
            if segment.recording not in sizes:
                sizes[segment.recording] = self._size(segment.recording)
            size = sizes[segment.recording]
            if isinstance(size, str):
                self.bad[utterance] = size
                continue
            start = round(segment.start * sample_frequency)
            end = size if segment.end < 0 else min(size, round(segment.end * sample_frequency))
            if start >= end:
                self.bad[utterance] = f"its segment begins after the end of recording {segment.recording}"
                continue
            self._starts[utterance], self.lengths[utterance] = start, end - start

    def _size(self, recording: str) -> int | str:
        file = self._files.get(recording)
        if file is None:
            return f"no recording {recording} in wav.scp"
        try:
            if classify_input(file) == "pipe":
                return len(self._whole(recording))
            with open_input(file) as stream:
                info = read_wave_info(stream)
            if info.samples is None:
                return len(self._whole(recording))
            self._check(file, info.sample_frequency, info.channels)
            return info.samples
        except KaldiError as error:
            return str(error)

    def _check(self, file: str, sample_frequency: float, channels: int) -> None:
        if sample_frequency != self.sample_frequency or channels != 1:
            raise KaldiError(
                f"{file} has {channels} channels at {sample_frequency:g} Hz; expected one at "
                f"{self.sample_frequency:g} Hz"
            )

    def samples(self, utterance: str, first: int, count: int) -> np.ndarray:
        """float32 [count], at the scale of 16-bit integers; they must be there.

        Raises:
            KaldiError: they cannot be read; says from which file.
        """
        recording = self._segments[utterance].recording if self._segments else utterance
        file = self._files[recording]
        begin = self._starts[utterance] + first
        if classify_input(file) == "file":
            with open_input(file) as stream:
                wave = read_wave_part(stream, begin, count)
            self._check(file, wave.sample_frequency, len(wave.data))
            return wave.data[0]
        part = self._whole(recording)[begin : begin + count]
        if len(part) != count:
            raise KaldiError(f"recording {recording} ({file}) is shorter than it was")
        return part

    def _whole(self, recording: str) -> np.ndarray:
        if self._last is None or self._last[0] != recording:
            wave = read_recording(self._files[recording])
            self._check(self._files[recording], wave.sample_frequency, len(wave.data))
            self._last = recording, wave.data[0]
        return self._last[1]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_last": None}


def read_recording(rxfilename: str) -> Wave:
    """A whole recording; raises KaldiError naming the file."""
    with open_input(rxfilename) as stream:
        return read_wave(stream)
