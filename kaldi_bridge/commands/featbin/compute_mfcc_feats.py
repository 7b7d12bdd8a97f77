"""nnet-pytorch-compute-mfcc-feats: twin of compute-mfcc-feats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.features.extraction import VtlnOptions, extract_features
from kaldi_bridge.features.options import MfccOptions

USAGE = """Compute MFCC features of recordings.
Usage:  nnet-pytorch-compute-mfcc-feats [options] <wav-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-compute-mfcc-feats --config=conf/mfcc.conf scp:data/test/wav.scp ark,scp:feats.ark,feats.scp"""


@dataclass
class Options(VtlnOptions, MfccOptions):
    """Options of this program."""


def compute_mfcc_feats(options: Options, wav_rspecifier: str, feats_wspecifier: str) -> int:
    return extract_features(options, options, wav_rspecifier, feats_wspecifier)


main = command(compute_mfcc_feats, usage=USAGE)

if __name__ == "__main__":
    main()
