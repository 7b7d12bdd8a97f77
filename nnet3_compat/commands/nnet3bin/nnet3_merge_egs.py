"""nnet-pytorch-merge-egs: twin of nnet3-merge-egs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.examples.frame_examples import RAW_EXAMPLE
from kaldi_bridge.examples.merging import ExampleMerger, merge_examples
from kaldi_bridge.tables import SequentialReader, TableWriter
from nnet3_compat.examples.programs import MergeOptions, merger_options

USAGE = """Merge examples of the same structure into minibatches.
Usage: nnet-pytorch-merge-egs [options] <egs-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-merge-egs --minibatch-size=512 ark:1.egs ark:-"""


@dataclass
class Options(MergeOptions):
    """Options of nnet3-merge-egs."""

    minibatch_size: str = merger_options("256")


def merge_egs(options: Options, egs_rspecifier: str, egs_wspecifier: str) -> int:
    merger = ExampleMerger(options.sizes(), lambda examples: merge_examples(examples, options.compress))
    with SequentialReader(egs_rspecifier, RAW_EXAMPLE) as examples, TableWriter(egs_wspecifier, RAW_EXAMPLE) as out:
        for key, minibatch in merger.merge(example for _, example in examples):
            out.write(key, minibatch)
    return 0 if merger.report() else 1


main = command(merge_egs, usage=USAGE)

if __name__ == "__main__":
    main()
