"""nnet-pytorch-chain-normalize-egs: twin of nnet3-chain-normalize-egs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.tables import SequentialReader, TableWriter
from nnet3_compat.chain.normalization import normalized, read_normalization_fst

USAGE = """Add the weights of a normalization FST to chain examples that were made without it.
Usage: nnet-pytorch-chain-normalize-egs [options] <normalization-fst> <egs-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-chain-normalize-egs dir/normalization.fst ark:train_in.cegs ark:train_out.cegs"""


@dataclass
class Options:
    """Options of nnet3-chain-normalize-egs."""

    normalization_fst_scale: float = option(1.0, "Scale of the weights of the normalization FST")


def chain_normalize_egs(options: Options, fst_in: str, egs_rspecifier: str, egs_wspecifier: str) -> int:
    normalization = read_normalization_fst(fst_in, options.normalization_fst_scale)
    num_written = num_bad = 0
    with SequentialReader(egs_rspecifier, CHAIN_EXAMPLE) as examples, TableWriter(egs_wspecifier, CHAIN_EXAMPLE) as out:
        for key, example in examples:
            if len(example.outputs) != 1:
                raise KaldiError(f"{key}: expected the example to have exactly one output")
            supervision = normalized(example.outputs[0].supervision, normalization)
            if supervision is None:
                log.warning(f"For example {key}, FST was empty after composing with normalization FST.")
                num_bad += 1
                continue
            example.outputs[0].supervision = supervision
            out.write(key, example)
            num_written += 1
    log.info(f"Added normalization to {num_written} egs; had errors on {num_bad}")
    return 0 if num_written else 1


main = command(chain_normalize_egs, usage=USAGE)

if __name__ == "__main__":
    main()
