"""nnet-pytorch-chain-make-num-fst-e2e: twin of chain-make-num-fst-e2e."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.tables import SequentialReader, TableWriter
from nnet3_compat.chain.flat_start import pdf_acceptor
from nnet3_compat.chain.normalization import read_normalization_fst

USAGE = """Make flat-start numerator FSTs, of pdf-ids plus one, of training graphs, of transition-ids.
Usage: nnet-pytorch-chain-make-num-fst-e2e [options] <model> <normalization-fst> <transition-fst-rspecifier>
 <pdf-fst-wspecifier>
e.g.: nnet-pytorch-chain-make-num-fst-e2e 1.mdl normalization.fst ark:1.fst ark,t:-"""


@dataclass
class Options:
    """chain-make-num-fst-e2e has no options of its own."""


def chain_make_num_fst_e2e(options: Options, model_in: str, fst_in: str, rspecifier: str, wspecifier: str) -> int:
    model = read_transition_model(model_in)
    normalization = read_normalization_fst(fst_in, 1.0)
    num_done = 0
    with SequentialReader(rspecifier, FST) as graphs, TableWriter(wspecifier, FST) as writer:
        for key, fst in graphs:
            with within(f"{rspecifier}: graph {key}"):
                graph = pdf_acceptor(fst, model)
            made = graph.packed().composed(normalization)
            if not made.num_states:
                log.warning(f"{key}: nothing is left of the graph after composing with the normalization FST")
            writer.write(key, made.to_fst())
            num_done += 1
    log.info(f"Converted {num_done} Fsts with transition-id to Fsts with pdf-id and normalized.")
    return 0


main = command(chain_make_num_fst_e2e, usage=USAGE)

if __name__ == "__main__":
    main()
