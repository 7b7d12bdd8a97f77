"""nnet-pytorch-discriminative-merge-egs: twin of nnet3-discriminative-merge-egs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, without_effect
from kaldi_bridge.examples.discriminative_examples import RAW_DISCRIMINATIVE_EXAMPLE
from kaldi_bridge.examples.discriminative_merging import merge_discriminative_examples
from kaldi_bridge.examples.merging import ExampleMerger
from kaldi_bridge.tables import SequentialReader, TableWriter
from nnet3_compat.examples.programs import MergeOptions, merger_options

USAGE = """Merge examples for discriminative training, of the same structure, into minibatches.
Usage: nnet-pytorch-discriminative-merge-egs [options] <egs-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-discriminative-merge-egs --minibatch-size=64 ark:1.degs ark:-"""


@dataclass
class Options(MergeOptions):
    """Options of nnet3-discriminative-merge-egs."""

    minibatch_size: str = merger_options("64")
    multilingual_eg: bool = without_effect(False, "As in Kaldi: it is of chain examples")


def discriminative_merge_egs(options: Options, egs_rspecifier: str, egs_wspecifier: str) -> int:
    merger = ExampleMerger(options.sizes(), lambda egs: merge_discriminative_examples(egs, options.compress))
    with (
        SequentialReader(egs_rspecifier, RAW_DISCRIMINATIVE_EXAMPLE) as examples,
        TableWriter(egs_wspecifier, RAW_DISCRIMINATIVE_EXAMPLE) as out,
    ):
        for key, minibatch in merger.merge(example for _, example in examples):
            out.write(key, minibatch)
    return 0 if merger.report() else 1


main = command(discriminative_merge_egs, usage=USAGE)

if __name__ == "__main__":
    main()
