"""Determinization of lattices (lat/determinize-lattice-pruned.h): one path per word sequence, within a beam.

The work is done in C++ (csrc/determinize.h, csrc/phone_determinize.h); while it runs, other Python threads can. What it
has to say goes to the log, as Kaldi's does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice


@dataclass
class WordDeterminizationOptions:
    """How lattices are determinized over their words (DeterminizeLatticePrunedOptions)."""

    delta: float = option(1.0 / 1024, "Tolerance used in determinization")
    max_mem: int = option(50000000, "Maximum approximate memory usage in determinization (real usage might be more)")
    max_arcs: int = option(-1, "Maximum number of arcs in the determinized lattice; not positive: no limit")
    max_states: int = option(-1, "Maximum number of states in the determinized lattice; not positive: no limit")
    max_loop: int = option(0, "Most states that one determinized state may lead through; not positive: no limit")
    retry_cutoff: float = option(
        0.5,
        "Where a limit ends the determinization with less than this part of the beam done, the lattice is pruned, "
        "and determinized again with a smaller beam",
    )


@dataclass
class DeterminizationOptions:
    """How lattices are determinized over phones, then over words (DeterminizeLatticePhonePrunedOptions)."""

    delta: float = option(1.0 / 1024, "Tolerance used in determinization")
    max_mem: int = option(50000000, "Maximum approximate memory usage in determinization (real usage might be more)")
    phone_determinize: bool = option(True, "Do an initial pass of determinization on both phones and words")
    word_determinize: bool = option(True, "Do a second pass of determinization on words only")
    minimize: bool = option(False, "Push and minimize after determinization")


@dataclass
class Determinized:
    """What a determinization gives.

    Attributes:
        complete: False when a limit was reached before the end of the beam.
        states_before: of the lattice whose words were determinized.
    """

    lattice: CompactLattice
    complete: bool
    states_before: int


def determinize_words(lattice: Lattice, beam: float, options: WordDeterminizationOptions) -> Determinized:
    """One path per word sequence, within ``beam`` of the best path.

    Raises KaldiError for a lattice with a cycle, and for a beam that is not positive.
    """
    native = _filled(_csrc.DeterminizeOptions(), options, beam)
    return _done(lambda: _csrc.determinize(lattice.parts, native))


def determinize(
    lattice: Lattice, beam: float, options: DeterminizationOptions, phone_starts: Sequence[int] = ()
) -> Determinized:
    """The same, over phones and words first where there are ``phone_starts`` (TransitionModel.phone_starts)."""
    native = _filled(_csrc.PhoneDeterminizeOptions(), options, beam)
    return _done(lambda: _csrc.determinize_by_phones(lattice.parts, phone_starts, native))


def determinize_result(
    result: Any, beam: float, options: DeterminizationOptions, phone_starts: Sequence[int]
) -> Determinized:
    """The same of what the search in C++ found (_csrc.SearchResult)."""
    native = _filled(_csrc.PhoneDeterminizeOptions(), options, beam)
    return _done(lambda: result.determinized(phone_starts, native))


def pushed(lattice: CompactLattice, strings: bool = True, costs: bool = True, minimize: bool = False) -> CompactLattice:
    """Transition-ids and costs as near to the start as they go; then states with the same future merged, or not.

    lat/push-lattice.h, lat/minimize-lattice.h. Raises KaldiError for a lattice with a cycle.
    """
    try:
        return CompactLattice(*_csrc.pushed(lattice.parts, strings, costs, minimize))
    except ValueError as error:
        raise KaldiError(str(error)) from None


def _filled(native: Any, options: object, beam: float) -> Any:
    """The options that C++ has too, in single precision as Kaldi's are."""
    for name, value in vars(options).items():
        if hasattr(native, name):
            setattr(native, name, value)
    native.beam = float(np.float32(beam))
    return native


def _done(run: Callable[[], Any]) -> Determinized:
    try:
        done = run()
    except ValueError as error:
        raise KaldiError(str(error)) from None
    for kind, text in done.messages:
        if kind < 0:
            log.warning(text)
        elif kind == 0:
            log.info(text)
        else:
            log.vlog(kind, text)
    return Determinized(CompactLattice(*done.parts), done.complete, done.states_before)
