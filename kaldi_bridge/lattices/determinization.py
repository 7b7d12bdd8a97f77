"""Determinization of lattices (lat/determinize-lattice-pruned.h): one path per word sequence, within a beam.

The work is done in C++ (csrc/determinize.h, csrc/phone_determinize.h); while it runs, other Python threads can. What it
has to say goes to the log, as Kaldi's does.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.lattices.costs import prune, scale
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice, is_cyclic, sorted_if_needed

DELTA = 1.0 / 1024
"""By how much costs may differ that are taken to be the same."""

NO_PHONES = np.zeros(0, np.int32)


@dataclass
class WordDeterminizationOptions:
    """How lattices are determinized over their words (DeterminizeLatticePrunedOptions)."""

    delta: float = option(DELTA, "Tolerance used in determinization")
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

    delta: float = option(DELTA, "Tolerance used in determinization")
    max_mem: int = option(50000000, "Maximum approximate memory usage in determinization (real usage might be more)")
    phone_determinize: bool = option(True, "Do an initial pass of determinization on both phones and words")
    word_determinize: bool = option(True, "Do a second pass of determinization on words only")
    minimize: bool = option(False, "Push and minimize after determinization")


@dataclass
class FullDeterminizationOptions:
    """How lattices are determinized as a whole, and what is done where that fails (latbin/lattice-determinize.cc)."""

    beam: float = option(10.0, "Pruning beam [applied after acoustic scaling], also where determinization fails")
    delta: float = option(DELTA, "Tolerance used in determinization")
    max_mem: int = option(50000000, "Maximum approximate memory usage in determinization (real usage might be more)")
    max_loop: int = option(500000, "Most states gone through without a word: beyond, determinization fails")
    beam_ratio: float = option(0.9, "Ratio by which to decrease the beam where determinization fails")
    num_loops: int = option(20, "Number of times to decrease the beam by beam-ratio if determinization fails")


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


def determinize_words_of_each(
    lattices: Sequence[Lattice], beam: float, options: WordDeterminizationOptions, minimize: bool = False
) -> Iterator[Determinized]:
    """One path per word sequence, within ``beam`` of the best path; pushed and minimized afterwards, or not.

    Raises KaldiError, after the results before, for a lattice with a cycle, and for a beam that is not positive.
    """
    native = filled(_csrc.DeterminizeOptions(), options, beam)
    for done in _each_done(_csrc.determinize_each, lattices, native):
        yield replace(done, lattice=pushed(done.lattice, minimize=True)) if minimize else done


def determinize_words(lattice: Lattice, beam: float, options: WordDeterminizationOptions) -> Determinized:
    """The same of one."""
    return next(determinize_words_of_each([lattice], beam, options))


def determinize_words_scaled(
    lattice: Lattice, acoustic_scale: float, beam: float, options: WordDeterminizationOptions
) -> CompactLattice:
    """The same of costs of which acoustic ones are scaled meanwhile; sorted topologically."""
    found = determinize_words(scale(lattice, acoustic=acoustic_scale), beam, options).lattice
    return scale(sorted_if_needed(found), acoustic=1.0 / acoustic_scale)


def determinize_each(
    lattices: Sequence[Lattice], beam: float, options: DeterminizationOptions, phone_starts: np.ndarray = NO_PHONES
) -> Iterator[Determinized]:
    """As ``determinize_words_of_each``, over phones and words first where there are ``phone_starts``.

    ``phone_starts``: TransitionModel.phone_starts.
    """
    native = filled(_csrc.PhoneDeterminizeOptions(), options, beam)
    return _each_done(_csrc.determinize_each_by_phones, lattices, phone_starts, native)


def determinize(
    lattice: Lattice, beam: float, options: DeterminizationOptions, phone_starts: np.ndarray = NO_PHONES
) -> Determinized:
    """The same of one."""
    return next(determinize_each([lattice], beam, options, phone_starts))


def determinize_fully(lattice: Lattice) -> CompactLattice:
    """One path per word sequence, none left out (fstext/determinize-lattice.h). Raises KaldiError for a cycle."""
    if is_cyclic(lattice):
        raise KaldiError("the lattice has a cycle")
    return _determinized_within(lattice, DELTA, 0, 0).lattice


def _determinized_within(lattice: Lattice, delta: float, max_mem: int, max_loop: int) -> Determinized:
    """Limits, bytes and states gone through without a word, that are not positive do not limit."""
    native = _csrc.FullDeterminizeOptions()
    native.delta, native.max_mem, native.max_loop = delta, max_mem, max_loop
    return next(_each_done(_csrc.determinize_each_fully, [lattice], native))


def determinize_or_prune(lattice: Lattice, options: FullDeterminizationOptions) -> tuple[CompactLattice, float]:
    """All word sequences; where a limit is passed, those within a smaller and smaller beam. Also the beam then reached.

    Raises EntryError for an empty lattice, one with a cycle where it would have to be pruned, and where nothing helps.
    """
    if lattice.num_states == 0:
        raise EntryError("Detected empty lattice")
    limits = options.delta, options.max_mem, options.max_loop
    beam = float(np.float32(options.beam))
    done = _determinized_within(lattice, *limits)
    if not done.complete and is_cyclic(lattice):
        raise EntryError("Cycles detected in lattice")
    for _ in range(0 if done.complete else options.num_loops):
        beam *= options.beam_ratio
        log.warning(f"Failed to determinize lattice, reducing lattice-beam to {beam:g} and re-trying.")
        pruned = prune(lattice, beam)
        if pruned.num_arcs == lattice.num_arcs:
            beam *= options.beam_ratio
            log.warning("Pruning did not have an effect on the original lattice size; reducing beam further.")
        elif (done := _determinized_within(pruned, *limits)).complete:
            break
    if not done.complete:
        raise EntryError(f"Decreased pruning beam --num-loops={options.num_loops} times: could not determinize")
    return done.lattice, beam


def pushed(lattice: CompactLattice, strings: bool = True, costs: bool = True, minimize: bool = False) -> CompactLattice:
    """Transition-ids and costs as near to the start as they go; then states with the same future merged, or not.

    lat/push-lattice.h, lat/minimize-lattice.h. Raises KaldiError for a lattice with a cycle.
    """
    try:
        return CompactLattice(*_csrc.pushed(lattice.parts, strings, costs, minimize))
    except ValueError as error:
        raise KaldiError(str(error)) from None


def filled(native: Any, options: Any, beam: float) -> Any:
    """The options that C++ has too, in single precision as Kaldi's are."""
    for name in _shared_names(native.__class__, options.__class__):
        setattr(native, name, getattr(options, name))
    native.beam = float(np.float32(beam))
    return native


@functools.cache
def _shared_names(native: Any, options: Any) -> list[str]:
    return [field.name for field in fields(options) if hasattr(native, field.name)]


def _each_done(run: Any, lattices: Sequence[Lattice], *arguments: Any) -> Iterator[Determinized]:
    try:
        results = run([lattice.parts for lattice in lattices], *arguments)
    except ValueError as error:
        raise KaldiError(str(error)) from None
    for result in results:
        if isinstance(result, str):
            raise KaldiError(result)
        parts, complete, states_before, messages = result
        say(messages)
        yield Determinized(CompactLattice(*parts), complete, states_before)


def say(messages: list[tuple[int, str]]) -> None:
    """What C++ has to say goes to the log: (-1: a warning, 0: as it is, else from this --verbose on; text)."""
    for kind, text in messages:
        if kind < 0:
            log.warning(text)
        elif kind == 0:
            log.info(text)
        else:
            log.vlog(kind, text)
