"""nnet-pytorch-apply-cmvn: twin of apply-cmvn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter, is_rspecifier
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_MATRIX, GENERAL_MATRIX
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.transforms.cmvn import apply_cmvn as normalize
from kaldi_bridge.transforms.cmvn import fake_some_dims, parse_skip_dims
from kaldi_bridge.transforms.global_cmvn import read_stats

USAGE = """Normalize the mean, and optionally the variance, of features: per utterance, or per speaker with --utt2spk.
Usage: nnet-pytorch-apply-cmvn [options] (<stats-rspecifier>|<stats-rxfilename>) <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-apply-cmvn --utt2spk=ark:data/test/utt2spk scp:data/test/cmvn.scp scp:data/test/feats.scp ark:-"""


@dataclass
class Options:
    """Options of apply-cmvn."""

    utt2spk: str = option("", "Rspecifier of the map from utterance to speaker")
    norm_vars: bool = option(False, "Normalize variances too")
    norm_means: bool = option(True, "Normalize means; false copies the features as they are")
    skip_dims: str = option("", "Dimensions to leave alone: colon-separated integers, e.g. 13:14:15")
    reverse: bool = option(False, "Give normalized input the mean and variance of the statistics")


def apply_cmvn(options: Options, stats: str, feats_rspecifier: str, feats_wspecifier: str) -> int:
    if options.norm_vars and not options.norm_means:
        raise KaldiError("You cannot normalize the variance but not the mean.")
    if not options.norm_means:
        return _copy(feats_rspecifier, feats_wspecifier)
    skip_dims = parse_skip_dims(options.skip_dims)
    loop, lookup = TableLoop(), _Statistics(stats, options.utt2spk)
    with (
        lookup,
        SequentialReader(feats_rspecifier, FLOAT_MATRIX) as reader,
        TableWriter(feats_wspecifier, FLOAT_MATRIX) as writer,
    ):
        for utterance, feats in reader:
            with loop.entry(utterance):
                found = lookup.of(utterance)
                if skip_dims:
                    found = fake_some_dims(found, skip_dims)
                writer.write(utterance, normalize(found, feats, options.norm_vars, options.reverse))
    what = "mean and variance" if options.norm_vars else "mean"
    log.info(f"Applied cepstral {what} normalization to {loop.done} utterances, errors on {loop.failed}")
    return loop.status


def _copy(feats_rspecifier: str, feats_wspecifier: str) -> int:
    done = 0
    with (
        SequentialReader(feats_rspecifier, GENERAL_MATRIX) as reader,
        TableWriter(feats_wspecifier, GENERAL_MATRIX) as writer,
    ):
        for utterance, feats in reader:
            writer.write(utterance, feats)
            done += 1
    log.info(f"Copied {done} utterances.")
    return 0 if done else 1


class _Statistics:
    """Statistics from a table, or the same global ones for every utterance."""

    def __init__(self, source: str, utt2spk: str) -> None:
        self._table = self._global = None
        if is_rspecifier(source):
            self._table = RandomAccessReader(source, DOUBLE_MATRIX, utt2spk=utt2spk or None)
        elif utt2spk:
            raise KaldiError("--utt2spk option not compatible with rxfilename as input (did you forget ark:?)")
        else:
            self._global = read_stats(source)

    def of(self, utterance: str) -> np.ndarray:
        """Raises EntryError where there are none."""
        if self._global is not None:
            return self._global
        assert self._table is not None
        if utterance not in self._table:
            raise EntryError(
                f"No normalization statistics available for key {utterance}, producing no output for this utterance"
            )
        return self._table[utterance]

    def __enter__(self) -> _Statistics:
        return self

    def __exit__(self, *_: object) -> None:
        if self._table is not None:
            self._table.close()


main = command(apply_cmvn, usage=USAGE)

if __name__ == "__main__":
    main()
