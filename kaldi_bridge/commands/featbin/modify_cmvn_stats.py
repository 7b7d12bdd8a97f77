"""nnet-pytorch-modify-cmvn-stats: twin of modify-cmvn-stats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE_MATRIX
from kaldi_bridge.transforms.cmvn import fake_some_dims, parse_skip_dims

USAGE = """Change statistics for mean and variance normalization so that some dimensions are left as they are.
Usage: nnet-pytorch-modify-cmvn-stats [options] [<skip-dims>] <stats-rspecifier> <stats-wspecifier>
e.g.: nnet-pytorch-modify-cmvn-stats 13:14:15 ark:- ark:-
or: nnet-pytorch-modify-cmvn-stats --convert-to-mean-and-var=true ark:- ark:-"""


@dataclass
class Options:
    """Options of modify-cmvn-stats."""

    convert_to_mean_and_var: bool = option(False, "Write the mean and the variance of each dimension instead")


def modify_cmvn_stats(options: Options, first: str, second: str, third: str | None = None) -> int:
    skipped, source, target = ("", first, second) if third is None else (first, second, third)
    dims = parse_skip_dims(skipped)
    done = 0
    with SequentialReader(source, DOUBLE_MATRIX) as reader, TableWriter(target, DOUBLE_MATRIX) as writer:
        for speaker, stats in reader:
            with within(speaker):
                if len(stats) != 2:
                    raise KaldiError("Expected input to be CMVN stats (should have two rows)")
                stats = fake_some_dims(stats, dims)
            if options.convert_to_mean_and_var:
                count = stats[0, -1]
                if count <= 0:
                    log.warning(
                        f"Zero or negative count for speaker {speaker}, not outputting mean and variance stats."
                    )
                    continue
                mean = stats[0, :-1] / count
                stats = np.stack([mean, stats[1, :-1] / count - mean**2])
            writer.write(speaker, stats)
            done += 1
    log.info(f"Modified {done} sets of stats.")
    return 0 if done else 1


main = command(modify_cmvn_stats, usage=USAGE)

if __name__ == "__main__":
    main()
