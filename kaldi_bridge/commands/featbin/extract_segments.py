"""nnet-pytorch-extract-segments: twin of extract-segments."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.data_dirs.segments import SegmentError, cut, parse_segment
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import decode
from kaldi_bridge.tables import RandomAccessReader, TableWriter
from kaldi_bridge.tables.holders import WAVE

USAGE = """Cut segments out of recordings; lines of the segments file are: utterance recording start end [channel]
Usage: nnet-pytorch-extract-segments [options] <wav-rspecifier> <segments-rxfilename> <wav-wspecifier>
e.g.: nnet-pytorch-extract-segments scp:data/train/wav.scp data/train/segments ark:-"""


@dataclass
class Options:
    """Options of extract-segments."""

    min_segment_length: float = option(0.1, "Minimum segment length in seconds (reject shorter segments)")
    max_overshoot: float = option(
        0.5, "Segments that end later than the audio by less than this are cut, else rejected"
    )


def extract_segments(options: Options, wav_rspecifier: str, segments_rxfilename: str, wav_wspecifier: str) -> int:
    done = total = 0
    with (
        RandomAccessReader(wav_rspecifier, WAVE) as recordings,
        TableWriter(wav_wspecifier, WAVE) as writer,
        open_input(segments_rxfilename) as segments,
    ):
        for line in segments.lines():
            total += 1
            try:
                segment = parse_segment(decode(line))
                if segment.recording not in recordings:
                    raise SegmentError(
                        f"Could not find recording {segment.recording}, skipping segment {segment.utterance}"
                    )
                wave = recordings[segment.recording]
                part = cut(wave, segment, options.min_segment_length, options.max_overshoot)
            except SegmentError as error:
                log.warning(str(error))
                continue
            writer.write(segment.utterance, part)
            done += 1
    log.info(f"Successfully processed {done} lines out of {total} in the segments file. ")
    return 0


main = command(extract_segments, usage=USAGE)

if __name__ == "__main__":
    main()
