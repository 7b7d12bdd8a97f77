"""Lattices with the costs of a larger language model, as in folders for Vosk that have rescore/."""

from __future__ import annotations

from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.fsts.rational import projected
from kaldi_bridge.lang.const_arpa import read_const_arpa
from kaldi_bridge.lattices.lattice import CompactLattice, to_lattice
from kaldi_bridge.lattices.rescoring import FstRescorer, ModelRescorer


class Rescoring:
    """Takes the costs of G.fst away, which are those of the graph's grammar, and adds those of G.carpa.

    Raises:
        KaldiError: a file is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        words = projected(read_fst(str(folder / "G.fst")), "output")  # backing off has #0 on the input side
        self._old = FstRescorer(words)
        self._new = ModelRescorer(read_const_arpa(str(folder / "G.carpa")))

    def __call__(self, lattice: CompactLattice) -> CompactLattice:
        """Of no states where the models have none of its paths."""
        without = self._old.rescored(to_lattice(lattice), -1.0)
        return self._new.rescored(without, 1.0) if without.num_states else without


def find_rescoring(folder: Path) -> Rescoring | None:
    """Of a folder for Vosk; None where it has no rescore/G.carpa. Raises KaldiError."""
    if (folder / "rnnlm/final.raw").is_file():
        log.warning(f"{folder / 'rnnlm'}: the recurrent language model is not applied")
    if not (folder / "rescore/G.carpa").is_file():
        return None
    if not (folder / "rescore/G.fst").is_file():
        raise KaldiError(f"{folder}: no such file {folder / 'rescore/G.fst'}, to be subtracted by rescore/G.carpa")
    return Rescoring(folder / "rescore")
