"""nnet-pytorch-chain-merge-egs: twin of nnet3-chain-merge-egs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.chain_examples import RAW_CHAIN_EXAMPLE
from kaldi_bridge.examples.languages import language_of
from kaldi_bridge.examples.merging import ExampleMerger, merge_chain_examples
from kaldi_bridge.tables import SequentialReader, TableWriter
from nnet3_compat.examples.programs import MergeOptions, merger_options

USAGE = """Merge chain examples of the same structure into minibatches.
Usage: nnet-pytorch-chain-merge-egs [options] <egs-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-chain-merge-egs --minibatch-size=128,64 ark:1.cegs ark:-"""


@dataclass
class Options(MergeOptions):
    """Options of nnet3-chain-merge-egs."""

    minibatch_size: str = merger_options("64")


def chain_merge_egs(options: Options, egs_rspecifier: str, egs_wspecifier: str) -> int:
    merger = ExampleMerger(options.sizes(), lambda examples: merge_chain_examples(examples, options.compress))
    with (
        SequentialReader(egs_rspecifier, RAW_CHAIN_EXAMPLE) as examples,
        TableWriter(egs_wspecifier, RAW_CHAIN_EXAMPLE) as out,
    ):
        source = _by_language(examples) if options.multilingual_eg else (example for _, example in examples)
        for key, minibatch in merger.merge(source):
            suffix = f"?lang={_language_of(minibatch)}" if options.multilingual_eg else ""
            out.write(key + suffix, minibatch)
    return 0 if merger.report() else 1


def _by_language(examples: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Examples of several languages, of keys like KEY?lang=NAME, with an output of their own for each."""
    for key, data in examples:
        if (language := language_of(key)) is None:
            raise KaldiError(f"--multilingual-eg: the key {key} does not end in ?lang=NAME")
        example = RAW_CHAIN_EXAMPLE.example(data)
        example.outputs[0].name = f"output-{language}"
        yield RAW_CHAIN_EXAMPLE.data(example)


def _language_of(minibatch: bytes) -> str:
    return RAW_CHAIN_EXAMPLE.example(minibatch).outputs[0].name.partition("-")[2]


main = command(chain_merge_egs, usage=USAGE)

if __name__ == "__main__":
    main()
