"""What OpenFst and Kaldi's fstext do to transducers, by the kaldifst package.

    OpenFst.of(lexicon).composed(OpenFst.of(grammar)).star_determinized().encoded_minimized().fst()

An FST gets there and back through a temporary file, so what follows each other is best left in the package's own form.
Methods that change an FST change this one, and return it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, read_fst, write_fst


def _kaldifst() -> Any:
    import kaldi_hmm_gmm  # noqa: F401 - whoever imports it after kaldifst hangs
    import kaldifst

    return kaldifst


@contextmanager
def _temporary_file() -> Iterator[str]:
    descriptor, name = tempfile.mkstemp(suffix=".fst")
    os.close(descriptor)
    try:
        yield name
    finally:
        Path(name).unlink(missing_ok=True)


class OpenFst:
    """``native``: a kaldifst.StdVectorFst."""

    def __init__(self, native: Any) -> None:
        self.native = native

    @classmethod
    def of(cls, fst: Fst) -> OpenFst:
        with _temporary_file() as name:
            write_fst(name, fst)
            return cls(_kaldifst().StdVectorFst.read(name))

    def fst(self) -> Fst:
        with _temporary_file() as name:
            self.native.write(name)
            return read_fst(name)

    @property
    def num_states(self) -> int:
        return int(self.native.num_states)

    def composed(self, other: OpenFst) -> OpenFst:
        """This one, then ``other``; this sorted by output or the other by input labels (Kaldi's fsttablecompose)."""
        return OpenFst(_kaldifst().compose(self.native, other.native))

    def context_composed(self, disambig: Sequence[int], width: int, central: int) -> tuple[OpenFst, list[list[int]]]:
        """Phones in windows of ``width`` phones, of which number ``central`` is said (Kaldi's fstcomposecontext).

        Also what its input labels mean: nothing, the negative of a disambiguation symbol, or a window.
        """
        composed, labels = _kaldifst().compose_context(list(disambig), width, central, self.native)
        return OpenFst(composed), [list(label) for label in labels]

    def star_determinized(self, in_log: bool = True, max_states: int = -1) -> OpenFst:
        """Determinized, with epsilons removed (Kaldi's fstdeterminizestar --use-log).

        Raises KaldiError when it has more than ``max_states`` states (-1: any number).
        """
        if _kaldifst().determinize_star(self.native, max_states=max_states, use_log=in_log):
            raise KaldiError(f"determinization stopped at {max_states} states: is the FST determinizable at all?")
        return self

    def encoded_minimized(self) -> OpenFst:
        """Minimized with labels and weights as one symbol (Kaldi's fstminimizeencoded)."""
        _kaldifst().minimize_encoded(self.native)
        return self

    def arc_sorted(self, by: str = "ilabel") -> OpenFst:
        """Arcs of each state in the order of their input or output labels ("ilabel", "olabel")."""
        _kaldifst().arcsort(self.native, sort_type=by)
        return self

    def self_looped(self, labels: Sequence[tuple[int, int]]) -> OpenFst:
        """With loops of these (input, output) labels wherever a word can begin or end (Kaldi's fstaddselfloops)."""
        _kaldifst().add_self_loops(self.native, [ilabel for ilabel, _ in labels], [olabel for _, olabel in labels])
        return self

    def connected(self) -> OpenFst:
        """Only states on a path from the start to an end."""
        _kaldifst().connect(self.native)
        return self
