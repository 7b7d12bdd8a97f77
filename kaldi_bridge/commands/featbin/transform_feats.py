"""nnet-pytorch-transform-feats: twin of transform-feats."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter, is_rspecifier
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.transforms.linear import log_determinant, read_transform, transform

USAGE = """Apply a transform (LDA, MLLT, fMLLR ...): linear, or affine where it has one column more than the features.
Usage: nnet-pytorch-transform-feats [options] <transform-rspecifier|rxfilename> <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-transform-feats final.mat scp:feats.scp ark:-"""


@dataclass
class Options:
    """Options of transform-feats."""

    utt2spk: str = option("", "Rspecifier of the map from utterance to speaker, for transforms of speakers")


def transform_feats(options: Options, transform_in: str, feats_rspecifier: str, feats_wspecifier: str) -> int:
    loop = TableLoop()
    determinants = np.zeros(2)  # sum over frames, frames
    with ExitStack() as stack:
        if is_rspecifier(transform_in):
            table = stack.enter_context(RandomAccessReader(transform_in, FLOAT_MATRIX, utt2spk=options.utt2spk or None))
        else:
            table = None
            matrix = read_transform(transform_in)
        reader = stack.enter_context(SequentialReader(feats_rspecifier, FLOAT_MATRIX))
        writer = stack.enter_context(TableWriter(feats_wspecifier, FLOAT_MATRIX))
        for utterance, feats in reader:
            with loop.entry(utterance):
                if table is not None:
                    if utterance not in table:
                        raise EntryError(
                            f"No fMLLR transform available for utterance {utterance}, "
                            "producing no output for this utterance"
                        )
                    matrix = table[utterance]
                _check(utterance, feats, matrix)
                writer.write(utterance, transform(feats, matrix))
                if len(matrix) <= feats.shape[1]:
                    determinant = log_determinant(matrix[:, : feats.shape[1]])
                    if np.isfinite(determinant):
                        determinants += len(feats) * np.array([determinant, 1.0])
                    else:
                        log.warning(f"Matrix has bad logdet {determinant:g}")
    if determinants[1]:
        average = determinants[0] / determinants[1]
        log.info(f"Overall average [pseudo-]logdet is {average:g} over {determinants[1]:g} frames.")
    log.info(f"Applied transform to {loop.done} utterances; {loop.failed} had errors.")
    return loop.status


def _check(utterance: str, feats: np.ndarray, matrix: np.ndarray) -> None:
    dim, (rows, columns) = feats.shape[1], matrix.shape
    if columns not in (dim, dim + 1):
        hint = " (a composed transform made without --b-is-affine?)" if columns == dim + 2 else ""
        raise EntryError(
            f"Transform matrix for utterance {utterance} has bad dimension {rows}x{columns} versus feat dim {dim}{hint}"
        )


main = command(transform_feats, usage=USAGE)

if __name__ == "__main__":
    main()
