"""nnet-pytorch-ivector-compute-plda: twin of ivector-compute-plda."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.ivectors.plda import write_plda
from kaldi_bridge.ivectors.plda_estimation import PldaEstimationOptions, PldaStatistics, estimate_plda
from kaldi_bridge.ivectors.speakers import ivectors_of
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_VECTOR, TOKEN_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Estimate a PLDA model (probabilistic linear discriminant analysis) of i-vectors of known speakers.
Usage: nnet-pytorch-ivector-compute-plda [options] <spk2utt-rspecifier> <ivector-rspecifier> <plda-out>
e.g.: nnet-pytorch-ivector-compute-plda ark:spk2utt ark,s,cs:ivectors.ark plda"""


@dataclass
class Options(OutputOptions, PldaEstimationOptions):
    """Options of ivector-compute-plda."""


def ivector_compute_plda(options: Options, spk2utt: str, ivector_rspecifier: str, plda_out: str) -> None:
    loop, statistics, utterances_seen = TableLoop(), PldaStatistics(), 0
    with (
        SequentialReader(spk2utt, TOKEN_VECTOR) as speakers,
        RandomAccessReader(ivector_rspecifier, FLOAT_VECTOR) as ivectors,
    ):
        for speaker, utterances in speakers:
            with loop.entry(speaker):
                utterances_seen += len(utterances)
                statistics.add(ivectors_of(speaker, utterances, ivectors))
    log.info(
        f"Accumulated stats from {loop.done} speakers ({loop.failed} with no utterances), consisting of "
        f"{statistics.num_ivectors} utterances ({utterances_seen - statistics.num_ivectors} absent from input)."
    )
    if not loop.done:
        raise KaldiError("No stats accumulated, unable to estimate PLDA.")
    write_plda(plda_out, options.binary, estimate_plda(statistics, options))


main = command(ivector_compute_plda, usage=USAGE)

if __name__ == "__main__":
    main()
