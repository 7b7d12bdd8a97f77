"""What OpenFst and Kaldi's fstext do to transducers, by the kaldifst package.

    OpenFst.of(lexicon).composed(OpenFst.of(grammar)).reversed().fst()

An FST gets there and back through a temporary file, so what follows each other is best left in the package's own form.
Methods that change an FST change this one, and return it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, read_fst
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.text import decode

INPUT_DETERMINISTIC = 1 << 18  # fst/properties.h, kIDeterministic
_SMALL = 1 << 20  # states of an FST that may be held in memory once more


def _kaldifst() -> Any:
    import kaldi_hmm_gmm  # noqa: F401 - whoever imports it after kaldifst hangs
    import kaldifst

    return kaldifst


@contextmanager
def _temporary_file(states: int) -> Iterator[str]:
    """The name of an empty file for an FST; in memory for a small one, where the system has such files (Linux)."""
    if states <= _SMALL and hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("fst")
        try:
            yield f"/dev/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
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
        """Raises KaldiError for arcs of another semiring."""
        if fst.header and fst.header.arc_type != "standard":
            raise KaldiError(f"this is possible with arcs of type standard only, not {fst.header.arc_type}")
        return cls.of_any(fst)

    @classmethod
    def of_any(cls, fst: Fst) -> OpenFst:
        """With standard arcs in the place of whatever it has: for what never adds weights of several paths."""
        if fst.header and fst.header.arc_type != "standard":
            header = replace(fst.header.of_changed(), arc_type="standard")
            fst = Fst(fst.start, fst.finals, fst.offsets, fst.arcs, header)
        with _temporary_file(fst.num_states) as name:
            with OutputStream(open(name, "wb"), name) as stream:
                fst.write(stream, "vector")
            return cls(_kaldifst().StdVectorFst.read(name))

    def fst(self) -> Fst:
        with _temporary_file(self.num_states) as name:
            self.native.write(name)
            return read_fst(name)

    def fst_like(self, other: Fst) -> Fst:
        """With arcs of the type that the other one has."""
        fst = self.fst()
        if fst.header and other.header:
            fst.header.arc_type = other.header.arc_type
        return fst

    @property
    def num_states(self) -> int:
        return int(self.native.num_states)

    def composed(
        self, other: OpenFst, side: str = "left", compose_filter: str = "sequence", connect: bool = True
    ) -> OpenFst:
        """This one, then ``other``; this sorted by output or the other by input labels (Kaldi's fsttablecompose).

        ``side``: of which one a table of arcs is made, "left" or "right". Raises KaldiError where it is not sorted.
        """
        if not (self.native.is_olabel_sorted if side == "left" else other.native.is_ilabel_sorted):
            which = "first FST is not sorted by output" if side == "left" else "second FST is not sorted by input"
            raise KaldiError(f"the {which} labels: sort it with fstarcsort, or match on the other side")
        return OpenFst(_kaldifst().compose(self.native, other.native, side, compose_filter, connect))

    def arc_sorted(self, by: str = "ilabel") -> OpenFst:
        """Arcs of each state in the order of their input or output labels ("ilabel", "olabel")."""
        _kaldifst().arcsort(self.native, sort_type=by)
        return self

    def determinized(
        self,
        det_type: str = "functional",
        nstate: int = -1,
        weight: str = "",
        delta: float = 1.0 / 1024.0,
        label: int = 0,
        increment: bool = False,
    ) -> OpenFst:
        """The arguments are the flags of fstdeterminize."""
        made = _kaldifst().determinize(
            self.native,
            delta=delta,
            det_type=det_type,
            increment_subsequential_label=increment,
            nstate=nstate,
            subsequential_label=label,
            weight=weight,
        )
        return OpenFst(made)

    def minimized(self, delta: float = 1e-6, allow_nondet: bool = False) -> OpenFst:
        """The arguments are the flags of fstminimize. Raises KaldiError for what must be deterministic."""
        if not allow_nondet and not self.native.properties(INPUT_DETERMINISTIC, True):
            raise KaldiError("Refusing to minimize a non-deterministic FST with allow_nondet = false")
        _kaldifst().minimize(self.native, delta, allow_nondet)
        return self

    def without_epsilons(
        self, connect: bool = True, delta: float = 1e-6, nstate: int = -1, queue_type: str = "auto", weight: str = ""
    ) -> OpenFst:
        """The arguments are the flags of fstrmepsilon."""
        _kaldifst().rmepsilon(self.native, connect, delta, nstate, queue_type, weight)
        return self

    def reversed(self, require_superinitial: bool = True) -> OpenFst:
        """What it accepts, from the end to the start."""
        return OpenFst(_kaldifst().reverse(self.native, require_superinitial))

    def shortest_paths(self, count: int) -> OpenFst:
        """An FST of the ``count`` cheapest paths."""
        return OpenFst(_kaldifst().shortest_path(self.native, count))

    def information(self, arc_filter: str, info_type: str, test_properties: bool, verify: bool) -> str:
        """What fstinfo prints; the arguments are its flags. OpenFst writes it to the standard output itself."""
        sys.stdout.flush()
        with tempfile.TemporaryFile() as file:
            kept = os.dup(1)
            try:
                os.dup2(file.fileno(), 1)
                _kaldifst().info(
                    self.native,
                    arc_filter=arc_filter,
                    info_type=info_type,
                    test_properties=test_properties,
                    fst_verify=verify,
                )
            finally:
                os.dup2(kept, 1)
                os.close(kept)
            file.seek(0)
            return decode(file.read())

    def connected(self) -> OpenFst:
        """Only states on a path from the start to an end."""
        _kaldifst().connect(self.native)
        return self
