"""nnet-pytorch-process-pitch-feats: twin of process-pitch-feats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.voicing import averaged_nearby, log_odds, without_moving_mean
from kaldi_bridge.tables.changed import change_features

USAGE = """Make features of the probability of voicing and pitch in Hz into what a recognizer takes: log odds, and the
logarithm of pitch without its moving average. Pitch is to be known everywhere (nnet-pytorch-interpolate-pitch).
Usage: nnet-pytorch-process-pitch-feats [options] <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-process-pitch-feats ark:pitch.ark ark:out.ark"""


@dataclass
class Options:
    """Options of process-pitch-feats."""

    normalization_window_size: int = option(151, "Frames of the moving average that is subtracted; odd")
    average_window_size: int = option(5, "Frames whose average takes a frame's place; odd")

    def check(self) -> None:
        """Raises KaldiError for even windows."""
        for name in ("normalization_window_size", "average_window_size"):
            if getattr(self, name) < 1 or getattr(self, name) % 2 == 0:
                raise KaldiError(f"--{name.replace('_', '-')} must be an odd positive number")


def process_pitch_feats(options: Options, feats_rspecifier: str, feats_wspecifier: str) -> int:
    options.check()
    loop = change_features(
        feats_rspecifier,
        feats_wspecifier,
        lambda feats: _processed(feats, options),
        empty=lambda _, feats: f"Feature file has bad size {feats.shape[0]} by {feats.shape[1]}",
        progress=10,
    )
    log.info(f"Done {loop.done} utterances, {loop.failed} with errors.")
    return loop.status


def _processed(feats: np.ndarray, options: Options) -> np.ndarray:
    """All columns, the first two changed. Raises KaldiError where they are no probabilities and pitch."""
    if feats.shape[1] < 2:
        raise KaldiError(f"expected the probability of voicing and pitch, got {feats.shape[1]} columns")
    processed = feats.copy()
    processed[:, 0] = log_odds(feats[:, 0])
    if not (feats[:, 1] > 0).all():
        raise KaldiError("pitch is not positive everywhere: interpolate it first")
    pitch = without_moving_mean(np.log(feats[:, 1]), options.normalization_window_size)
    processed[:, 1] = averaged_nearby(pitch, options.average_window_size)
    return processed


main = command(process_pitch_feats, usage=USAGE)

if __name__ == "__main__":
    main()
