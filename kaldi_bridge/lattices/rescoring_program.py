"""What the lattice-lmrescore programs share: each lattice of a table is rescored, written and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice, to_compact
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LatticeHolder
from kaldi_bridge.lattices.rescoring import PrunedOptions
from kaldi_bridge.lattices.scale_options import AcousticScaleOptions
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.threads import in_order

L = TypeVar("L", Lattice, CompactLattice)


@dataclass
class RescoreOptions:
    """The scale of the new costs, in single precision as in Kaldi."""

    lm_scale: float = option(1.0, "Scaling factor for language model costs; frequently 1.0 or -1.0")

    def __post_init__(self) -> None:
        self.lm_scale = float(np.float32(self.lm_scale))


@dataclass
class HistoryOptions:
    """Which histories are taken for one."""

    max_ngram_order: int = option(
        3,
        "If positive, histories that end with the same words, one less than this, are taken for one: an approximation "
        "that saves time and gives smaller lattices",
    )


@dataclass
class PrunedRescoreOptions(PrunedOptions, RescoreOptions, AcousticScaleOptions):
    """Those of the programs that rescore the best paths; the acoustic scale has an effect on which these are."""

    def __post_init__(self) -> None:
        RescoreOptions.__post_init__(self)
        AcousticScaleOptions.__post_init__(self)
        if self.growth_ratio <= 1.0:
            raise KaldiError(f"--growth-ratio must be greater than 1, not {self.growth_ratio:g}")
        if self.acoustic_scale == 0.0:
            raise KaldiError("Acoustic scale cannot be zero.")


def rescore_table(
    rspecifier: str,
    holder: LatticeHolder[L],
    wspecifier: str,
    lm_scale: float,
    rescored: Callable[[L, float], CompactLattice],
) -> int:
    """Rescores all lattices of a table; with a scale of 0 they stay as they are. Returns the exit status."""
    done = failed = 0
    with SequentialReader(rspecifier, holder) as lattices, TableWriter(wspecifier, COMPACT_LATTICE) as writer:
        for key, lattice in lattices:
            with within(f"lattice of {key}"):
                result = rescored(lattice, lm_scale) if lm_scale else to_compact(lattice)
            if lm_scale and result.num_states == 0:
                log.warning(f"Empty lattice for utterance {key} (incompatible LM?)")
                failed += 1
                continue
            writer.write(key, result)
            done += 1
    log.info(f"Done {done} lattices, failed for {failed}")
    return 0 if done else 1


def rescore_table_pruned(
    rspecifier: str,
    wspecifier: str,
    acoustic_scale: float,
    rescored: Callable[[CompactLattice], CompactLattice],
    num_threads: int = 1,
) -> int:
    """Rescores all lattices of a table, their acoustic costs scaled meanwhile. Returns the exit status.

    ``num_threads``: that call ``rescored``, where this is faster.
    """

    def rescore(entry: tuple[str, CompactLattice]) -> tuple[str, CompactLattice, CompactLattice]:
        key, lattice = entry
        with within(f"lattice of {key}"):
            return key, lattice, rescored(scale(lattice, acoustic_scale))

    done = failed = 0
    with SequentialReader(rspecifier, COMPACT_LATTICE) as lattices, TableWriter(wspecifier, COMPACT_LATTICE) as writer:
        for key, lattice, result in in_order(rescore, lattices, num_threads):
            if result.num_states == 0:
                log.warning(
                    f"For utterance {key}: "
                    + ("composed lattice has no states." if lattice.num_states else "the lattice is empty.")
                )
                failed += 1
                continue
            log.vlog(
                2,
                f"Input lattice had {lattice.num_arcs}/{lattice.num_states} arcs/states; output lattice has "
                f"{result.num_arcs}/{result.num_states}",
            )
            writer.write(key, scale(result, 1.0 / acoustic_scale))
            done += 1
    log.info(f"Overall, succeeded for {done} lattices, failed for {failed}")
    return 0 if done else 1
