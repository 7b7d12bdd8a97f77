"""The transition model: what transition-ids mean, and their probabilities (hmm/transition-model.h).

A *transition state* is a tuple (phone, HMM state, forward pdf, self-loop pdf); numbered from 1 in the order of the
tuples. A *transition-id* is one transition out of one such state; numbered from 1 too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.archive_extras import TRANSITION_MODEL, is_archive, read_extras
from kaldi_bridge.io.matrix_io import read_vector, write_vector
from kaldi_bridge.io.output_stream import Pieces
from kaldi_bridge.io.streams import InputStream, open_input

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import OutputStream

MAX_PDFS = 1 << 24


def _after(first: int, rest: np.ndarray, dtype: type = np.int32) -> np.ndarray:
    return np.concatenate([[first], rest]).astype(dtype)


class TransitionModel:
    """Arrays indexed by transition-id have a first element for the id 0, which no transition has.

    Attributes:
        topology: the HMMs of the phones.
        tuples: int32 [states, 4]: phone, HMM state, forward pdf, self-loop pdf.
        log_probs: float32 [ids + 1].
        id_to_pdf, id_to_phone, id_to_state, id_to_hmm_state, id_to_pdf_class: int32 [ids + 1]; ``id_to_state`` counts
            from 1.
        is_self_loop, is_final: bool [ids + 1]; final: the transition leaves the phone.
    """

    def __init__(self, topology: Topology, tuples: np.ndarray, log_probs: np.ndarray | None = None) -> None:
        self.topology = topology
        self.tuples = np.asarray(tuples, dtype=np.int32).reshape(-1, 4)
        self._derive()
        self.log_probs = self._initial_log_probs() if log_probs is None else log_probs
        self._check()

    def _derive(self) -> None:
        """The arrays by transition-id: states of the same phone and HMM state have the same transitions."""
        phones, hmm_states = self.tuples[:, 0], self.tuples[:, 1]
        kinds, kind_of_state = np.unique(self.tuples[:, :2], axis=0, return_inverse=True)
        targets: list[int] = []
        classes: list[tuple[int, int]] = []  # forward and self-loop, of each kind
        first = [0]  # transition of each kind
        last_states = []
        for phone, hmm in kinds.tolist():
            entry = self.topology.states(phone)
            if not 0 <= hmm < len(entry):
                raise KaldiError(f"transition model: phone {phone} has no state {hmm}")
            targets += [target for target, _ in entry[hmm].transitions]
            classes.append((entry[hmm].forward_pdf_class, entry[hmm].self_loop_pdf_class))
            first.append(len(targets))
            last_states.append(len(entry) - 1)
        self._check_pdfs()
        kind_of_state = kind_of_state.reshape(-1)
        count = np.diff(first)[kind_of_state]
        self._starts = np.concatenate([[0, 1], 1 + np.cumsum(count)]).astype(np.int32)
        state = np.repeat(np.arange(len(self.tuples)), count)
        kind = kind_of_state[state]
        which = np.array(first)[kind] + np.arange(len(state)) - (self._starts[1:-1] - 1)[state]
        target = np.array(targets, dtype=np.int32)[which]
        loops = target == hmm_states[state]
        forward_class, loop_class = np.array(classes, dtype=np.int32).reshape(-1, 2)[kind].T
        self.id_to_pdf = _after(-1, np.where(loops, self.tuples[state, 3], self.tuples[state, 2]))
        self.id_to_phone = _after(0, phones[state])
        self.id_to_state = _after(0, state + 1)
        self.id_to_hmm_state = _after(-1, hmm_states[state])
        self.id_to_pdf_class = _after(-1, np.where(loops, loop_class, forward_class))
        self.is_self_loop = _after(False, loops, bool)
        self.is_final = _after(False, target == np.array(last_states, dtype=np.int32)[kind], bool)

    def _check_pdfs(self) -> None:
        wrong = ((self.tuples[:, 2:] < 0) | (self.tuples[:, 2:] >= MAX_PDFS)).any(axis=1)
        if wrong.any():
            phone, hmm, forward, self_loop = self.tuples[wrong][0].tolist()
            raise KaldiError(f"transition model: {max(forward, self_loop)} is no pdf of state {hmm} of phone {phone}")

    def _initial_log_probs(self) -> np.ndarray:
        probs = [1.0]
        for phone, hmm, _, _ in self.tuples.tolist():
            probs += [p for _, p in self.topology.states(phone)[hmm].transitions]
        return np.log(np.array(probs, dtype=np.float32))

    def _check(self) -> None:
        if len(self.tuples) == 0 or self.num_transition_ids == 0:
            raise KaldiError("the transition model has no transitions")
        steps = np.diff(self.tuples.astype(np.int64), axis=0)
        if not (steps[np.arange(len(steps)), (steps != 0).argmax(axis=1)] > 0).all():
            raise KaldiError("the states of a transition model must be sorted, each once")
        if self.log_probs.shape != (self.num_transition_ids + 1,):
            raise KaldiError(
                f"the transition model has {self.num_transition_ids} transitions, but {len(self.log_probs) - 1} "
                "log-probabilities"
            )
        if not (np.isfinite(self.log_probs[1:]).all() and (self.log_probs[1:] <= 0).all()):
            raise KaldiError("the transition model has a log-probability that is positive, infinite or not a number")

    @property
    def num_transition_ids(self) -> int:
        """They are 1, 2, ... up to this."""
        return len(self.id_to_pdf) - 1

    @property
    def num_transition_states(self) -> int:
        """They are 1, 2, ... up to this."""
        return len(self.tuples)

    @property
    def num_pdfs(self) -> int:
        """One more than the largest pdf."""
        return int(self.tuples[:, 2:].max()) + 1

    @property
    def phones(self) -> list[int]:
        """Those of the topology."""
        return self.topology.phones

    def transition_ids(self, state: int) -> range:
        """The transition-ids out of a transition state (from 1)."""
        return range(int(self._starts[state]), int(self._starts[state + 1]))

    @property
    def first_ids(self) -> np.ndarray:
        """int32 [states], the first transition-id of each transition state."""
        return self._starts[1:-1]

    def self_loop_of(self, state: int) -> int:
        """The transition-id of a transition state's self-loop; 0 when it has none."""
        return next((tid for tid in self.transition_ids(state) if self.is_self_loop[tid]), 0)

    @cached_property
    def phone_starts(self) -> np.ndarray:
        """For each transition-id the phone that it begins, else 0: int32 [ids + 1]."""
        return np.where((self.id_to_hmm_state == 0) & ~self.is_self_loop, self.id_to_phone, 0).astype(np.int32)

    @property
    def non_self_loop_log_probs(self) -> np.ndarray:
        """float32 [states + 1]: of leaving each transition state; 0 where it has no self-loop."""
        stay = np.zeros(self.num_transition_states + 1, dtype=np.float32)
        stay[self.id_to_state[self.is_self_loop]] = np.exp(self.log_probs[self.is_self_loop])
        leave = 1 - stay
        return np.log(np.where(leave > 0, leave, np.float32(1e-10)))

    # Files.

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> TransitionModel:
        """Reads ``<TransitionModel>`` to ``</TransitionModel>``. Raises KaldiError."""
        basic_io.expect_token(stream, binary, "<TransitionModel>")
        topology = Topology.read(stream, binary)
        kind = basic_io.read_token(stream, binary)
        if kind not in ("<Tuples>", "<Triples>"):
            raise KaldiError(f"{stream.where()}: expected <Tuples> or <Triples>, got {kind}")
        count = basic_io.read_int32(stream, binary)
        width = 4 if kind == "<Tuples>" else 3
        if count <= 0 or (binary and not stream.holds(5 * width * count)):
            raise KaldiError(f"{stream.where()}: {count} is no number of transition states, or the file is truncated")
        rows = basic_io.read_int32s(stream, binary, (count, width))
        if width == 3:  # the self-loop has the same pdf
            rows = rows[:, [0, 1, 2, 2]]
        basic_io.expect_token(stream, binary, kind.replace("<", "</"))
        basic_io.expect_token(stream, binary, "<LogProbs>")
        log_probs = read_vector(stream, binary)
        basic_io.expect_token(stream, binary, "</LogProbs>")
        basic_io.expect_token(stream, binary, "</TransitionModel>")
        try:
            return cls(topology, rows, log_probs)
        except KaldiError as error:
            raise KaldiError(f"{stream.name}: {error}") from None

    def write(self, stream: OutputStream, binary: bool) -> None:
        """As Kaldi writes it."""
        newline = b"" if binary else b"\n"
        hmm = self.topology.is_hmm
        name = "Triples" if hmm else "Tuples"
        basic_io.write_token(stream, binary, "<TransitionModel>")
        stream.write(newline)
        self.topology.write(stream, binary)
        basic_io.write_token(stream, binary, f"<{name}>")
        basic_io.write_int32(stream, binary, len(self.tuples))
        stream.write(newline)
        for row in self.tuples.tolist():
            for value in row[: 3 if hmm else 4]:
                basic_io.write_int32(stream, binary, value)
            stream.write(newline)
        basic_io.write_token(stream, binary, f"</{name}>")
        stream.write(newline)
        basic_io.write_token(stream, binary, "<LogProbs>")
        stream.write(newline)
        write_vector(stream, binary, self.log_probs)
        for token in ("</LogProbs>", "</TransitionModel>"):
            basic_io.write_token(stream, binary, token)
            stream.write(newline)

    # Alignments.

    def pdfs_of(self, ids: np.ndarray) -> np.ndarray:
        """int32, the pdf of each transition-id (int32). Raises KaldiError when one is none of this model."""
        try:
            return self.id_to_pdf[1:][(ids - 1).view(np.uint32)]  # unsigned, what is below 1 is beyond all
        except IndexError:
            return self.id_to_pdf[self.checked(ids)]

    def checked(self, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """Transition-ids that come from elsewhere, as int64. Raises KaldiError when one is none of this model."""
        array = np.asarray(ids, dtype=np.int64)
        if array.size and (array.min() < 1 or array.max() > self.num_transition_ids):
            wrong = array[(array < 1) | (array > self.num_transition_ids)][0]
            raise KaldiError(
                f"{wrong} is no transition-id of the model, which has 1 to {self.num_transition_ids}: "
                "an alignment of another model?"
            )
        return array

    def accumulate(self, alignment: Sequence[int] | np.ndarray, stats: np.ndarray) -> None:
        """Adds the counts of an alignment's transition-ids to ``stats`` [ids + 1]. Raises KaldiError as ``checked``."""
        stats += np.bincount(self.checked(alignment), minlength=len(stats))

    def mle_update(
        self, stats: np.ndarray, floor: float = 0.01, mincount: float = 5.0, share_for_pdfs: bool = False
    ) -> tuple[float, float]:
        """Maximum-likelihood transition probabilities from counts [ids + 1]; (objective improvement, count).

        States with fewer counts than ``mincount`` keep theirs; ``share_for_pdfs`` gives all states of the same pdfs
        the same. Hmm/transition-model.cc, MleUpdate and MleUpdateShared.
        """
        groups: dict[tuple[int, ...], list[int]] = {}
        for state in range(1, self.num_transition_states + 1):
            key = tuple(self.tuples[state - 1, 2:].tolist()) if share_for_pdfs else (state,)
            groups.setdefault(key, []).append(state)
        total = improvement = 0.0
        floored = skipped = 0
        for states in sorted(groups.values()):
            ids = [np.array(self.transition_ids(state)) for state in states]
            if len({len(i) for i in ids}) != 1:
                raise KaldiError("states that share pdfs have different numbers of transitions: cannot share them")
            if len(ids[0]) == 1:
                continue
            counts = sum(stats[i] for i in ids)
            count = float(counts.sum())
            total += count
            if count < mincount:
                skipped += 1
                continue
            new = (counts / count).astype(np.float32)
            for _ in range(3):  # in single precision as in Kaldi, where the sum is inverted first
                new = np.maximum(new * np.float32(1.0 / float(new.sum())), np.float32(floor))
            floored += int((new == np.float32(floor)).sum())
            log_probs = np.log(new.astype(np.float64)).astype(np.float32)
            improvement += float((counts * (log_probs - self.log_probs[ids[0]])).sum())
            for i in ids:
                self.log_probs[i] = log_probs
        average = improvement / total if total else float("nan")
        log.info(f"TransitionModel::Update, objf change is {average:g} per frame over {total:g} frames. ")
        log.info(
            f"{floored} probabilities floored, {skipped} out of {self.num_transition_states} transition-states "
            "skipped due to insuffient data (it is normal to have some skipped.)"
        )
        return improvement, total


def read_transition_model(rxfilename: str) -> TransitionModel:
    """The transition model that any .mdl, or a file of its own, starts with, or that an archive has inside."""
    with open_input(rxfilename) as stream:
        if is_archive(stream.peek(4)):
            found = transition_model_in(stream.read_all(), rxfilename)
            if found is None:
                raise KaldiError(f"{rxfilename}: this archive has no transition model: take the .mdl of its tree")
            return found
        return TransitionModel.read(stream, basic_io.read_header(stream))


def transition_model_in(archive: bytes, name: str) -> TransitionModel | None:
    """The one inside an archive of torch's or an ONNX file, if there is one. Raises KaldiError for a broken file."""
    data = read_extras(archive, name).get(TRANSITION_MODEL)
    if data is None:
        return None
    stream = InputStream.from_bytes(data, f"{name}: transition model")
    return TransitionModel.read(stream, basic_io.read_header(stream))


def inside_archive(model: TransitionModel) -> bytes:
    """As it lies there: Kaldi's binary file of its own."""
    pieces = Pieces("transition model")
    basic_io.write_header(pieces, True)
    model.write(pieces, True)
    return pieces.data()
