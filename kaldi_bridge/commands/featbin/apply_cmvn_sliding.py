"""nnet-pytorch-apply-cmvn-sliding: twin of apply-cmvn-sliding."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.tables.changed import change_features
from kaldi_bridge.transforms.sliding_cmvn import SlidingCmvnOptions, sliding_cmvn

USAGE = """Normalize the mean, and optionally the variance, of features over a window around each frame, or before it.
Usage: nnet-pytorch-apply-cmvn-sliding [options] <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-apply-cmvn-sliding --cmn-window=300 --center=true scp:feats.scp ark:-"""


def apply_cmvn_sliding(options: SlidingCmvnOptions, feats_rspecifier: str, feats_wspecifier: str) -> int:
    options.check()
    loop = change_features(
        feats_rspecifier,
        feats_wspecifier,
        lambda feats: sliding_cmvn(feats, options),
        "Empty feature matrix for utterance {}".format,
    )
    what = "and variance " if options.norm_vars else ""
    log.info(
        f"Applied sliding-window cepstral mean {what}normalization to {loop.done} utterances, {loop.failed} had errors."
    )
    return loop.status


main = command(apply_cmvn_sliding, usage=USAGE)

if __name__ == "__main__":
    main()
