"""What nnet-pytorch-segment-long-utterances does: from recordings with whole texts to a data directory of segments."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text_files import Rows
from nnet3_compat.alignment.options import SegmentationOptions
from nnet3_compat.alignment.transcribed import Transcribed, of_data_dir

if TYPE_CHECKING:
    from nnet3_compat.alignment.segmentation import TextSegment


@dataclass
class LongOptions(SegmentationOptions):
    """What is heard, and what segments are made of it."""

    channel: int = option(0, "Channel of wave files that is taken, the first one being 0")


def segment_long(options: LongOptions, model_in: str, data_in: str, data_out: str) -> int:
    """Segments the recordings, writes the data directory, reports; returns the exit status.

    Raises KaldiError for a model or directory that cannot be used, and for options that make no sense.
    """
    if options.channel < 0:
        raise KaldiError("--channel must not be negative")
    if Path(data_in).resolve() == Path(data_out).resolve():
        raise KaldiError(f"{data_out} would be written over: give another directory")
    utterances = list(of_data_dir(data_in, options.channel))
    if not utterances:
        raise KaldiError(f"{data_in} has no transcribed recordings")
    from nnet3_compat.alignment.segmenter import TextSegmenter

    segmenter = TextSegmenter(model_in, chain.from_iterable(utterance.words for utterance in utterances), options)
    done = 0
    made = _Made(DataDir.read(data_in, ("utt2spk", "wav.scp", "reco2file_and_channel")))
    for utterance, outcome in segmenter.segments(utterances):
        if isinstance(outcome, KaldiError):
            log.warning(f"Failed to segment {utterance.name}: {outcome}")
        else:
            made.add(utterance, *outcome)
            done += 1
    segmenter.vocabulary.report()
    made.write(data_out)
    return 0 if done else 1


class _Made:
    """The data directory that is made, and how much of the given one is in it."""

    def __init__(self, source: DataDir) -> None:
        self._source = source
        self.segments: Rows = {}
        self._text: Rows = {}
        self._utt2spk: Rows = {}

    def add(self, utterance: Transcribed, segments: list[TextSegment], seconds: float) -> None:
        """``seconds``: of the utterance."""
        words, covered = 0, 0.0
        for segment in segments:
            start, end = (utterance.start + time for time in (segment.start, segment.end))
            name = f"{utterance.name}-{round(100 * start):07}-{round(100 * end):07}"
            self.segments[name] = f"{utterance.recording} {start:.2f} {end:.2f}"
            self._text[name] = " ".join(utterance.words[segment.first : segment.last])
            self._utt2spk[name] = self._source.utt2spk[utterance.name]
            words, covered = words + segment.last - segment.first, covered + segment.end - segment.start
        log.info(
            f"{utterance.name}: {len(segments)} segments with {words} of {len(utterance.words)} words, "
            f"{covered:.1f} of {seconds:.1f} s"
        )

    def write(self, path: str) -> None:
        """Writes nothing where there are no segments."""
        if not self.segments:
            log.warning("No segments: does the text belong to the recordings, and the model to their language?")
            return
        tables = {**self._source.tables, "segments": self.segments, "text": self._text, "utt2spk": self._utt2spk}
        DataDir(self._source.path, tables).subset(self.segments).write(path)
        log.info(f"Made {len(self.segments)} segments in {path}")
