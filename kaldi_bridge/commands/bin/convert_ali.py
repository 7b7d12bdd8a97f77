"""nnet-pytorch-convert-ali: twin of convert-ali."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.hmm.tree import read_tree
from kaldi_bridge.io.integer_sets import read_phone_map
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.tree_building.alignment_conversion import AlignmentConverter

USAGE = """Convert alignments from one decision tree and model to another.
Usage: nnet-pytorch-convert-ali [options] <old-model> <new-model> <new-tree> <old-alignments-rspecifier>
 <new-alignments-wspecifier>
e.g.: nnet-pytorch-convert-ali old/final.mdl new/0.mdl new/tree ark:old/ali.1 ark:new/ali.1"""


@dataclass
class Options:
    """Options of convert-ali."""

    frame_subsampling_factor: int = option(1, "Can be used in converting alignments to reduced frame rates.")
    reorder: bool = option(True, "Self-loops after the other transitions of their states in the output")
    repeat_frames: bool = option(False, "With subsampling: keep the alignments at the length of the input")
    phone_map: str = option("", "File of lines <old-phone> <new-phone>")


def convert_ali(options: Options, old_in: str, new_in: str, tree_in: str, rspecifier: str, wspecifier: str) -> int:
    old = read_transition_model(old_in)
    convert = AlignmentConverter(
        old,
        read_transition_model(new_in),
        read_tree(tree_in),
        options.frame_subsampling_factor,
        options.repeat_frames,
        options.reorder,
        read_phone_map(options.phone_map) if options.phone_map else None,
    )
    loop = TableLoop(rspecifier)
    with SequentialReader(rspecifier, INT32_VECTOR) as reader, TableWriter(wspecifier, INT32_VECTOR) as writer:
        for utterance, alignment in reader:
            what = f"Could not convert alignment for key {utterance} (possibly truncated alignment?)"
            with loop.entry(utterance, what):
                writer.write(utterance, convert(alignment) if len(alignment) else alignment)
    log.info(f"Succeeded converting alignments for {loop.done} files, failed for {loop.failed}")
    return loop.status


main = command(convert_ali, usage=USAGE)

if __name__ == "__main__":
    main()
