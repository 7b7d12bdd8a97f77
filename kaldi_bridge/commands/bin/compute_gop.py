"""nnet-pytorch-compute-gop: twin of compute-gop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.hmm.phone_sequence import phones_of
from kaldi_bridge.hmm.pronunciation import PronunciationScorer
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.integer_sets import read_phone_map, split_integers
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR, INT32_VECTOR, SPARSE_POSTERIOR
from kaldi_bridge.tables.posterior import SparsePosterior

USAGE = """Compute Goodness Of Pronunciation (GOP), and features for those who classify pronunciations, from a matrix of
probabilities of pdfs (of nnet3-compute, say), for each phone of an alignment.
Usage:  nnet-pytorch-compute-gop [options] <model> <transition-alignments-rspecifier> <phone-alignments-rspecifier> \\
  <prob-matrix-rspecifier> <gop-wspecifier> <phone-feature-wspecifier>
e.g.: nnet3-compute [args] | nnet-pytorch-compute-gop 1.mdl ark:ali.1 ark:ali-phone.1 ark:- ark:gop.1 ark:feat.1"""


@dataclass
class Options:
    """Options of compute-gop."""

    log_applied: bool = option(True, "If true, the matrices are logs of probabilities")
    phone_map: str = option("", "File of lines <old-phone> <new-phone>, both numbers: phones that are told apart")
    skip_phones_string: str = option(
        "0", "Phones, with colons between, that are left out, as they are after mapping", name="skip_phones_string"
    )


def compute_gop(
    options: Options,
    model_in: str,
    transition_alignments: str,
    phone_alignments: str,
    probabilities: str,
    gop_wspecifier: str,
    feature_wspecifier: str,
) -> int:
    model = read_transition_model(model_in)
    phone_map = read_phone_map(options.phone_map) if options.phone_map else None
    score = PronunciationScorer(model, phone_map, split_integers(options.skip_phones_string, "--skip_phones_string"))
    done = 0
    with (
        SequentialReader(probabilities, FLOAT_MATRIX) as reader,
        RandomAccessReader(phone_alignments, INT32_VECTOR) as phones_aligned,
        RandomAccessReader(transition_alignments, INT32_VECTOR) as aligned,
        TableWriter(gop_wspecifier, SPARSE_POSTERIOR) as gop_writer,
        TableWriter(feature_wspecifier, FLOAT_VECTOR) as feature_writer,
    ):
        for utterance, matrix in reader:
            if utterance not in phones_aligned:
                log.warning(f"No phoneme alignment for utterance {utterance}")
                continue
            if utterance not in aligned:
                log.warning(f"No transition alignment for utterance {utterance}")
                continue
            with within(f"utterance {utterance}"):
                phones, lengths = _aligned_phones(
                    phones_aligned[utterance], phones_of(model, aligned[utterance])[1], matrix
                )
                scored = score(np.exp(matrix) if options.log_applied else matrix, phones, lengths)
            for number, one in enumerate(scored):
                feature_writer.write(f"{utterance}.{number}", one.features)
            gop_writer.write(utterance, SparsePosterior.from_lists([[(one.phone, one.goodness)] for one in scored]))
            done += 1
    log.info(f"Processed {done} prob matrices.")
    return 0 if done else 1


def _aligned_phones(alignment: np.ndarray, lengths: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The phones and lengths of the frames that all three have. Raises KaldiError where there are none."""
    frames = len(alignment)
    if frames != len(matrix):
        log.warning("The frame numbers of alignment and prob are not equal.")
        frames = min(frames, len(matrix))
    if not frames:
        raise KaldiError("no frames")
    if lengths.sum() < frames:
        raise KaldiError(f"{lengths.sum()} frames of transition-ids for {frames} frames of phones and probabilities")
    ends = np.minimum(np.cumsum(lengths), frames)
    kept = np.diff(ends, prepend=0)
    return alignment[ends[kept > 0] - 1], kept[kept > 0]


main = command(compute_gop, usage=USAGE)

if __name__ == "__main__":
    main()
