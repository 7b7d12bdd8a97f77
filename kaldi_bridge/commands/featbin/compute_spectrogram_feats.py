"""nnet-pytorch-compute-spectrogram-feats: twin of compute-spectrogram-feats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.features.extraction import ExtractionOptions, extract_features
from kaldi_bridge.features.options import SpectrogramOptions

USAGE = """Compute spectrograms of recordings.
Usage:  nnet-pytorch-compute-spectrogram-feats [options] <wav-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-compute-spectrogram-feats --config=conf/spectrogram.conf scp:wav.scp ark:feats.ark"""


@dataclass
class Options(ExtractionOptions, SpectrogramOptions):
    """Options of this program."""


def compute_spectrogram_feats(options: Options, wav_rspecifier: str, feats_wspecifier: str) -> int:
    return extract_features(options, options, wav_rspecifier, feats_wspecifier)


main = command(compute_spectrogram_feats, usage=USAGE)

if __name__ == "__main__":
    main()
