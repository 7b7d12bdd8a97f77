"""nnet-pytorch-compute-eer: twin of compute-eer."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command, write_stdout
from kaldi_bridge.ivectors.equal_error_rate import equal_error_rate, read_scores

USAGE = """Print the equal error rate, in percent, of lines of a score and the word target or nontarget.
Usage: nnet-pytorch-compute-eer <scores-in>
e.g.: nnet-pytorch-compute-eer -"""


def compute_eer(scores: str) -> None:
    rate, threshold = equal_error_rate(*read_scores(scores))
    log.info(f"Equal error rate is {100 * rate:g}%, at threshold {threshold:g}")
    write_stdout(f"{100 * rate:.4g}")


main = command(compute_eer, usage=USAGE)

if __name__ == "__main__":
    main()
