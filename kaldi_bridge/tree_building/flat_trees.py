"""Trees that no statistics are needed for: of phones alone, or of all pairs of phones (gmmbin/gmm-init-biphone.cc)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.tree import PDF_CLASS, Constant, ContextDependency, EventMap, Table
from kaldi_bridge.io.integer_sets import read_sets
from kaldi_bridge.tree_building.maps import root_map


def monophone_tree(phone_sets: Sequence[Sequence[int]], topology: Topology) -> ContextDependency:
    """A pdf for each pdf class of each set of phones."""
    return ContextDependency(1, 0, root_map(0, [(False, sorted(phones)) for phones in phone_sets], topology))


@dataclass
class PhoneCounts:
    """How often phones, and pairs of a left and a right one (0: none), occur; what is too rare shares pdfs."""

    phones: Mapping[int, int]
    pairs: Mapping[tuple[int, int], int]
    least_pairs: int = 100
    least_phones: int = 20

    @classmethod
    def read(cls, rxfilename: str, least_pairs: int, least_phones: int) -> PhoneCounts:
        """Lines "left right count" and "phone count". Raises KaldiError for others."""
        phones, pairs = {}, {}
        for row in read_sets(rxfilename):
            if len(row) == 3:
                pairs[row[0], row[1]] = row[2]
            elif len(row) == 2:
                phones[row[0]] = row[1]
            else:
                raise KaldiError(f"{rxfilename}: expected lines of 2 or 3 numbers, got {' '.join(map(str, row))}")
        return cls(phones, pairs, least_pairs, least_phones)


def biphone_tree(
    phone_sets: Sequence[Sequence[int]],
    topology: Topology,
    context_independent: Collection[int] = (),
    counts: PhoneCounts | None = None,
) -> ContextDependency:
    """Pdfs for each set of phones after each other set, and after no phone or a context-independent one.

    Pairs that are too rare by the counts have the pdfs of the right phone alone; where that is too rare too, those of
    rare phones. Raises KaldiError when the phones have more than two pdf classes, or different numbers of them.
    """
    sizes = {topology.num_pdf_classes(phone) for phone in topology.phones}
    if not sizes <= {1, 2} or len(sizes) > 1:
        raise KaldiError(f"a tree of all pairs needs phones with one or two pdf classes each, not {sorted(sizes)}")
    alone = sorted(context_independent)
    sets = [kept for phones in phone_sets if (kept := sorted(set(phones) - set(alone)))]
    pdfs = _Pdfs(sizes.pop(), counts)
    by_phone: dict[int, EventMap] = {phone: pdfs.new() for phone in alone}
    for right in sets:
        beginning = pdfs.new()
        by_left: dict[int, EventMap] = dict.fromkeys((0, *alone), beginning)
        for left in sets:
            by_left.update(dict.fromkeys(left, pdfs.of_pair(left[0], right[0])))
        by_phone.update(dict.fromkeys(right, _table(0, by_left)))
    return ContextDependency(2, 1, _table(1, by_phone))


@dataclass
class _Pdfs:
    """Hands out pdfs, as many at a time as there are pdf classes."""

    classes: int
    counts: PhoneCounts | None
    used: int = 0
    _of_phone: dict[int, EventMap] = field(default_factory=dict)
    _of_rare: EventMap | None = None

    def new(self) -> EventMap:
        self.used += self.classes
        first = self.used - self.classes
        return Table(PDF_CLASS, tuple(Constant(first + i) for i in range(self.classes)))

    def of_pair(self, left: int, right: int) -> EventMap:
        counts = self.counts
        if counts is None or counts.pairs.get((left, right), 0) >= counts.least_pairs:
            return self.new()
        if counts.phones.get(right, 0) > counts.least_phones:
            if right not in self._of_phone:
                self._of_phone[right] = self.new()
            return self._of_phone[right]
        if self._of_rare is None:
            self._of_rare = self.new()
        return self._of_rare


def _table(key: int, children: Mapping[int, EventMap]) -> EventMap:
    return Table(key, tuple(children.get(value) for value in range(max(children) + 1)))
