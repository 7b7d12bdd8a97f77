"""nnet-pytorch-transform-feats: twin of transform-feats."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.transforms import log_determinant, transform
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.matrix_io import read_matrix
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter, is_rspecifier
from kaldi_bridge.tables.holders import FLOAT_MATRIX

USAGE = """Apply a transform (LDA, MLLT, fMLLR ...): linear, or affine where it has one column more than the features.
Usage: nnet-pytorch-transform-feats [options] <transform-rspecifier|rxfilename> <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-transform-feats final.mat scp:feats.scp ark:-"""


@dataclass
class Options:
    """Options of transform-feats."""

    utt2spk: str = option("", "Rspecifier of the map from utterance to speaker, for transforms of speakers")


def transform_feats(options: Options, transform_in: str, feats_rspecifier: str, feats_wspecifier: str) -> int:
    done = errors = 0
    determinants = np.zeros(2)  # sum over frames, frames
    with ExitStack() as stack:
        if is_rspecifier(transform_in):
            table = stack.enter_context(RandomAccessReader(transform_in, FLOAT_MATRIX, utt2spk=options.utt2spk or None))
        else:
            table = None
            with open_input(transform_in) as stream:
                matrix = read_matrix(stream, read_header(stream))
        reader = stack.enter_context(SequentialReader(feats_rspecifier, FLOAT_MATRIX))
        writer = stack.enter_context(TableWriter(feats_wspecifier, FLOAT_MATRIX))
        for utterance, feats in reader:
            if table is not None:
                if utterance not in table:
                    log.warning(
                        f"No transform available for utterance {utterance}, producing no output for this utterance"
                    )
                    errors += 1
                    continue
                matrix = table[utterance]
            try:
                writer.write(utterance, transform(feats, matrix))
            except KaldiError as error:
                log.warning(f"Utterance {utterance}: {error}")
                errors += 1
                continue
            done += 1
            if len(matrix) <= feats.shape[1]:
                determinants += len(feats) * np.array([log_determinant(matrix[:, : feats.shape[1]]), 1.0])
    if determinants[1]:
        average = determinants[0] / determinants[1]
        log.info(f"Overall average [pseudo-]logdet is {average:g} over {determinants[1]:g} frames.")
    log.info(f"Applied transform to {done} utterances; {errors} had errors.")
    return 0 if done else 1


main = command(transform_feats, usage=USAGE)

if __name__ == "__main__":
    main()
