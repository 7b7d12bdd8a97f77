"""nnet-pytorch-transcripts-to-fsts: twin of transcripts-to-fsts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.fsts.fst import FST, Fst, read_fst
from kaldi_bridge.fsts.linear import linear_acceptor
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.fsts.rational import projected
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE, INT32_VECTOR

USAGE = """Make a linear acceptor of each transcription. Its cost is 0, or what a table of costs has for it.
Usage: nnet-pytorch-transcripts-to-fsts [options] <transcriptions-rspecifier> [<costs-rspecifier>] <fsts-wspecifier>
e.g.: nnet-pytorch-transcripts-to-fsts ark:train.tra ark,s,cs,t:costs.txt ark:train.fsts"""


@dataclass
class Options:
    """Options of transcripts-to-fsts."""

    left_compose: str = option("", "Compose the given FST to the left")
    right_compose: str = option("", "Compose the given FST to the right")
    project_input: bool = option(False, "Project on the input labels, after composition")
    project_output: bool = option(False, "Project on the output labels, after composition")


def transcripts_to_fsts(options: Options, transcriptions: str, second: str, third: str = "") -> int:
    costs_rspecifier, fsts_wspecifier = (second, third) if third else ("", second)
    changed = change(options)
    done = 0
    with SequentialReader(transcriptions, INT32_VECTOR) as reader, TableWriter(fsts_wspecifier, FST) as writer:
        costs: RandomAccessReader[float] | dict[str, float] = (
            RandomAccessReader(costs_rspecifier, DOUBLE) if costs_rspecifier else {}
        )
        for key, labels in reader:
            with within(f"key {key}"):
                fst = linear_acceptor(labels)
                if key in costs:
                    if not len(labels):
                        raise KaldiError("there is a cost for a transcription without labels")
                    fst.arcs["weight"][0] = costs[key]
                writer.write(key, changed(fst))
            done += 1
    log.info(f"Done {done} transcriptions")
    return 0 if done else 1


def change(options: Options) -> Callable[[Fst], Fst]:
    """What the options ask for."""
    left = OpenFst.of(read_fst(options.left_compose)) if options.left_compose else None
    right = OpenFst.of(read_fst(options.right_compose)) if options.right_compose else None
    sides = [side for side in ("input", "output") if getattr(options, f"project_{side}")]

    def changed(fst: Fst) -> Fst:
        if left is not None:
            fst = left.composed(OpenFst.of(fst), "right", "auto").fst()
        if right is not None:
            fst = OpenFst.of(fst).composed(right, "left", "auto").fst()
        return projected(fst, sides[0]) if sides else fst

    return changed


main = command(transcripts_to_fsts, usage=USAGE)

if __name__ == "__main__":
    main()
