"""Segments: utterances that are parts of recordings (featbin/extract-segments.cc)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kaldi_bridge.data_dirs.wave import Wave
from kaldi_bridge.errors import KaldiError


class SegmentError(KaldiError):
    """A segment that makes no sense, or is not in its recording."""


class Segment(NamedTuple):
    """A part of a recording, in seconds; an ``end`` of -1 is the recording's, a ``channel`` of -1 its only one."""

    recording: str
    start: float
    end: float
    channel: int = -1


def parse_segment(words: Sequence[str]) -> Segment:
    """Of a line of a segments file what follows the utterance: recording, start, end and perhaps the channel.

    Raises:
        SegmentError: anything else, or a segment that ends where it starts, or earlier.
    """
    try:
        recording, start, end = words[0], float(words[1]), float(words[2])
        channel = int(words[3]) if len(words) == 4 else -1
    except (ValueError, IndexError):
        raise SegmentError("expected a recording, a start and a later end in seconds") from None
    if len(words) > 4 or channel < -1 or not (start >= 0 and (end > start or end == -1)):
        raise SegmentError("expected a recording, a start and a later end in seconds")
    return Segment(recording, start, end, channel)


def cut(wave: Wave, segment: Segment, min_length: float = 0.1, max_overshoot: float = 0.5) -> Wave:
    """The segment's samples.

    Raises:
        SegmentError: it is shorter than ``min_length`` seconds, ends more than ``max_overshoot`` seconds after the
            recording, or in a channel that is not there or not given.
    """
    channels, samples = wave.data.shape
    length = samples / wave.sample_frequency
    if segment.start > length:
        raise SegmentError(f"it starts after the recording, which has {length:g} s")
    if segment.end > length + max_overshoot:
        raise SegmentError(f"it ends too far after the recording, which has {length:g} s")
    end = length if segment.end < 0 else min(segment.end, length)
    if end - segment.start < min_length:
        raise SegmentError(f"it is shorter than {min_length:g} s")
    if segment.channel >= channels or (segment.channel < 0 and channels > 1):
        raise SegmentError(f"the recording has {channels} channels: which one is it?")
    first, last = (int(time * wave.sample_frequency + 0.5) for time in (segment.start, end))
    channel = max(segment.channel, 0)
    return Wave(wave.sample_frequency, wave.data[channel : channel + 1, first : min(last, samples)])
