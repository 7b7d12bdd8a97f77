"""nnet-pytorch-ivector-normalize-length: twin of ivector-normalize-length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_VECTOR

USAGE = """Scale i-vectors to the length that they are expected to have, the square root of their dimension.
Usage: nnet-pytorch-ivector-normalize-length [options] <ivector-rspecifier> <ivector-wspecifier>
e.g.: nnet-pytorch-ivector-normalize-length ark:ivectors.ark ark:normalized_ivectors.ark"""


@dataclass
class Options:
    """Options of ivector-normalize-length."""

    normalize: bool = option(True, "false: only tell their lengths")
    scaleup: bool = option(True, "false: scale to length one instead")


def ivector_normalize_length(options: Options, source: str, target: str) -> int:
    ratios = []
    with SequentialReader(source, FLOAT_VECTOR) as reader, TableWriter(target, FLOAT_VECTOR) as writer:
        for key, ivector in reader:
            expected = np.sqrt(len(ivector)) if options.scaleup else 1.0
            ratio = float(np.linalg.norm(ivector.astype(np.float64)) / expected) if len(ivector) else 0.0
            log.vlog(2, f"Ratio for key {key} is {ratio:g}")
            if ratio == 0.0:
                log.warning("Zero iVector")
            elif options.normalize:
                ivector = ivector * np.float32(1.0 / ratio)
            writer.write(key, ivector)
            ratios.append(ratio)
    log.info(f"Processed {len(ratios)} iVectors.")
    if ratios:
        log.info(
            f"Average ratio of iVector to expected length was {np.mean(ratios):g}, standard deviation was "
            f"{np.std(ratios):g}"
        )
    return 0 if ratios else 1


main = command(ivector_normalize_length, usage=USAGE)

if __name__ == "__main__":
    main()
