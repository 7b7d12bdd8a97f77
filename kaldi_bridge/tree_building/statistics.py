"""What trees are built from: moments of the frames of every phone in its context (hmm/tree-accu.cc)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.hmm.phone_sequence import whole_phones_of
from kaldi_bridge.hmm.tree import PDF_CLASS
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.matrix_io import read_matrix, write_matrix
from kaldi_bridge.tree_building.gaussian import moments_of_runs

if TYPE_CHECKING:
    from kaldi_bridge.hmm.transition_model import TransitionModel
    from kaldi_bridge.io.streams import InputStream, OutputStream

NOT_ASKED = np.iinfo(np.int32).max  # a phone that trees may not ask for, as the central one does not depend on it
VARIANCE_FLOOR = 0.01
_BUFFERED_RUNS = 20_000


class TreeStatistics:
    """Moments by event; an event is a pdf class and the phones of a window.

    Attributes:
        events: int32 [n, 1 + width], sorted: the pdf class, then the phones; 0: no phone, NOT_ASKED.
        moments: float64 [n, 1 + 2 * dim], see gaussian.py.
        variance_floor: of the Gaussians.
    """

    def __init__(self, events: np.ndarray, moments: np.ndarray, variance_floor: float = VARIANCE_FLOOR) -> None:
        self.events, self.moments = events, moments
        self.variance_floor = float(np.float32(variance_floor))

    def __len__(self) -> int:
        return len(self.events)

    @property
    def width(self) -> int:
        return self.events.shape[1] - 1

    @property
    def num_frames(self) -> float:
        return float(self.moments[:, 0].sum())

    def column(self, key: int) -> np.ndarray:
        """The value of ``key`` (a position in the window, PDF_CLASS) in each event [n]; KaldiError for another."""
        if not PDF_CLASS <= key < self.width:
            raise KaldiError(f"a tree or a question asks for position {key} in windows of {self.width} phones")
        return self.events[:, key + 1]

    def where(self, keep: np.ndarray) -> TreeStatistics:
        """Those events that a mask or list of indices keeps."""
        return TreeStatistics(self.events[keep], self.moments[keep], self.variance_floor)

    @classmethod
    def sum(cls, parts: Sequence[TreeStatistics]) -> TreeStatistics:
        """Raises KaldiError when they differ in the window's width or in dimension, or there are none."""
        if not parts or len({(p.width, p.moments.shape[1]) for p in parts}) > 1:
            raise KaldiError("tree statistics of different context widths or dimensions, or none at all")
        events = np.concatenate([p.events for p in parts])
        return cls(*_merged(events, np.concatenate([p.moments for p in parts])), parts[0].variance_floor)

    # Files (tree/build-tree-utils.cc).

    @classmethod
    def read(cls, stream: InputStream, binary: bool, width: int = 0) -> TreeStatistics:
        """``width``: of the windows, where no event may have the last phones. Raises KaldiError for another file."""
        basic_io.expect_token(stream, binary, "BTS")
        size = basic_io.read_uint32(stream, binary)
        if not stream.holds(20 * size):
            raise KaldiError(f"{stream.where()}: truncated, or {size} is no number of events")
        events, moments, floor = [], [], VARIANCE_FLOOR
        for _ in range(size):
            basic_io.expect_token(stream, binary, "EV")
            count = basic_io.read_uint32(stream, binary)
            if count > 100:
                raise KaldiError(f"{stream.where()}: an event of {count} keys")
            event = [(basic_io.read_int32(stream, binary), basic_io.read_int32(stream, binary)) for _ in range(count)]
            if not basic_io.read_bool(stream, binary):
                continue
            basic_io.expect_token(stream, binary, "GCL")
            frames = basic_io.read_double(stream, binary)
            floor = basic_io.read_double(stream, binary)
            sums = read_matrix(stream, binary, np.float64)
            if len(sums) != 2:
                raise KaldiError(f"{stream.where()}: statistics of {len(sums)} rows, not sums and squares")
            events.append(dict(event))
            moments.append(np.concatenate([[frames], sums.ravel()]))
        if not events or len({len(m) for m in moments}) > 1:
            raise KaldiError(f"{stream.name}: no statistics, or of different dimensions")
        width = max(width, *(1 + max(event) for event in events))
        if width < 1 or any(min(event) != PDF_CLASS for event in events):
            raise KaldiError(f"{stream.name}: statistics of an event without a pdf class or phones")
        rows = [[event.get(key, NOT_ASKED) for key in range(PDF_CLASS, width)] for event in events]
        return cls(np.array(rows, np.int32), np.array(moments), floor)

    def write(self, stream: OutputStream, binary: bool) -> None:
        basic_io.write_token(stream, binary, "BTS")
        basic_io.write_uint32(stream, binary, len(self))
        dim = self.moments.shape[1] // 2
        for event, moments in zip(self.events.tolist(), self.moments, strict=True):
            pairs = [(key, value) for key, value in enumerate(event, PDF_CLASS) if value != NOT_ASKED]
            basic_io.write_token(stream, binary, "EV")
            basic_io.write_uint32(stream, binary, len(pairs))
            for pair in pairs:
                for value in pair:
                    basic_io.write_int32(stream, binary, value)
            stream.write(b"" if binary else b"\n")
            basic_io.write_bool(stream, binary, True)
            basic_io.write_token(stream, binary, "GCL")
            basic_io.write_double(stream, binary, moments[0])
            basic_io.write_double(stream, binary, self.variance_floor)
            write_matrix(stream, binary, moments[1:].reshape(2, dim))
        stream.write(b"" if binary else b"\n")


class Accumulator:
    """Collects the statistics of utterances.

    Args:
        model: of the alignments.
        width, central: of the windows of phones, and the place in them of the phone that is said.
        context_independent: phones that trees may not ask for the neighbours of.
        phone_map: other phones for those of the alignments.
    """

    def __init__(
        self,
        model: TransitionModel,
        width: int = 3,
        central: int = 1,
        context_independent: Collection[int] = (),
        variance_floor: float = VARIANCE_FLOOR,
        phone_map: Mapping[int, int] | None = None,
    ) -> None:
        if not 0 <= central < width:
            raise KaldiError(f"--central-position={central} must be within --context-width={width}")
        self._model, self._width, self._central = model, width, central
        self._independent = np.array(sorted(context_independent), np.int32)
        self._floor, self._phone_map = variance_floor, phone_map
        self._events: list[np.ndarray] = []  # of runs of frames of the same event
        self._moments: list[np.ndarray] = []
        self._parts: list[TreeStatistics] = []

    def add(self, utterance: str, alignment: np.ndarray, feats: np.ndarray) -> None:
        """One utterance: transition-ids [frames], features [frames, dim].

        Raises EntryError, and adds nothing, when they differ in length or the alignment is not one of whole phones;
        KaldiError when they are of another model.
        """
        if len(alignment) != len(feats):
            raise EntryError(f"Alignments has wrong size {len(alignment)} vs. {len(feats)} (utterance {utterance})")
        before = (self._moments[-1].shape[1] - 1) // 2 if self._moments else feats.shape[1]
        if feats.shape[1] != before:
            raise KaldiError(f"features of dimension {feats.shape[1]}, those before of {before}")
        try:
            phones, lengths = whole_phones_of(self._model, alignment)
        except EntryError as error:
            raise EntryError(f"Utterance {utterance}: {error}") from None
        if self._phone_map is not None:
            unmapped = set(phones.tolist()) - set(self._phone_map)
            if unmapped:
                raise KaldiError(f"the phone map has no line for phone {min(unmapped)}")
            phones = np.array([self._phone_map[p] for p in phones.tolist()], np.int32)
        windows = windows_of(phones, self._width, self._central)
        alone = np.isin(phones, self._independent)
        others = np.arange(self._width) != self._central
        windows[np.ix_(alone, others)] = NOT_ASKED
        classes = self._model.id_to_pdf_class[alignment]
        events = np.column_stack([classes, np.repeat(windows, lengths, axis=0)])
        changes = np.flatnonzero((events[1:] != events[:-1]).any(axis=1)) + 1
        starts = np.concatenate([[0], changes])
        self._events.append(events[starts])
        self._moments.append(moments_of_runs(feats, starts))
        if sum(map(len, self._moments)) > _BUFFERED_RUNS:
            self._flush()

    def _flush(self) -> None:
        if self._moments:
            merged = _merged(np.concatenate(self._events), np.concatenate(self._moments))
            self._parts.append(TreeStatistics(*merged, self._floor))
            if len(self._parts) > 20:
                self._parts = [TreeStatistics.sum(self._parts)]
            self._events, self._moments = [], []

    def result(self) -> TreeStatistics:
        """All that was added. Raises KaldiError when nothing was."""
        self._flush()
        return TreeStatistics.sum(self._parts)


def windows_of(phones: np.ndarray, width: int, central: int) -> np.ndarray:
    """The window around each of the phones [n]: [n, width], with 0 beyond the ends."""
    padded = np.concatenate([np.zeros(central, np.int32), phones, np.zeros(width - 1 - central, np.int32)])
    return np.column_stack([padded[i : i + len(phones)] for i in range(width)])


def _merged(events: np.ndarray, moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted, with each event once."""
    order = np.lexsort(events.T[::-1])
    events = events[order]
    first = np.concatenate([[True], (events[1:] != events[:-1]).any(axis=1)])
    return events[first], np.add.reduceat(moments[order], np.flatnonzero(first), axis=0)
