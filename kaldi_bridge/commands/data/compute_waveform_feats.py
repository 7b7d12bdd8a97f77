"""nnet-pytorch-compute-waveform-feats: samples as features."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.features.extraction import ExtractionOptions, extract_features
from kaldi_bridge.features.options import WaveformOptions

USAGE = """Write the samples of recordings as features, for networks that begin with waveforms.
A frame has as many samples as its shift is long, those in its middle: 160 at 16 kHz and 10 ms. There are as many frames
as of MFCC with the same frame length and shift, at the same times.
Usage:  nnet-pytorch-compute-waveform-feats [options] <wav-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-compute-waveform-feats --config=conf/waveform.conf scp:wav.scp ark:feats.ark"""


@dataclass
class Options(ExtractionOptions, WaveformOptions):
    """Options of this program."""


def compute_waveform_feats(options: Options, wav_rspecifier: str, feats_wspecifier: str) -> int:
    return extract_features(options, options, wav_rspecifier, feats_wspecifier)


main = command(compute_waveform_feats, usage=USAGE)

if __name__ == "__main__":
    main()
