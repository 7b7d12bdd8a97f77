"""nnet-pytorch-chain-est-phone-lm: twin of chain-est-phone-lm."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.fsts.fst import write_fst
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR
from nnet3_compat.chain.phone_language_model import PhoneLanguageModel

USAGE = """Estimate the phone language model of chain training, an acceptor without back-off arcs.
Usage: nnet-pytorch-chain-est-phone-lm [options] <phone-seqs-rspecifier> <phone-lm-fst-out>
e.g.: gunzip -c ali.*.gz | ali-to-phones final.mdl ark:- ark:- | nnet-pytorch-chain-est-phone-lm ark:- phone_lm.fst"""


@dataclass
class Options:
    """Options of chain-est-phone-lm."""

    ngram_order: int = option(4, "n-gram order of the phone language model")
    no_prune_ngram_order: int = option(3, "n-gram order below which the language model is not pruned")
    num_extra_lm_states: int = option(1000, "States on top of those of --no-prune-ngram-order")
    binary: bool = without_effect(True, "As in Kaldi: always written in binary mode")


def chain_est_phone_lm(options: Options, phones_rspecifier: str, fst_out: str) -> int:
    model = PhoneLanguageModel(options.ngram_order, options.no_prune_ngram_order, options.num_extra_lm_states)
    with SequentialReader(phones_rspecifier, INT32_VECTOR) as sequences:
        for _, phones in sequences:
            model.add(phones)
    write_fst(fst_out, model.estimate())
    log.info(f"Estimated phone language model and wrote it to {fst_out}")
    return 0


main = command(chain_est_phone_lm, usage=USAGE)

if __name__ == "__main__":
    main()
