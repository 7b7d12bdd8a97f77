"""nnet-pytorch-compute-plp-feats: twin of compute-plp-feats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.features.extraction import VtlnOptions, extract_features
from kaldi_bridge.features.options import PlpOptions

USAGE = """Compute PLP features of recordings.
Usage:  nnet-pytorch-compute-plp-feats [options] <wav-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-compute-plp-feats --config=conf/plp.conf scp:data/test/wav.scp ark,scp:feats.ark,feats.scp"""


@dataclass
class Options(VtlnOptions, PlpOptions):
    """Options of this program."""


def compute_plp_feats(options: Options, wav_rspecifier: str, feats_wspecifier: str) -> int:
    return extract_features(options, options, wav_rspecifier, feats_wspecifier)


main = command(compute_plp_feats, usage=USAGE)

if __name__ == "__main__":
    main()
