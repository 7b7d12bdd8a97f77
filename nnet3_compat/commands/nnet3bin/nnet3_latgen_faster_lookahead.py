"""nnet-pytorch-latgen-faster-lookahead: twin of nnet3-latgen-faster-lookahead."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.generation import is_table_of_graphs
from kaldi_bridge.lattices.graph_files import LookaheadFiles
from nnet3_compat.utterances.latgen import Options as LatgenOptions
from nnet3_compat.utterances.latgen import latgen

USAGE = """Generate lattices with a neural network, and a graph that is composed of a lexicon and a grammar while it is
searched, looking ahead (utils/mkgraph_lookahead.sh makes them).
Usage: nnet-pytorch-latgen-faster-lookahead [options] <model-in> <hcl-fst-in> <g-fst-in> <disambig-syms> \\
    <features-rspecifier> <lattice-wspecifier> [<words-wspecifier> [<alignments-wspecifier>]]
e.g.: nnet-pytorch-latgen-faster-lookahead --acoustic-scale=1.0 exp/tdnn/final.mdl exp/lgraph/HCLr.fst \\
    exp/lgraph/Gr.fst exp/lgraph/disambig_tid.int scp:data/test/feats.scp "ark:|gzip -c >lat.1.gz"
The model is a .mdl: Kaldi's, or ours with a TorchScript archive inside."""


@dataclass
class Options(LatgenOptions):
    """Options of nnet3-latgen-faster-lookahead."""


def latgen_faster_lookahead(
    options: Options,
    model_in: str,
    hcl_fst_in: str,
    g_fst_in: str,
    disambig_syms: str,
    features_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None = None,
    alignments_wspecifier: str | None = None,
) -> int:
    if is_table_of_graphs(hcl_fst_in):
        raise KaldiError("Not supported for lookahead: a graph for each utterance")
    graph = LookaheadFiles(hcl_fst_in, g_fst_in, disambig_syms)
    tables = (features_rspecifier, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    return latgen(options, "no", 1, model_in, graph, *tables)


main = command(latgen_faster_lookahead, usage=USAGE)

if __name__ == "__main__":
    main()
