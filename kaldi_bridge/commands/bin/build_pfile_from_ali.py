"""nnet-pytorch-build-pfile-from-ali: twin of build-pfile-from-ali."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.io.basic_io import format_float
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, INT32_VECTOR

USAGE = """Write features and the pdfs that they are aligned to as lines for pfile_create: the number of the utterance,
that of the frame, the features, the pdf.
Usage: nnet-pytorch-build-pfile-from-ali [options] <model> <alignments-rspecifier> <feature-rspecifier> \\
    <pfile-wxfilename>
e.g.: nnet-pytorch-build-pfile-from-ali 1.mdl ark:1.ali scp:feats.scp "|pfile_create -i - -o pfile.1 -f 143 -l 1\""""


@dataclass
class Options:
    """Options of build-pfile-from-ali."""

    every_nth_frame: int = option(1, "Only every n-th frame")


def build_pfile_from_ali(options: Options, model_in: str, alignments: str, feats: str, pfile_out: str) -> None:
    if options.every_nth_frame < 1:
        raise KaldiError(f"--every-nth-frame={options.every_nth_frame} must be at least 1")
    transitions = AcousticModel.read(model_in).transitions
    done = without = wrong = 0
    with (
        SequentialReader(feats, FLOAT_MATRIX) as reader,
        RandomAccessReader(alignments, INT32_VECTOR) as aligned,
        open_output(pfile_out) as out,
    ):
        for utterance, matrix in reader:
            if utterance not in aligned:
                log.warning(f"Did not find alignment for utterance {utterance}")
                without += 1
            elif len(aligned[utterance]) != len(matrix):
                log.warning(f"Alignment vector has wrong size {len(aligned[utterance])} vs. {len(matrix)}")
                wrong += 1
            else:
                with within(f"{alignments}: utterance {utterance}"):
                    pdfs = transitions.pdfs_of(aligned[utterance])
                step = options.every_nth_frame
                out.write(encode(_lines(done, matrix[::step], pdfs[::step])))
                done += 1
    log.info(f"Converted {done} alignments to pfiles.")
    log.info(f"{without} utterances have no alignment; {wrong} utterances have other errors.")


def _lines(number: int, feats: np.ndarray, pdfs: np.ndarray) -> str:
    rows = enumerate(zip(feats.tolist(), pdfs.tolist(), strict=True))
    return "".join(f"{number} {i} {' '.join(format_float(x, 6) for x in row)} {pdf}\n" for i, (row, pdf) in rows)


main = command(build_pfile_from_ali, usage=USAGE)

if __name__ == "__main__":
    main()
