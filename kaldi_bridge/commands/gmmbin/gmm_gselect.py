"""nnet-pytorch-gmm-gselect: twin of gmm-gselect."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.gmm.gaussian_selection import likeliest_gaussians
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, FLOAT_MATRIX, INT32_VECTOR_VECTOR

USAGE = """Write, for each frame, the numbers of the likeliest Gaussians of a mixture, the best first.
Usage: nnet-pytorch-gmm-gselect [options] <model-in> <feature-rspecifier> <gselect-wspecifier>
e.g.: nnet-pytorch-gmm-gselect --n=20 1.dubm scp:feats.scp 'ark,t:|gzip -c >gselect.1.gz'"""


@dataclass
class Options:
    """Options of gmm-gselect."""

    n: int = option(50, "Number of Gaussians to keep per frame")
    write_likes: str = option("", "Wspecifier for the log-likelihood of each utterance")
    gselect: str = option("", "Rspecifier of Gaussians, such as this program writes, to limit the search to")


def gmm_gselect(options: Options, model_in: str, feats: str, wspecifier: str) -> int:
    count = options.n
    with open_input(model_in) as stream:
        mixture = Mixtures.read_single(stream, read_header(stream))
    if count <= 0:
        raise KaldiError(f"--n={count} must be positive")
    if count > mixture.num_gaussians:
        log.warning(
            f"You asked for {count} Gaussians but GMM only has {mixture.num_gaussians}, returning this many. "
            "Note: this means the Gaussian selection is pointless."
        )
    done = errors = frames = 0
    total = 0.0
    with ExitStack() as stack:
        reader = stack.enter_context(SequentialReader(feats, FLOAT_MATRIX))
        writer = stack.enter_context(TableWriter(wspecifier, INT32_VECTOR_VECTOR))
        limits, scores = None, None
        if options.gselect:
            limits = stack.enter_context(RandomAccessReader(options.gselect, INT32_VECTOR_VECTOR))
        if options.write_likes:
            scores = stack.enter_context(TableWriter(options.write_likes, FLOAT))
        for utterance, matrix in reader:
            among = None
            if limits is not None:
                if utterance not in limits:
                    log.warning(f"No gselect information for utterance {utterance}")
                    errors += 1
                    continue
                among = limits[utterance]
                if len(among) != len(matrix):
                    log.warning(
                        f"Input gselect for utterance {utterance} has wrong size {len(among)} vs. {len(matrix)}"
                    )
                    errors += 1
                    continue
            with within(f"utterance {utterance}"):
                chosen, log_likelihood = likeliest_gaussians(mixture, matrix, count, among)
            writer.write(utterance, chosen)
            if scores is not None:
                scores.write(utterance, log_likelihood)
            total += log_likelihood
            frames += len(matrix)
            done += 1
    average = total / frames if frames else float("nan")
    log.info(
        f"Done {done} files, {errors} with errors, average UBM log-likelihood is {average:g} over {frames} frames."
    )
    return 0 if done else 1


main = command(gmm_gselect, usage=USAGE)

if __name__ == "__main__":
    main()
