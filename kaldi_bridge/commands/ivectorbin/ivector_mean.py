"""nnet-pytorch-ivector-mean: twin of ivector-mean."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.ivectors.speakers import ivectors_of
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE_VECTOR, FLOAT_VECTOR, INT32, TOKEN_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Average i-vectors: over the utterances of each speaker, or over all.
Usage: nnet-pytorch-ivector-mean [options] <spk2utt-rspecifier> <ivector-rspecifier> <ivector-wspecifier>
 [<num-utt-wspecifier>]
or: nnet-pytorch-ivector-mean [options] <ivector-rspecifier> <mean-wxfilename>
e.g.: nnet-pytorch-ivector-mean ark:data/spk2utt scp:exp/ivectors.scp ark:exp/spk_ivectors.ark ark:exp/num_utts.ark"""


@dataclass
class Options:
    """Options of ivector-mean."""

    binary: bool = option(False, "Write a single vector in binary mode (tables say themselves)")


def ivector_mean(
    options: Options, first: str, second: str, ivector_wspecifier: str = "", num_utts_wspecifier: str = ""
) -> int:
    if not ivector_wspecifier:
        return _mean_of_all(options, first, second)
    loop, means = TableLoop(), []
    done = missing = 0
    with ExitStack() as stack:
        speakers = stack.enter_context(SequentialReader(first, TOKEN_VECTOR))
        ivectors = stack.enter_context(RandomAccessReader(second, FLOAT_VECTOR))
        writer = stack.enter_context(TableWriter(ivector_wspecifier, FLOAT_VECTOR))
        numbers = stack.enter_context(TableWriter(num_utts_wspecifier or "ark:/dev/null", INT32))
        for speaker, utterances in speakers:
            with loop.entry(speaker):
                missing += len(utterances)
                own = ivectors_of(speaker, utterances, ivectors)
                missing -= len(own)
                mean = _mean(list(own))
                writer.write(speaker, mean)
                numbers.write(speaker, len(own))
                means.append(mean)
                done += len(own)
    log.info(
        f"Computed mean of {loop.done} speakers ({loop.failed} with no utterances), consisting of {done} utterances "
        f"({missing} absent from input)."
    )
    if means:
        length = float(np.sqrt(np.mean([m @ m for m in means])) / np.sqrt(len(means[0])))
        log.info(
            f"Norm of mean of speakers is {np.linalg.norm(_mean(means)):g}, root-mean-square speaker-iVector length "
            f"divided by sqrt(dim) is {length:g}"
        )
    return loop.status


def _mean_of_all(options: Options, rspecifier: str, wxfilename: str) -> int:
    with SequentialReader(rspecifier, FLOAT_VECTOR) as reader:
        vectors = [vector.astype(np.float64) for _, vector in reader]
    if not vectors:
        raise KaldiError("No iVectors read")
    mean = _mean(vectors)
    with open_output(wxfilename) as stream:
        DOUBLE_VECTOR.write(stream, options.binary, mean)
    return 0


def _mean(vectors: list[np.ndarray]) -> np.ndarray:
    if any(len(vector) != len(vectors[0]) for vector in vectors):
        raise KaldiError("i-vectors of different dimensions")
    total: np.ndarray = np.sum(vectors, axis=0) / vectors[0].dtype.type(len(vectors))
    return total


main = command(ivector_mean, usage=USAGE)

if __name__ == "__main__":
    main()
