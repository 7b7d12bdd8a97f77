"""What is aligned: recordings, or parts of them, with their transcripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.data_dirs.segments import Segment, cut
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import shown, words
from kaldi_bridge.io.text_files import read_text
from kaldi_bridge.io.wave import Wave, read_wave, read_wave_pieces

Samples = tuple[float, Iterator[np.ndarray]]
"""The rate in Hz, and float32 [samples] at the scale of 16-bit integers, piece by piece."""

PIECE = 16000  # samples


@dataclass
class Transcribed:
    """A recording or a part of it.

    Attributes:
        name: of the utterance; that of the recording where it is a whole one.
        start: of the part, in seconds.
        words: of the transcript, as written.
        open: gives its samples from the beginning on; raises KaldiError for what is no recording.
    """

    name: str
    recording: str
    start: float
    words: list[str]
    open: Callable[[], Samples]


def of_files(paths: tuple[str, ...], channel: int) -> Iterator[Transcribed]:
    """Of wave files, each with the file of its transcript behind it. Raises KaldiError for an odd one."""
    if len(paths) % 2:
        raise KaldiError(f"{paths[-1]}: each recording needs the file of its transcript behind it")
    for recording, text in zip(paths[::2], paths[1::2], strict=True):
        name = "stdin" if recording == "-" else Path(recording).stem
        yield Transcribed(name, name, 0.0, words(read_text(text)), partial(_streamed, recording, channel))


def of_data_dir(path: str, channel: int) -> Iterator[Transcribed]:
    """Of a data directory with wav.scp and text, recording by recording. Utterances without a text are reported.

    A whole recording is read piece by piece; one that has segments is held until a part of another one is asked for.
    """
    data = DataDir.read(path, ("utt2spk", "text", "wav.scp", "segments"))
    recordings, texts = data.table("wav.scp"), data.text
    segments = data.segments if "segments" in data.tables else {}
    of_recording: dict[str, list[str]] = {}
    for utterance in data.utterances:
        if not texts.get(utterance):
            log.warning(f"{path}: no transcript of {utterance}")
        else:
            of_recording.setdefault(segments[utterance].recording if segments else utterance, []).append(utterance)
    held = _Held()
    for recording, utterances in of_recording.items():
        if recording not in recordings:
            log.warning(f"{path}: no recording {shown(recording)} in wav.scp")
            continue
        source = recordings[recording]
        if not segments:
            name = utterances[0]
            yield Transcribed(name, recording, 0.0, texts[name], partial(_streamed, source, channel))
            continue
        for name in sorted(utterances, key=lambda utterance: segments[utterance].start):
            segment = segments[name]
            if segment.channel < 0:
                segment = segment._replace(channel=channel)
            yield Transcribed(name, recording, segment.start, texts[name], partial(held.part, source, segment))


class _Held:
    """The recording of which a part was asked for last: one of them is in memory, besides what is being searched."""

    def __init__(self) -> None:
        self._source = ""
        self._wave: Wave | None = None

    def part(self, source: str, segment: Segment) -> Samples:
        if self._wave is None or source != self._source:
            self._wave = None
            with open_input(source) as stream:
                self._wave = read_wave(stream)
            self._source = source
        wave = cut(self._wave, segment)
        samples = wave.data[0]
        return wave.sample_frequency, (samples[at : at + PIECE] for at in range(0, len(samples), PIECE))


def _streamed(rxfilename: str, channel: int) -> Samples:
    """The first piece is read here, so that what is no recording is told of at once."""
    pieces = _pieces(rxfilename, channel)
    rate, first = next(pieces)

    def samples() -> Iterator[np.ndarray]:
        yield first
        for _, piece in pieces:
            yield piece

    return rate, samples()


def _pieces(rxfilename: str, channel: int) -> Iterator[tuple[float, np.ndarray]]:
    with open_input(rxfilename) as stream:
        for wave in read_wave_pieces(stream, PIECE):
            if channel >= len(wave.data):
                raise KaldiError(f"it has {len(wave.data)} channels, so none is --channel={channel}")
            yield wave.sample_frequency, wave.data[channel]
