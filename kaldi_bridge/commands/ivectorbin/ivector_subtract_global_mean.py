"""nnet-pytorch-ivector-subtract-global-mean: twin of ivector-subtract-global-mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.matrix_files import read_vector_file
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_VECTOR

USAGE = """Subtract a mean from i-vectors: one from a file, or their own.
Usage: nnet-pytorch-ivector-subtract-global-mean [options] <ivector-rspecifier> <ivector-wspecifier>
or: nnet-pytorch-ivector-subtract-global-mean [options] <mean-rxfilename> <ivector-rspecifier> <ivector-wspecifier>
e.g.: nnet-pytorch-ivector-subtract-global-mean mean.vec scp:ivectors.scp ark:-"""


@dataclass
class Options:
    """Options of ivector-subtract-global-mean."""

    subtract_mean: bool = option(True, "false: only copy (with their own mean; one from a file is always subtracted)")


def ivector_subtract_global_mean(options: Options, first: str, second: str, third: str = "") -> int:
    source, target = (second, third) if third else (first, second)
    with SequentialReader(source, FLOAT_VECTOR) as reader, TableWriter(target, FLOAT_VECTOR) as writer:
        entries: Iterable[tuple[str, np.ndarray]] = reader
        mean: np.ndarray | None = None
        if third:
            mean = read_vector_file(first)
        else:
            entries = list(reader)
            log.info(f"Read {len(entries)} iVectors.")
            if entries:
                mean = _mean(entries)
                log.info(f"Norm of iVector mean was {np.linalg.norm(mean):g}")
        done = 0
        for key, ivector in entries:
            if mean is not None and (third or options.subtract_mean):
                if mean.shape != ivector.shape:
                    raise KaldiError(f"{key}: an i-vector of dimension {len(ivector)}, but the mean has {len(mean)}")
                ivector = ivector - mean
            writer.write(key, ivector)
            done += 1
    log.info(f"Wrote {done} mean-subtracted iVectors")
    return 0 if done else 1


def _mean(entries: list[tuple[str, np.ndarray]]) -> np.ndarray:
    total = np.zeros(len(entries[0][1]))
    for key, ivector in entries:
        if ivector.shape != total.shape:
            raise KaldiError(f"{key}: an i-vector of dimension {len(ivector)}, but earlier ones have {len(total)}")
        total += ivector
    mean: np.ndarray = total / len(entries)
    return mean


main = command(ivector_subtract_global_mean, usage=USAGE)

if __name__ == "__main__":
    main()
