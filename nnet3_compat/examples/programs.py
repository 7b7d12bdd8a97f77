"""What programs do with examples, whatever their kind: shuffle, choose, compute objectives."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeVar

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import option, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.minibatch_sizes import MinibatchSizes
from kaldi_bridge.examples.streams import random_subset, shuffled
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import Holder
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.model.whole_network import set_test_mode
from nnet3_compat.structure.nnet import Nnet

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


@dataclass
class ShuffleOptions:
    """Options of nnet3-shuffle-egs and nnet3-chain-shuffle-egs."""

    srand: int = option(0, "Seed for random number generator")
    buffer_size: int = option(
        0, "If >0, size of a buffer for partial randomization in limited memory. Otherwise, full randomization."
    )


def shuffle(holder: Holder[T], options: ShuffleOptions, rspecifier: str, wspecifier: str) -> int:
    """Copies a table of examples in random order."""
    count = 0
    with SequentialReader(rspecifier, holder) as examples, TableWriter(wspecifier, holder) as writer:
        for key, example in shuffled(examples, CRandom(options.srand), options.buffer_size):
            writer.write(key, example)
            count += 1
    how = "using a buffer (partial randomization)" if options.buffer_size else ""
    log.info(f"Shuffled order of {count} neural-network training examples {how}")
    return 0 if count else 1


@dataclass
class TestModeOptions:
    """Options of nnet3-compute-prob and nnet3-chain-compute-prob."""

    batchnorm_test_mode: bool = option(True, "Set test mode of batch-norm components")
    dropout_test_mode: bool = option(True, "Set test mode of dropout components")


def read_in_test_mode(nnet_in: str, options: TestModeOptions) -> Nnet:
    """The network of a file, its components in test mode as the options say."""
    nnet = read_nnet(nnet_in)
    set_test_mode(nnet, batchnorm=options.batchnorm_test_mode or None, dropout=options.dropout_test_mode or None)
    return nnet


class Diagnostics(Protocol[T_contra]):
    """Sums of objectives over examples."""

    def add(self, example: T_contra) -> None: ...

    def report(self) -> bool: ...


def diagnose(diagnostics: Diagnostics[T], holder: Holder[T], rspecifier: str) -> int:
    """Adds a table of examples and reports; 1 where there were no frames."""
    with SequentialReader(rspecifier, holder) as examples:
        for _, example in examples:
            diagnostics.add(example)
    if diagnostics.report():
        return 0
    log.warning(f"No objective: the examples of {rspecifier} have no frames, or there are none")
    return 1


@dataclass
class SubsetOptions:
    """Options of nnet3-subset-egs and nnet3-chain-subset-egs."""

    srand: int = option(0, "Seed for random number generator")
    n: int = option(1000, "Number of examples to output")
    randomize_order: bool = option(True, "If true, randomize the order of the output")


def subset(holder: Holder[T], options: SubsetOptions, rspecifier: str, wspecifier: str, kind: str) -> int:
    """Writes a random subset of a table of examples."""
    if options.n < 0:
        raise KaldiError(f"--n={options.n} must not be negative")
    with SequentialReader(rspecifier, holder) as examples:
        chosen, count = random_subset(examples, options.n, Random(options.srand), options.randomize_order)
    with TableWriter(wspecifier, holder) as writer:
        for key, example in chosen:
            writer.write(key, example)
    log.info(f"Selected a subset of {len(chosen)} out of {count} {kind} training examples ")
    return 0 if count else 1


def merger_options(default: str) -> str:
    """--minibatch-size, whose default differs between the programs."""
    return option(
        default,
        "Examples in a minibatch: N; or sizes and ranges like 64:128,256, the largest until the input ends; or by the "
        "size of the examples, 50=64,32/150=32",
    )


@dataclass
class MergeOptions:
    """Options of nnet3-merge-egs and nnet3-chain-merge-egs."""

    compress: bool = option(False, "Compress the features of the output")
    minibatch_size: str = merger_options("256")
    multilingual_eg: bool = option(
        False, "Examples of keys KEY?lang=NAME (chain ones) are for output-NAME, and minibatches get keys like that"
    )
    measure_output_frames: str = without_effect("deprecated", "As in Kaldi")
    discard_partial_minibatches: str = without_effect("deprecated", "As in Kaldi")

    def sizes(self) -> MinibatchSizes:
        """The rules; warns of options without effect."""
        for name in ("measure_output_frames", "discard_partial_minibatches"):
            if getattr(self, name) != "deprecated":
                log.warning(f"The --{name.replace('_', '-')} option is deprecated and will be ignored.")
        return MinibatchSizes(self.minibatch_size)


@dataclass
class CombineOptions(OutputOptions):
    """Options of nnet3-combine, nnet3-chain-combine and nnet3-chain-combine2."""

    max_objective_evaluations: int = option(30, "Most evaluations of the objective, for many models")
    batchnorm_test_mode: bool = option(False, "Test mode of batch-norm components while evaluating")
    dropout_test_mode: bool = option(True, "Test mode of dropout components while evaluating")


def read_all(holder: Holder[T], rspecifier: str) -> list[tuple[str, T]]:
    """All keys and examples of a table that must not be empty."""
    with SequentialReader(rspecifier, holder) as table:
        examples = list(table)
    log.info(f"Read {len(examples)} examples.")
    if not examples:
        raise KaldiError(f"no examples in {rspecifier}")
    return examples


@dataclass
class LdaOptions(OutputOptions):
    """Options of nnet3-acc-lda-stats and nnet3-chain-acc-lda-stats."""

    rand_prune: float = option(0.0, "Posteriors below this are made zero or this, at random")
