"""nnet-pytorch-fsts-project: twin of fsts-project."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.fsts.rational import projected
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Turn FSTs into acceptors of their input (output, with --project-output=true) side.
Usage: nnet-pytorch-fsts-project [options] <fsts-rspecifier> <fsts-wspecifier>
e.g.: nnet-pytorch-fsts-project ark:train.fsts ark,t:input.fsts"""


@dataclass
class Options:
    """Options of fsts-project."""

    project_output: bool = option(False, "Project on the output side, not the input side")


def fsts_project(options: Options, fsts_rspecifier: str, fsts_wspecifier: str) -> int:
    side = "output" if options.project_output else "input"
    done = 0
    with SequentialReader(fsts_rspecifier, FST) as reader, TableWriter(fsts_wspecifier, FST) as writer:
        for key, fst in reader:
            writer.write(key, projected(fst, side))
            done += 1
    log.info(f"Projected {done} FSTs")
    return 0 if done else 1


main = command(fsts_project, usage=USAGE)

if __name__ == "__main__":
    main()
