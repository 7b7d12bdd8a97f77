"""nnet-pytorch-interpolate-pitch: twin of interpolate-pitch."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.features.pitch_interpolation import (
    PitchInterpolationOptions,
    PitchInterpolator,
    interpolated_linearly,
)
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Interpolate and smooth pitch, of features with the probability of voicing and Hz, 0 where it is unknown.
Usage: nnet-pytorch-interpolate-pitch [options] <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-interpolate-pitch --linear-interpolation=true ark:pitch.ark ark:out.ark"""


@dataclass
class Options(PitchInterpolationOptions):
    """Options of interpolate-pitch."""

    linear_interpolation: bool = option(False, "Only straight lines where pitch is unknown")


def interpolate_pitch(options: Options, feats_rspecifier: str, feats_wspecifier: str) -> int:
    interpolate, loop = PitchInterpolator(options, CRandom(1)), TableLoop()
    with (
        SequentialReader(feats_rspecifier, FLOAT_MATRIX) as reader,
        TableWriter(feats_wspecifier, FLOAT_MATRIX) as writer,
    ):
        for utterance, feats in reader:
            with loop.entry(utterance):
                if not len(feats):
                    raise EntryError(f"Feature file has bad size {feats.shape[0]} by {feats.shape[1]}")
                made = interpolated_linearly(feats) if options.linear_interpolation else interpolate(feats)
                writer.write(utterance, made)
    if not options.linear_interpolation:
        interpolate.report()
    log.info(f"Done {loop.done} utterances, {loop.failed} with errors.")
    return loop.status


main = command(interpolate_pitch, usage=USAGE)

if __name__ == "__main__":
    main()
