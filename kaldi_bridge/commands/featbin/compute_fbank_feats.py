"""nnet-pytorch-compute-fbank-feats: twin of compute-fbank-feats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.features.extraction import VtlnOptions, extract_features
from kaldi_bridge.features.options import FbankOptions

USAGE = """Compute filterbank features of recordings.
Usage:  nnet-pytorch-compute-fbank-feats [options] <wav-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-compute-fbank-feats --config=conf/fbank.conf scp:data/test/wav.scp ark,scp:feats.ark,feats.scp"""


@dataclass
class Options(VtlnOptions, FbankOptions):
    """Options of this program."""


def compute_fbank_feats(options: Options, wav_rspecifier: str, feats_wspecifier: str) -> int:
    return extract_features(options, options, wav_rspecifier, feats_wspecifier)


main = command(compute_fbank_feats, usage=USAGE)

if __name__ == "__main__":
    main()
