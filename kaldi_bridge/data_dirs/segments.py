"""Segments: utterances that are parts of recordings (featbin/extract-segments.cc)."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from kaldi_bridge.io.wave import Wave

_REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NATURAL = re.compile(r"\+?[0-9]{1,9}")


class SegmentError(KaldiError):
    """A segment that makes no sense, or is not in its recording: one that Kaldi leaves out, with this message."""


class Segment(NamedTuple):
    """A part of a recording, in seconds; an ``end`` of -1 is the recording's, a ``channel`` of -1 its only one.

    ``line``: the line of the file, for messages.
    """

    utterance: str
    recording: str
    start: float
    end: float
    channel: int = -1
    line: str = ""


def parse_segment(line: str) -> Segment:
    """A line of a segments file: utterance, recording, start, end and perhaps the channel.

    Raises:
        SegmentError: anything else, or a segment that ends where it starts, or earlier.
    """
    fields = words(line)
    if len(fields) not in (4, 5):
        raise SegmentError(f"Invalid line in segments file: {line}")
    for name, time in zip(("start", "end"), fields[2:4], strict=True):
        if not _REAL.fullmatch(time):
            raise SegmentError(f"Invalid line in segments file [bad {name}]: {line}")
    start, end = map(float, fields[2:4])
    if start < 0 or (end != -1 and end <= max(start, 0)):
        raise SegmentError(f"Invalid line in segments file [empty or invalid segment]: {line}")
    if len(fields) == 4:
        return Segment(fields[0], fields[1], start, end, line=line)
    if not _NATURAL.fullmatch(fields[4]):
        raise SegmentError(f"Invalid line in segments file [bad channel]: {line}")
    return Segment(fields[0], fields[1], start, end, int(fields[4]), line)


def cut(wave: Wave, segment: Segment, min_length: float = 0.1, max_overshoot: float = 0.5) -> Wave:
    """The segment's samples. Lengths are in single precision, as Kaldi's: 0.1 s are shorter than the default minimum.

    Raises:
        SegmentError: it is shorter than ``min_length`` seconds, ends more than ``max_overshoot`` seconds after the
            recording, or in a channel that is not there.
        KaldiError: no channel is given of a recording that has several.
    """
    channels, samples = wave.data.shape
    length = np.float32(samples / wave.sample_frequency)
    if segment.start > length:
        raise SegmentError(
            f"Segment start is out of file data range [0, {length:g}s]; skipping segment '{segment.line}'"
        )
    if segment.end > length + np.float32(max_overshoot):
        raise SegmentError(
            f"Segment end is too far out of file data range [0,{length:g}s]; skipping segment '{segment.line}'"
        )
    end = float(length) if segment.end < 0 else min(segment.end, float(length))
    if end - segment.start < float(np.float32(min_length)):
        raise SegmentError(f"Segment {segment.utterance} too short, skipping it.")
    if segment.channel < 0 and channels > 1:
        raise KaldiError(
            "Your data has multiple channels. You must specify the channel in the segments file. "
            f"Skipping segment {segment.utterance}"
        )
    if segment.channel >= channels:
        raise SegmentError(f"Invalid channel {segment.channel} >= {channels}. Skipping segment {segment.utterance}")
    first, last = (int(time * wave.sample_frequency + 0.5) for time in (segment.start, end))
    channel = max(segment.channel, 0)
    return Wave(wave.sample_frequency, wave.data[channel : channel + 1, first : min(last, samples)])
