"""nnet-pytorch-ivector-plda-scoring-dense: twin of ivector-plda-scoring-dense."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.ivectors.conversation_scores import conversation_scores
from kaldi_bridge.ivectors.plda import PldaOptions, read_plda
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR, TOKEN_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Score all pairs of segments of each recording by a PLDA model, for speaker diarization: a matrix each.
Its rows and columns stand for the segments in the order of reco2utt.
Usage: nnet-pytorch-ivector-plda-scoring-dense [options] <plda> <reco2utt> <ivectors-rspecifier> <scores-wspecifier>
e.g.: nnet-pytorch-ivector-plda-scoring-dense plda ark:reco2utt scp:ivectors.scp ark:scores.ark"""


@dataclass
class Options(PldaOptions):
    """Options of ivector-plda-scoring-dense."""

    target_energy: float = option(
        0.5, "Project by a PCA of each recording that keeps this proportion of its energy; 1 keeps everything"
    )


def ivector_plda_scoring_dense(options: Options, plda_in: str, reco2utt: str, ivectors_in: str, scores: str) -> int:
    plda = read_plda(plda_in)
    if options.target_energy > 1:
        raise KaldiError(f"--target-energy={options.target_energy:g} must be at most 1")
    loop = TableLoop()
    with (
        SequentialReader(reco2utt, TOKEN_VECTOR) as recordings,
        RandomAccessReader(ivectors_in, FLOAT_VECTOR) as table,
        TableWriter(scores, FLOAT_MATRIX) as writer,
    ):
        for recording, segments in recordings:
            with loop.entry(recording):
                vectors = [_ivector(table, segment, plda.dim) for segment in segments]
                if not vectors:
                    raise EntryError(f"Not producing output for recording {recording} since no segments had iVectors")
                writer.write(recording, conversation_scores(plda, np.stack(vectors), options.target_energy, options))
    log.info(f"Processed {loop.done} recordings, {loop.failed} had errors.")
    return loop.status


def _ivector(table: RandomAccessReader[np.ndarray], segment: str, dim: int) -> np.ndarray:
    if segment not in table:
        raise KaldiError(f"No iVector present in input for utterance {segment}")
    vector = table[segment]
    if len(vector) != dim:
        raise KaldiError(f"{segment}: an i-vector of dimension {len(vector)}, but the PLDA model has {dim}")
    return vector


main = command(ivector_plda_scoring_dense, usage=USAGE)

if __name__ == "__main__":
    main()
