"""nnet-pytorch-ivector-compute-lda: twin of ivector-compute-lda."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.io.filenames import printable_output
from kaldi_bridge.ivectors.speaker_lda import SpeakerLdaOptions, estimate_speaker_lda
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_VECTOR, TOKEN
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.transforms.linear import write_transform

USAGE = """Estimate an affine transform of i-vectors that keeps the directions in which speakers differ most (LDA).
Usage: nnet-pytorch-ivector-compute-lda [options] <ivector-rspecifier> <utt2spk-rspecifier> <lda-matrix-out>
e.g.: nnet-pytorch-ivector-compute-lda --dim=150 ark:ivectors.ark ark:utt2spk lda.mat"""


@dataclass
class Options(OutputOptions, SpeakerLdaOptions):
    """Options of ivector-compute-lda."""


def ivector_compute_lda(options: Options, ivector_rspecifier: str, utt2spk_rspecifier: str, lda_out: str) -> None:
    loop = TableLoop()
    ivectors: dict[str, np.ndarray] = {}
    speakers: list[str] = []
    dim = 0
    with (
        SequentialReader(ivector_rspecifier, FLOAT_VECTOR) as reader,
        RandomAccessReader(utt2spk_rspecifier, TOKEN) as utt2spk,
    ):
        for utterance, ivector in reader:
            with loop.entry(utterance):
                if utterance in ivectors:
                    raise EntryError(f"Duplicate iVector found for utterance {utterance}, ignoring it.")
                if utterance not in utt2spk:
                    raise EntryError(f"utt2spk has no entry for utterance {utterance}, skipping it.")
                dim = dim or len(ivector)
                if len(ivector) != dim:
                    raise KaldiError(f"iVector dimension mismatch: {len(ivector)}, but {dim} before")
                ivectors[utterance] = ivector
                speakers.append(utt2spk[utterance])
    log.info(f"Read {loop.done} utterances, {loop.failed} with errors.")
    if not ivectors:
        raise KaldiError("Did not read any utterances.")
    log.info("Computing within-class covariance.")
    matrix = estimate_speaker_lda(np.stack(list(ivectors.values())), speakers, options)
    log.vlog(2, f"2-norm of transformed iVector mean is {np.linalg.norm(matrix[:, -1]):g}")
    write_transform(lda_out, matrix, options.binary)
    log.info(f"Wrote LDA transform to {printable_output(lda_out)}")


main = command(ivector_compute_lda, usage=USAGE)

if __name__ == "__main__":
    main()
