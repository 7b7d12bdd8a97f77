"""nnet-pytorch-gmm-train-lvtln-special: twin of gmm-train-lvtln-special."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.hmm.posterior import total
from kaldi_bridge.io.text import is_number
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR, SPARSE_POSTERIOR
from kaldi_bridge.transforms.lvtln import LinearVtln, WarpRegression

USAGE = """Set one of the linear-VTLN transforms to the one that makes features most like those of another warp factor.
Posteriors or weights leave out silence.
Usage: nnet-pytorch-gmm-train-lvtln-special [options] <class-index> <lvtln-in> <lvtln-out>
 <feats-untransformed-rspecifier> <feats-transformed-rspecifier> [<posteriors-rspecifier>]
e.g.: nnet-pytorch-gmm-train-lvtln-special 5 5.lvtln 6.lvtln scp:train.scp scp:train_warp095.scp ark:nosil.post"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-train-lvtln-special."""

    warp: float = option(-1.0, "If not negative, the warp factor to note for this transform")
    normalize_var: bool = option(False, "Keep the variance of each dimension the same")
    normalize_covar: bool = option(False, "Keep the covariance the same")
    weights_in: str = option("", "Rspecifier of weights of the frames, instead of posteriors")


def gmm_train_lvtln_special(
    options: Options,
    class_index: str,
    lvtln_in: str,
    lvtln_out: str,
    feats: str,
    warped_feats: str,
    posteriors: str | None = None,
) -> None:
    if not is_number(class_index):
        raise KaldiError(f"Expected integer first argument: got {class_index}")
    lvtln = LinearVtln.read(lvtln_in)
    regression = WarpRegression(lvtln.dim)
    with ExitStack() as stack:
        weights = _weights(stack, options, posteriors)
        warped = stack.enter_context(RandomAccessReader(warped_feats, FLOAT_MATRIX))
        for utterance, matrix in stack.enter_context(SequentialReader(feats, FLOAT_MATRIX)):
            if utterance not in warped:
                log.warning(f"No transformed features for key {utterance}")
                continue
            if weights is not None and utterance not in weights:
                log.warning(f"No weights or posteriors for utterance {utterance}")
                continue
            own = np.ones(len(matrix)) if weights is None else weights[utterance]
            with within(f"utterance {utterance}"):
                regression.add(matrix, warped[utterance], own if isinstance(own, np.ndarray) else total(own))
    if options.normalize_covar:
        lvtln.set_matrix(int(class_index), regression.keeping_covariance())
    else:
        lvtln.set_matrix(int(class_index), regression.least_squares(options.normalize_var))
    if options.warp >= 0.0:
        lvtln.warps[int(class_index)] = options.warp
    lvtln.write(lvtln_out, options.binary)


def _weights(stack: ExitStack, options: Options, posteriors: str | None) -> RandomAccessReader[Any] | None:
    if options.weights_in and not options.normalize_covar:
        return stack.enter_context(RandomAccessReader(options.weights_in, FLOAT_VECTOR))
    if options.weights_in:
        raise KaldiError("--weights-in is not for --normalize-covar=true: give posteriors")
    return stack.enter_context(RandomAccessReader(posteriors, SPARSE_POSTERIOR)) if posteriors else None


main = command(gmm_train_lvtln_special, usage=USAGE)

if __name__ == "__main__":
    main()
