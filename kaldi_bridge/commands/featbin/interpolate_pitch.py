"""nnet-pytorch-interpolate-pitch: twin of interpolate-pitch."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.features.pitch_interpolation import (
    PitchInterpolationOptions,
    PitchInterpolator,
    interpolated_linearly,
)
from kaldi_bridge.tables.changed import change_features

USAGE = """Interpolate and smooth pitch, of features with the probability of voicing and Hz, 0 where it is unknown.
Usage: nnet-pytorch-interpolate-pitch [options] <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-interpolate-pitch --linear-interpolation=true ark:pitch.ark ark:out.ark"""


@dataclass
class Options(PitchInterpolationOptions):
    """Options of interpolate-pitch."""

    linear_interpolation: bool = option(False, "Only straight lines where pitch is unknown")


def interpolate_pitch(options: Options, feats_rspecifier: str, feats_wspecifier: str) -> int:
    interpolate = PitchInterpolator(options, CRandom(1))
    loop = change_features(
        feats_rspecifier,
        feats_wspecifier,
        interpolated_linearly if options.linear_interpolation else interpolate,
        lambda _, feats: f"Feature file has bad size {feats.shape[0]} by {feats.shape[1]}",
    )
    if not options.linear_interpolation:
        interpolate.report()
    log.info(f"Done {loop.done} utterances, {loop.failed} with errors.")
    return loop.status


main = command(interpolate_pitch, usage=USAGE)

if __name__ == "__main__":
    main()
