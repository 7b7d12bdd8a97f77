"""Alignments for another tree, topology or frame rate (hmm/hmm-utils.cc, ConvertAlignment)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.hmm.phone_sequence import loops_come_last, whole_phones_of
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import PDF_CLASS, ContextDependency, answers
from kaldi_bridge.tree_building.statistics import windows_of


class AlignmentConverter:
    """``converter(alignment)``: transition-ids of another model.

    Args:
        subsampling: frames of the old alignment for one of the new.
        repeat_frames: with subsampling: bring the new alignment to the length of the old one, interleaving those of
            all shifts.
        reorder: self-loops come after the other transitions of their states.
        phone_map: new phones by old ones.
    """

    def __init__(
        self,
        old: TransitionModel,
        new: TransitionModel,
        tree: ContextDependency,
        subsampling: int = 1,
        repeat_frames: bool = False,
        reorder: bool = True,
        phone_map: Mapping[int, int] | None = None,
    ) -> None:
        if subsampling < 1:
            raise KaldiError(f"--frame-subsampling-factor={subsampling} must be positive")
        self._old, self._new, self._tree = old, new, tree
        self._subsampling, self._repeat, self._reorder, self._phone_map = subsampling, repeat_frames, reorder, phone_map
        self._old_first, self._new_first = _first_ids(old), _first_ids(new)
        self._states = {tuple(row): n for n, row in enumerate(new.tuples.tolist(), 1)}
        self._states_of: dict[tuple[int, ...], list[int]] = {}
        self._paths: dict[int, list[int]] = {}
        self._same = {
            phone: self._mapped(phone) in new.topology.phone_entry
            and old.topology.states(phone) == new.topology.states(self._mapped(phone))
            for phone in old.phones
        }

    def __call__(self, alignment: np.ndarray) -> np.ndarray:
        """int32 [frames], or [frames / subsampling] rounded up.

        Raises KaldiError when the alignment is not one of whole phones, or its phones are too many for the frames.
        """
        if not self._repeat or self._subsampling == 1:
            return self._convert(alignment, self._subsampling - 1)
        shifted = [self._convert(alignment, shift) for shift in reversed(range(self._subsampling))]
        return np.array([a[i] for i in range(len(shifted[0])) for a in shifted if i < len(a)], np.int32)

    def _convert(self, alignment: np.ndarray, shift: int) -> np.ndarray:
        old_phones, lengths = whole_phones_of(self._old, alignment)
        phones = np.array([self._mapped(phone) for phone in old_phones.tolist()], np.int32)
        new_lengths = lengths.tolist()
        if self._subsampling > 1 or not all(self._same[p] for p in set(old_phones.tolist())):
            new_lengths = self._new_lengths(phones.tolist(), lengths, shift)
        changed = self._reorder != loops_come_last(self._old, alignment)
        windows = [tuple(window) for window in windows_of(phones, self._tree.width, self._tree.central).tolist()]
        kept = (lengths == new_lengths) & np.array([self._same[phone] for phone in old_phones.tolist()])
        own_windows = list(itertools.compress(windows, kept))
        transferred = self._transferred(alignment[np.repeat(kept, lengths)], own_windows, lengths[kept])
        if kept.all() and not changed:
            return transferred.astype(np.int32)
        phone_by_phone = iter(np.split(transferred, np.cumsum(lengths[kept])[:-1]))
        made = []
        for window, length, is_kept in zip(windows, new_lengths, kept.tolist(), strict=True):
            if not is_kept:
                made.append(self._spread(window, length))
            elif changed:
                made.append(self._reordered(next(phone_by_phone)))
            else:
                made.append(next(phone_by_phone))
        return np.concatenate(made).astype(np.int32)

    def _mapped(self, phone: int) -> int:
        if self._phone_map is None:
            return phone
        if phone not in self._phone_map:
            raise KaldiError(f"the phone map has no line for phone {phone}")
        return self._phone_map[phone]

    def _transferred(self, ids: np.ndarray, windows: Sequence[tuple[int, ...]], lengths: np.ndarray) -> np.ndarray:
        """The same states and transitions in the new model, of phones of some lengths one after the other."""
        states = [self._states_in(window) for window in windows]
        counts = np.array([len(own) for own in states], np.int64)
        first = np.repeat(np.cumsum(counts) - counts, lengths)
        index = ids - self._old_first[self._old.id_to_state[ids]]
        chosen = np.array(list(itertools.chain.from_iterable(states)), np.int64)
        made: np.ndarray = self._new_first[chosen[first + self._old.id_to_hmm_state[ids]]] + index
        return made

    def _reordered(self, ids: np.ndarray) -> np.ndarray:
        """With each state's self-loops on the other side of its other transition."""
        state = self._new.id_to_state[ids]
        edges = np.concatenate([[0], np.flatnonzero(state[1:] != state[:-1]) + 1, [len(ids)]])
        parts = []
        for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            run = ids[begin:end]
            loop = self._new.is_self_loop[run]
            parts += [run[~loop], run[loop]] if self._reorder else [run[loop], run[~loop]]
        return np.concatenate(parts)

    def _spread(self, window: tuple[int, ...], length: int) -> np.ndarray:
        """The shortest way through the phone's HMM, made longer by self-loops in all its states."""
        phone = window[self._tree.central]
        states = self._states_in(window)
        path = self._path(phone)
        loops = [self._new.self_loop_of(states[s]) for s in path]
        extra, places = length - len(path), sum(loop > 0 for loop in loops)
        if extra and not places:
            raise KaldiError(f"phone {phone} has no self-loops to take {length} frames with")
        each, rest = divmod(extra, places) if places else (0, 0)
        topology = self._new.topology.states(phone)
        made: list[int] = []
        for here, following, loop in zip(path, [*path[1:], len(topology) - 1], loops, strict=True):
            index = [target for target, _ in topology[here].transitions].index(following)
            forward = [self._new.transition_ids(states[here])[index]]
            stay = [loop] * (each + (rest > 0)) if loop else []
            rest -= bool(loop)
            made += forward + stay if self._reorder else stay + forward
        return np.array(made)

    def _states_in(self, window: tuple[int, ...]) -> list[int]:
        """The transition state of each HMM state of the central phone."""
        if window not in self._states_of:
            phone = window[self._tree.central]
            event, found = dict(enumerate(window)), []
            for number, state in enumerate(self._new.topology.states(phone)[:-1]):
                pdfs = list[int]()
                for pdf_class in (state.forward_pdf_class, state.self_loop_pdf_class):
                    pdf = answers(self._tree.to_pdf, {**event, PDF_CLASS: pdf_class})
                    if len(pdf) != 1:
                        raise KaldiError(f"the tree has no pdf for the phones {list(window)}: made for other phones?")
                    pdfs += pdf
                key = (phone, number, *pdfs)
                if key not in self._states:
                    raise KaldiError(f"the new model has no state for the phones {list(window)}: not that of the tree?")
                found.append(self._states[key])
            self._states_of[window] = found
        return self._states_of[window]

    def _path(self, phone: int) -> list[int]:
        """The HMM states of the shortest way through a phone."""
        if phone not in self._paths:
            states = self._new.topology.states(phone)
            waiting: list[list[int]] = [[0]]
            while waiting[0][-1] != len(states) - 1:
                path = waiting.pop(0)
                waiting += [[*path, target] for target, _ in states[path[-1]].transitions if target not in path]
            self._paths[phone] = waiting[0][:-1]
        return self._paths[phone]

    def _new_lengths(self, phones: Sequence[int], lengths: np.ndarray, shift: int) -> list[int]:
        """Frames of each phone after subsampling; where they are too few, taken from the nearest that has some left."""
        ends = (np.cumsum(lengths) + shift) // self._subsampling
        new = np.diff(ends, prepend=shift // self._subsampling).tolist()
        least = [len(self._path(phone)) for phone in phones]
        while True:
            short = [i for i, length in enumerate(new) if length < least[i]]
            if not short:
                return new
            for i in short:
                lender = _nearest_lender(new, least, i)
                if lender is None:
                    raise EntryError("the phones are too many for the frames that are left")
                new[i] += 1
                new[lender] -= 1


def _nearest_lender(lengths: Sequence[int], least: Sequence[int], short: int) -> int | None:
    """The phone with frames to spare that has the fewest frames between it and the one that lacks some."""
    best, best_distance = None, 0
    for order in (range(short - 1, -1, -1), range(short + 1, len(lengths))):
        distance = 0
        for i in order:
            if lengths[i] > least[i]:
                if best is None or distance < best_distance:
                    best, best_distance = i, distance
                break
            distance += lengths[i]
    return best


def _first_ids(model: TransitionModel) -> np.ndarray:
    """The first transition-id of each transition state [states + 1]."""
    return np.array([0, *(model.transition_ids(s).start for s in range(1, model.num_transition_states + 1))])
