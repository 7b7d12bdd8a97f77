"""The path of a lattice with the fewest errors against a reference (latbin/lattice-oracle.cc).

The lattice's words, without costs and epsilons, are composed with a transducer of edits and with the reference; the
best path through that is OpenFst's, so that of several as good ones it is Kaldi's. Wildcards, words that count nowhere
as errors, are epsilons in lattice and reference.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC
from kaldi_bridge.fsts.labels import without_labels
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.lattices.composition import Composer, arc_sorted
from kaldi_bridge.lattices.lattice import LATTICE_ARC, CompactLattice, Lattice, projected, sorted_if_needed
from kaldi_bridge.lattices.linear import linear_lattice
from kaldi_bridge.lattices.paths import path_lattice
from kaldi_bridge.lattices.standard_fst import standard_fst


@dataclass
class Alignment:
    """The best path, and its errors.

    Attributes:
        words, reference: word ids along it, those of the wildcards left out.
    """

    words: list[int] = field(default_factory=list)
    reference: list[int] = field(default_factory=list)
    substitutions: int = 0
    insertions: int = 0
    deletions: int = 0

    @property
    def errors(self) -> int:
        """Of all kinds."""
        return self.substitutions + self.insertions + self.deletions

    def add(self, other: Alignment) -> None:
        """Another path after this one."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def oracle(lattice: Lattice, reference: Sequence[int], wildcards: Collection[int]) -> Alignment | None:
    """The best path against a reference; None for a lattice without a path. Needs kaldifst."""
    acceptor = _words(lattice, wildcards)
    words = OpenFst.of(acceptor).without_epsilons(True, 1e-6, -1, "auto", "").arc_sorted("ilabel")
    expected = _without(standard_fst(linear_lattice(reference, reference, 0.0, 0.0)), wildcards)
    edits = _edits(np.unique(acceptor.arcs["olabel"]), np.unique(expected.arcs["ilabel"]))
    edited = OpenFst.of(edits).composed(OpenFst.of(expected)).arc_sorted("ilabel")
    best = words.composed(edited, side="right").shortest_paths(1).fst()
    return _counted(best) if best.start >= 0 else None


def _without(fst: Fst, labels: Collection[int]) -> Fst:
    return without_labels(without_labels(fst, labels), labels, "olabel")


def _words(lattice: Lattice, wildcards: Collection[int]) -> Fst:
    """An acceptor without costs."""
    fst = _without(standard_fst(projected(lattice, on_words=True)), wildcards)
    arcs = fst.arcs.copy()
    arcs["weight"][arcs["weight"] != np.inf] = 0.0
    return fst.changed(arcs=arcs, finals=np.where(fst.finals == np.inf, fst.finals, np.float32(0.0)))


def _edits(words: np.ndarray, expected: np.ndarray) -> Fst:
    """From words to others, or to none, at a cost of 1; of one state, its arcs sorted by output label."""
    words, expected = words[words != 0], expected[expected != 0]
    arcs = np.zeros((len(expected) + 1, len(words) + 1), ARC)
    arcs["olabel"][1:] = expected[:, None]
    arcs["ilabel"][:, 1:] = words
    arcs["weight"] = arcs["ilabel"] != arcs["olabel"]
    flat = arcs.ravel()[1:]  # without the first, of no word to none
    return Fst(0, np.zeros(1, np.float32), np.array([0, len(flat)], np.int64), flat)


def _counted(path: Fst) -> Alignment:
    found = Alignment()
    state = path.start
    while path.finals[state] == np.inf:
        word, expected, _, state = path.arcs_of(state)[0].tolist()
        if word:
            found.words.append(word)
        if expected:
            found.reference.append(expected)
        found.insertions += not expected and bool(word)
        found.deletions += not word and bool(expected)
        found.substitutions += word != expected and bool(word) and bool(expected)
    return found


def path_of_words(lattice: CompactLattice, words: Sequence[int], wildcards: Collection[int]) -> CompactLattice | None:
    """The best path of a lattice with these words, and any wildcards between them; None where there is none."""
    labels = np.where(np.isin(lattice.arcs["label"], list(wildcards)), 0, lattice.arcs["label"]).astype(np.int32)
    numbered = np.zeros(lattice.num_arcs, LATTICE_ARC)
    for name in ("graph", "acoustic", "nextstate"):
        numbered[name] = lattice.arcs[name]
    numbered["ilabel"], numbered["olabel"] = labels, np.arange(1, lattice.num_arcs + 1)
    second = arc_sorted(Lattice(lattice.start, lattice.offsets, numbered, lattice.finals), "ilabel")
    composed = sorted_if_needed(Composer(second).compose(linear_lattice(words, words, 0.0, 0.0)))
    numbers = _best_outputs(composed)
    if numbers is None:
        return None
    taken = np.array(numbers, np.int64) - 1
    return path_lattice(lattice, taken, int(lattice.arcs["nextstate"][taken[-1]]) if len(taken) else lattice.start)


def _best_outputs(lattice: Lattice) -> list[int] | None:
    """Of the best path, where of equal costs the one with the smaller graph part is better; None: there is no path.

    Arcs must lead to higher-numbered states.
    """
    arcs, finals = lattice.to_lists()
    best: list[tuple[float, float, list[int]] | None] = [None] * lattice.num_states
    for state in reversed(range(lattice.num_states)):
        final = finals[state]
        ways: list[tuple[float, float, list[int]]] = [] if final is None else [(sum(final), final[0], [])]
        for _, label, graph, acoustic, target in arcs[state]:
            if (rest := best[target]) is not None:
                ways.append((graph + acoustic + rest[0], graph + rest[1], [label, *rest[2]]))
        best[state] = min(ways, key=lambda way: way[:2], default=None)
    found = best[lattice.start] if lattice.num_states else None
    return found[2] if found else None
