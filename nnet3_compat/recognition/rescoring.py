"""Lattices with the costs of larger language models, as in folders for Vosk that have rescore/ and perhaps rnnlm/.

What is done, and how much of it, is as in vosk-api's recognizer.cc.
"""

from __future__ import annotations

from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.fsts.rational import projected
from kaldi_bridge.io.matrix_files import read_matrix_file
from kaldi_bridge.lang.const_arpa import ConstArpa, read_const_arpa
from kaldi_bridge.lang.word_features import read_word_features, word_embedding
from kaldi_bridge.lattices.lattice import CompactLattice, sorted_if_needed, to_lattice
from kaldi_bridge.lattices.rescoring import FstRescorer, ModelRescorer, PrunedOptions, PrunedRescorer
from kaldi_bridge.options import read_options
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.recognition.model_folder import require

RNNLM_WEIGHT, RNNLM_ORDER = 0.5, 4
RNNLM_PRUNING = PrunedOptions(lattice_compose_beam=3.0, max_arcs=3000)


class Rescoring:
    """Takes the costs of G.fst away, which are those of the graph's grammar, and adds those of G.carpa.

    With a recurrent language model, half of these go for half of its own, and the paths that are best then stay.

    Raises:
        KaldiError: a file is missing or damaged.
    """

    def __init__(self, folder: Path, rnnlm: Path | None) -> None:
        words = projected(read_fst(str(folder / "G.fst")), "output")  # backing off has #0 on the input side
        self._old = FstRescorer(words)
        arpa = read_const_arpa(str(folder / "G.carpa"))
        self._new = ModelRescorer(arpa)
        self._recurrent = None if rnnlm is None else _with_rnnlm(arpa, rnnlm)

    def __call__(self, lattice: CompactLattice) -> CompactLattice:
        """Of no states where the models have none of its paths."""
        without = self._old.rescored(to_lattice(lattice), -1.0)
        rescored = self._new.composed(sorted_if_needed(without)) if without.num_states else without
        if self._recurrent is None or not rescored.num_states:
            return rescored
        return self._recurrent.rescored(rescored)


def _with_rnnlm(arpa: ConstArpa, folder: Path) -> PrunedRescorer:
    from nnet3_compat.rnnlm.model import Rnnlm  # torch, which other folders are recognized without
    from nnet3_compat.rnnlm.rescoring import RnnlmCosts, RnnlmOptions

    files = [folder / name for name in ("feat_embedding.final.mat", "word_feats.txt", "special_symbol_opts.conf")]
    for file in files:
        require(folder, file)
    features = read_matrix_file(str(files[0]))
    embedding = word_embedding(read_word_features(str(files[1]), len(features)), features)
    options = read_options(str(files[2]), RnnlmOptions)
    with within(str(folder)):
        options.check_symbols()
        rnnlm = Rnnlm(read_nnet(str(folder / "final.raw")), embedding)
        costs = RnnlmCosts(rnnlm, options.bos_symbol, options.eos_symbol, options.normalize_probs)
    return PrunedRescorer(arpa, costs, RNNLM_WEIGHT, RNNLM_PRUNING, RNNLM_ORDER)


def find_rescoring(folder: Path) -> Rescoring | None:
    """Of a folder for Vosk; None where it has no rescore/G.carpa. Raises KaldiError."""
    has_rnnlm = (folder / "rnnlm/final.raw").is_file()
    if not (folder / "rescore/G.carpa").is_file():
        if has_rnnlm:
            log.warning(f"{folder / 'rnnlm'} is not applied, as by Vosk, where there is no rescore/G.carpa")
        return None
    if not (folder / "rescore/G.fst").is_file():
        raise KaldiError(f"{folder}: no such file {folder / 'rescore/G.fst'}, to be subtracted by rescore/G.carpa")
    return Rescoring(folder / "rescore", folder / "rnnlm" if has_rnnlm else None)
