"""nnet-pytorch-lattice-rescore-lm: lattices with the costs of a language model in TorchScript."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.lang.const_arpa import read_const_arpa
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.rescoring import ModelRescorer, NBestRescorer, PrunedRescorer
from kaldi_bridge.lattices.rescoring_program import HistoryOptions, PrunedRescoreOptions, rescore_table_pruned
from nnet3_compat.export.torch_model_file import scripted_module
from nnet3_compat.machine.device import select_device
from nnet3_compat.rnnlm.scripted import UNKNOWN, ScriptedCosts

USAGE = """Add the costs of a language model in TorchScript to lattices, and take those of another model away.
Usage: nnet-pytorch-lattice-rescore-lm [options] <torchscript-lm> <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-rescore-lm --old-lm=data/lang_test/G.fst --lm-scale=0.5 --acoustic-scale=1.0 \\
    --bos-symbol=200003 --eos-symbol=200004 lstm.pt ark:in.lats ark:out.lats
The model is a module over the numbers of words (docs/rescoring.md). With --old-lm the paths that are best then are
kept, as by lattice-lmrescore-kaldi-rnnlm-pruned; without it all paths; with --n those that are best before, whose costs
are exact."""


@dataclass
class Options(PrunedRescoreOptions, HistoryOptions):
    """Options of lattice-rescore-lm."""

    lm_scale: float = option(0.5, "Scaling factor of the new costs; its negative is that of the old ones")
    max_ngram_order: int = option(
        4, "If positive, histories that end with the same words, one less than this, are taken for one; not with --n"
    )
    old_lm: str = option("", "Language model whose costs the lattices have: an FST, or one in ConstArpaLm form")
    use_const_arpa: bool = option(False, "If true, --old-lm is in ConstArpaLm form")
    n: int = option(0, "If positive, only so many paths of each lattice are rescored")
    bos_symbol: int = option(-1, "Number of the word <s>")
    eos_symbol: int = option(-1, "Number of the word </s>")
    unk_symbol: int = option(UNKNOWN, "Number of the word that those are taken for which the model does not have")
    use_gpu: str = option("yes", "yes|no|optional|wait: whether to compute on a CUDA device")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bos_symbol == -1 or self.eos_symbol == -1:
            raise KaldiError("You must set --bos-symbol and --eos-symbol options")
        if self.lm_scale == 0.0 or self.n < 0:
            raise KaldiError("--lm-scale must not be 0, nor --n negative")


def lattice_rescore_lm(options: Options, torchscript_lm: str, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    device = select_device(options.use_gpu)
    symbols = (options.bos_symbol, options.eos_symbol, options.unk_symbol)
    model = ScriptedCosts(scripted_module(torchscript_lm, device), device, *symbols)
    return rescore_table_pruned(
        lattice_rspecifier, lattice_wspecifier, options.acoustic_scale, rescorer(options, model)
    )


def rescorer(options: Options, model: ScriptedCosts) -> Callable[[CompactLattice], CompactLattice]:
    old = None
    if options.old_lm:
        old = read_const_arpa(options.old_lm) if options.use_const_arpa else read_fst(options.old_lm)
    if options.n:
        return NBestRescorer(old, model, options.lm_scale, options.n).rescored
    if old is not None:
        return PrunedRescorer(old, model, options.lm_scale, options, options.max_ngram_order).rescored
    whole = ModelRescorer(model, options.max_ngram_order)
    return lambda lattice: whole.rescored(lattice, options.lm_scale) if lattice.num_states else lattice


main = command(lattice_rescore_lm, usage=USAGE)

if __name__ == "__main__":
    main()
