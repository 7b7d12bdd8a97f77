"""nnet-pytorch-apply-cmvn-sliding: twin of apply-cmvn-sliding."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import EntryError
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.transforms.sliding_cmvn import SlidingCmvnOptions, sliding_cmvn

USAGE = """Normalize the mean, and optionally the variance, of features over a window around each frame, or before it.
Usage: nnet-pytorch-apply-cmvn-sliding [options] <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-apply-cmvn-sliding --cmn-window=300 --center=true scp:feats.scp ark:-"""


def apply_cmvn_sliding(options: SlidingCmvnOptions, feats_rspecifier: str, feats_wspecifier: str) -> int:
    options.check()
    loop = TableLoop()
    with (
        SequentialReader(feats_rspecifier, FLOAT_MATRIX) as reader,
        TableWriter(feats_wspecifier, FLOAT_MATRIX) as writer,
    ):
        for utterance, feats in reader:
            with loop.entry(utterance):
                if not len(feats):
                    raise EntryError(f"Empty feature matrix for utterance {utterance}")
                writer.write(utterance, sliding_cmvn(feats, options))
    what = "and variance " if options.norm_vars else ""
    log.info(
        f"Applied sliding-window cepstral mean {what}normalization to {loop.done} utterances, {loop.failed} had errors."
    )
    return loop.status


main = command(apply_cmvn_sliding, usage=USAGE)

if __name__ == "__main__":
    main()
