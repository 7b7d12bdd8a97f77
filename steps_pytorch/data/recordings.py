"""Waveforms of utterances: any part of them, read from their recordings."""

from __future__ import annotations

import os

import numpy as np

from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.data_dirs.segments import Segment
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.options import FrameOptions
from kaldi_bridge.features.resampling import recording_resampler
from kaldi_bridge.io.filenames import classify_input
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.wave import Wave, read_wave, read_wave_info, read_wave_part


class Recordings:
    """Of a data directory, by wav.scp and, where there is one, segments.

    Of plain files only the part is read that is asked for; what comes from a pipe is read whole, and the last such
    recording is kept. Utterances of recordings at another rate are resampled as by themselves, where the options allow
    it: that is how their features are made.

    Args:
        options: those of the features.

    Attributes:
        sample_frequency: of the options, in Hz.
        lengths: samples of each utterance at this rate.
        bad: why others cannot be read, by utterance.
    """

    def __init__(self, directory: str | os.PathLike[str], options: FrameOptions) -> None:
        """Reads the headers of all recordings (those from pipes whole)."""
        data = DataDir.read(directory, ("utt2spk", "wav.scp", "segments"))
        self._options, self.sample_frequency = options, options.sample_frequency
        self._files = data.table("wav.scp")
        self._segments = data.segments if "segments" in data.tables else {}
        self._last: tuple[str, np.ndarray] | None = None
        self.lengths: dict[str, int] = {}
        self.bad: dict[str, str] = {}
        self._rates: dict[str, float] = {}  # of recordings
        self._ranges: dict[str, tuple[int, int]] = {}  # samples of utterances in their recordings
        sizes: dict[str, int | str] = {}  # of recordings, or what is wrong with them
        for utterance in self._segments or self._files:
            segment = self._segments.get(utterance, Segment(utterance, utterance, 0.0, -1.0))
            if segment.recording not in sizes:
                sizes[segment.recording] = self._size(segment.recording)
            size = sizes[segment.recording]
            if isinstance(size, str):
                self.bad[utterance] = size
                continue
            rate = self._rates[segment.recording]
            start = round(segment.start * rate)
            end = size if segment.end < 0 else min(size, round(segment.end * rate))
            if start >= end:
                self.bad[utterance] = f"its segment begins after the end of recording {segment.recording}"
                continue
            self._ranges[utterance] = start, end
            self.lengths[utterance] = self._length(end - start, rate)

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
            self._check(recording, info.sample_frequency, info.channels)
            return info.samples
        except KaldiError as error:
            return str(error)

    def _length(self, num_samples: int, rate: float) -> int:
        if rate == self.sample_frequency:
            return num_samples
        return recording_resampler(rate, self.sample_frequency).length(num_samples)

    def _check(self, recording: str, rate: float, channels: int) -> None:
        """What features cannot be made of, or has changed since."""
        file = self._files[recording]
        if channels != 1:
            raise KaldiError(f"{file} has {channels} channels; expected one")
        try:
            self._options.check_rate(rate)
        except KaldiError as error:
            raise KaldiError(f"{file}: {error}") from None
        if rate != self._rates.setdefault(recording, rate):
            raise KaldiError(f"{file} was at {self._rates[recording]:g} Hz and is at {rate:g} Hz now")

    def samples(self, utterance: str, first: int, count: int) -> np.ndarray:
        """float32 [count], one or more, at the scale of 16-bit integers; they must be there.

        Raises:
            KaldiError: they cannot be read; says from which file.
        """
        recording = self._segments[utterance].recording if self._segments else utterance
        begin, end = self._ranges[utterance]
        rate = self._rates[recording]
        if rate == self.sample_frequency:
            return self._part(recording, begin + first, count)
        resampler = recording_resampler(rate, self.sample_frequency)
        low, high = resampler.span(first, first + count)
        low, high = max(low, 0), min(high, end - begin)
        return resampler(self._part(recording, begin + low, high - low), first, first + count, low)

    def _part(self, recording: str, begin: int, count: int) -> np.ndarray:
        file = self._files[recording]
        if classify_input(file) == "file":
            with open_input(file) as stream:
                wave = read_wave_part(stream, begin, count)
            self._check(recording, wave.sample_frequency, len(wave.data))
            return wave.data[0]
        part = self._whole(recording)[begin : begin + count]
        if len(part) != count:
            raise KaldiError(f"recording {recording} ({file}) is shorter than it was")
        return part

    def _whole(self, recording: str) -> np.ndarray:
        if self._last is None or self._last[0] != recording:
            wave = read_recording(self._files[recording])
            self._check(recording, wave.sample_frequency, len(wave.data))
            self._last = recording, wave.data[0]
        return self._last[1]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_last": None}


def read_recording(rxfilename: str) -> Wave:
    """A whole recording; raises KaldiError naming the file."""
    with open_input(rxfilename) as stream:
        return read_wave(stream)
