"""nnet-pytorch-chain-make-den-fst: twin of chain-make-den-fst."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.fsts.fst import read_fst, write_fst
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.hmm.tree import read_tree
from nnet3_compat.chain.denominator_fst import denominator_fst, normalization_fst

USAGE = """Make the denominator FST of chain training, and the version of it that is used to make examples.
Usage: nnet-pytorch-chain-make-den-fst [options] <tree> <transition-model> <phone-lm-fst> <denominator-fst-out>
 <normalization-fst-out>
e.g.: nnet-pytorch-chain-make-den-fst dir/tree dir/0.trans_mdl dir/phone_lm.fst dir/den.fst dir/normalization.fst"""


@dataclass
class Options:
    """chain-make-den-fst has no options of its own."""


def chain_make_den_fst(
    options: Options, tree_in: str, model_in: str, phone_lm_in: str, den_fst_out: str, normalization_fst_out: str
) -> int:
    tree, model = read_tree(tree_in), read_transition_model(model_in)
    den_fst = denominator_fst(tree, model, read_fst(phone_lm_in))
    write_fst(den_fst_out, den_fst)
    write_fst(normalization_fst_out, normalization_fst(den_fst, model.num_pdfs))
    log.info(f"Write denominator FST to {den_fst_out} and normalization FST to {normalization_fst_out}")
    return 0


main = command(chain_make_den_fst, usage=USAGE)

if __name__ == "__main__":
    main()
