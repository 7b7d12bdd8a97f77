"""nnet-pytorch-second-moment-cmvn: statistics for models that divide features by the root of their mean square."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.io.text import shown
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE_MATRIX
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.transforms.cmvn import second_moments

USAGE = """Change statistics so that apply-cmvn --norm-vars=true divides by the root of the mean square of features, as
m-wiesner/nnet_pytorch does, in the place of their standard deviation.
Usage: nnet-pytorch-second-moment-cmvn [options] <stats-rspecifier> <stats-wspecifier>
e.g.: nnet-pytorch-second-moment-cmvn scp:data/test/cmvn.scp ark,scp:data/test_here/cmvn.ark,data/test_here/cmvn.scp"""


@dataclass
class Options:
    """Options of this program."""

    norm_means: bool = option(True, "Whether means are subtracted too; false: they become 0")


def second_moment_cmvn(options: Options, stats_rspecifier: str, stats_wspecifier: str) -> int:
    loop = TableLoop()
    with (
        SequentialReader(stats_rspecifier, DOUBLE_MATRIX) as reader,
        TableWriter(stats_wspecifier, DOUBLE_MATRIX) as writer,
    ):
        for key, stats in reader:
            with loop.entry(key, f"Left out {shown(key)}"):
                writer.write(key, second_moments(stats, options.norm_means))
    log.info(f"Changed the statistics of {loop.done} speakers, errors on {loop.failed}")
    return loop.status


main = command(second_moment_cmvn, usage=USAGE)

if __name__ == "__main__":
    main()
