"""nnet-pytorch-ivector-extract-online2: twin of ivector-extract-online2."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.ivectors.extraction import ExtractionOptions, extract_ivectors

USAGE = """Extract i-vectors every --ivector-period frames, as they would be online, by an extractor of Kaldi's.
Usage: nnet-pytorch-ivector-extract-online2 [options] <spk2utt-rspecifier> <feature-rspecifier> <ivector-wspecifier>
e.g.: nnet-pytorch-ivector-extract-online2 --config=conf/ivector_extractor.conf ark:data/train/spk2utt \\
    scp:data/train_hires/feats.scp ark:ivectors.ark
Features are as they are before normalization. What an utterance tells about its speaker serves those after it; for
utterances by themselves, spk2utt is lines of "<utterance> <utterance>"."""


@dataclass
class Options(ExtractionOptions):
    """Options of ivector-extract-online2."""


def ivector_extract_online2(options: Options, spk2utt: str, feats_rspecifier: str, ivectors_wspecifier: str) -> int:
    return extract_ivectors(options, spk2utt, feats_rspecifier, ivectors_wspecifier)


main = command(ivector_extract_online2, usage=USAGE)

if __name__ == "__main__":
    main()
