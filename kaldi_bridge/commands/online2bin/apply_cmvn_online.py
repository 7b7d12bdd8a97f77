"""nnet-pytorch-apply-cmvn-online: twin of apply-cmvn-online."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, TOKEN_VECTOR
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.transforms.cmvn import parse_skip_dims
from kaldi_bridge.transforms.global_cmvn import read_stats
from kaldi_bridge.transforms.online_cmvn import OnlineCmvn, OnlineCmvnOptions

USAGE = """Normalize features as they would be online: by what was heard before, and global statistics at first.
Usage: nnet-pytorch-apply-cmvn-online [options] <global-stats-rxfilename> <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-apply-cmvn-online --spk2utt=ark:data/test/spk2utt global_cmvn.stats scp:data/test/feats.scp ark:-"""


@dataclass
class Options(OnlineCmvnOptions):
    """Options of apply-cmvn-online."""

    spk2utt: str = option("", "Rspecifier of the map from speaker to utterances: to go on from one to the next")


def apply_cmvn_online(options: Options, global_stats: str, feats_rspecifier: str, feats_wspecifier: str) -> int:
    skip_dims = parse_skip_dims(options.skip_dims)
    stats = read_stats(global_stats)
    loop, frames = TableLoop(), 0
    with ExitStack() as stack:
        speakers = _speakers(stack, options.spk2utt, feats_rspecifier)
        writer = stack.enter_context(TableWriter(feats_wspecifier, FLOAT_MATRIX))
        for utterances in speakers:
            normalizer = OnlineCmvn(options, stats, skip_dims)
            for utterance, feats in utterances:
                with loop.entry(utterance):
                    writer.write(utterance, normalizer(feats) if len(feats) else feats)
                    frames += len(feats)
    log.info(f"Applied online CMVN to {loop.done} files, or {frames} frames.")
    return loop.status


def _speakers(stack: ExitStack, spk2utt: str, feats_rspecifier: str) -> Iterator[Iterator[tuple[str, np.ndarray]]]:
    """Each speaker's utterances; without spk2utt each utterance by itself."""
    if not spk2utt:
        reader = stack.enter_context(SequentialReader(feats_rspecifier, FLOAT_MATRIX))
        return (iter([pair]) for pair in reader)
    feats = stack.enter_context(RandomAccessReader(feats_rspecifier, FLOAT_MATRIX))

    def present(utterances: list[str]) -> Iterator[tuple[str, np.ndarray]]:
        for utterance in utterances:
            if utterance in feats:
                yield utterance, feats[utterance]
            else:
                log.warning(f"No features for utterance {utterance}")

    return (present(utterances) for _, utterances in stack.enter_context(SequentialReader(spk2utt, TOKEN_VECTOR)))


main = command(apply_cmvn_online, usage=USAGE)

if __name__ == "__main__":
    main()
