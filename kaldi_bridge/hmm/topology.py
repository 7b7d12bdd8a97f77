"""HMM topologies: for each phone its states, their pdf classes and transitions (hmm/hmm-topology.h)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.text import encode

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream

NO_PDF = -1
MAX_PHONE = 10_000_000


@dataclass
class HmmState:
    """``transitions``: (state, probability) pairs. The self-loop may have a pdf class of its own (chain topologies)."""

    forward_pdf_class: int = NO_PDF
    self_loop_pdf_class: int = NO_PDF
    transitions: list[tuple[int, float]] = field(default_factory=list)


class Topology:
    """``entries``: lists of states, the last final and not emitting; ``phone_entry``: phone -> index of its entry."""

    def __init__(self, entries: list[list[HmmState]], phone_entry: dict[int, int]) -> None:
        self.entries = entries
        self.phone_entry = dict(sorted(phone_entry.items()))
        self._check()

    @property
    def phones(self) -> list[int]:
        return list(self.phone_entry)

    def states(self, phone: int) -> list[HmmState]:
        """The states of a phone's HMM. Raises KaldiError for a phone that it does not cover."""
        if phone not in self.phone_entry:
            raise KaldiError(f"the topology has no phone {phone}")
        return self.entries[self.phone_entry[phone]]

    def num_pdf_classes(self, phone: int) -> int:
        return 1 + max(max(s.forward_pdf_class, s.self_loop_pdf_class) for s in self.states(phone))

    @property
    def is_hmm(self) -> bool:
        """Whether no self-loop has a pdf class of its own."""
        return all(s.forward_pdf_class == s.self_loop_pdf_class for entry in self.entries for s in entry)

    def _check(self) -> None:
        if not self.entries or not self.phone_entry:
            raise KaldiError("the topology is empty")
        if set(self.phone_entry.values()) != set(range(len(self.entries))):
            raise KaldiError("the topology has an entry without phones, or a phone without an entry")
        if min(self.phone_entry) <= 0:
            raise KaldiError("phones in a topology must be positive")
        for entry in self.entries:
            _check_entry(entry)

    # Files.

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> Topology:
        """Raises KaldiError where the file is not a topology or describes an impossible one."""
        basic_io.expect_token(stream, binary, "<Topology>")
        entries, phone_entry = _read_binary(stream) if binary else _read_text(stream)
        try:
            return cls(entries, phone_entry)
        except KaldiError as error:
            raise KaldiError(f"{stream.name}: {error}") from None

    def write(self, stream: OutputStream, binary: bool) -> None:
        basic_io.write_token(stream, binary, "<Topology>")
        (self._write_binary if binary else self._write_text)(stream)
        basic_io.write_token(stream, binary, "</Topology>")
        stream.write(b"" if binary else b"\n")

    def _write_binary(self, stream: OutputStream) -> None:
        table = [-1] * (max(self.phone_entry) + 1)
        for phone, entry in self.phone_entry.items():
            table[phone] = entry
        basic_io.write_int_vector(stream, True, self.phones)
        basic_io.write_int_vector(stream, True, table)
        hmm = self.is_hmm
        numbers = [] if hmm else [-1]
        for number in [*numbers, len(self.entries)]:
            basic_io.write_int32(stream, True, number)
        for entry_states in self.entries:
            basic_io.write_int32(stream, True, len(entry_states))
            for state in entry_states:
                basic_io.write_int32(stream, True, state.forward_pdf_class)
                if not hmm:
                    basic_io.write_int32(stream, True, state.self_loop_pdf_class)
                basic_io.write_int32(stream, True, len(state.transitions))
                for target, probability in state.transitions:
                    basic_io.write_int32(stream, True, target)
                    basic_io.write_float(stream, True, probability)

    def _write_text(self, stream: OutputStream) -> None:
        hmm, lines = self.is_hmm, [""]
        for i, entry in enumerate(self.entries):
            phones = "".join(f"{p} " for p, e in self.phone_entry.items() if e == i)
            lines += ["<TopologyEntry> ", "<ForPhones> ", phones, "</ForPhones> "]
            for j, state in enumerate(entry):
                line = f"<State> {j} "
                if state.forward_pdf_class != NO_PDF and hmm:
                    line += f"<PdfClass> {state.forward_pdf_class} "
                elif state.forward_pdf_class != NO_PDF:
                    line += f"<ForwardPdfClass> {state.forward_pdf_class} "
                    line += f"<SelfLoopPdfClass> {state.self_loop_pdf_class} "
                for target, probability in state.transitions:
                    line += f"<Transition> {target} {basic_io.format_float(probability)} "
                lines.append(line + "</State> ")
            lines.append("</TopologyEntry> ")
        stream.write(encode("\n".join([*lines, ""])))


def _check_entry(entry: list[HmmState]) -> None:
    last = len(entry) - 1
    if last < 1:
        raise KaldiError("a topology entry needs at least one emitting state beside its final one")
    if entry[last].transitions or entry[last].forward_pdf_class != NO_PDF:
        raise KaldiError("the last state of a topology entry must be final: neither emitting nor left")
    reached, classes = set(), set()
    for j, state in enumerate(entry):
        emitting = state.forward_pdf_class != NO_PDF
        if emitting:
            classes |= {state.forward_pdf_class, state.self_loop_pdf_class}
        targets = [target for target, _ in state.transitions]
        if j < last and not targets:
            raise KaldiError(f"state {j} of a topology entry has no transition out of it")
        if len(set(targets)) < len(targets):
            raise KaldiError(f"state {j} of a topology entry has two transitions to the same state")
        for target, probability in state.transitions:
            if not 0 <= target <= last:
                raise KaldiError(f"state {j} of a topology entry has a transition to {target}, which is no state")
            if not 0.0 < probability < float("inf"):
                raise KaldiError(f"state {j} of a topology entry has a transition of probability {probability}")
            if not emitting and target in (j, last):
                raise KaldiError(f"state {j} of a topology entry emits nothing, but loops or leads to the final state")
        total = sum(probability for _, probability in state.transitions)
        if targets and abs(total - 1.0) > 0.01:
            log.warning(f"Total probability for state {j} in topology entry is {total:g}")
        reached |= set(targets)
    if not reached >= set(range(1, last + 1)):
        raise KaldiError("a topology entry has a state that no transition leads to")
    if classes != set(range(len(classes))):
        raise KaldiError("the pdf classes of a topology entry must be 0, 1, 2 and so on")


def _read_binary(stream: InputStream) -> tuple[list[list[HmmState]], dict[int, int]]:
    phones = basic_io.read_int_vector(stream, True)
    table = basic_io.read_int_vector(stream, True)
    for phone in phones:
        if not 0 <= phone < len(table):
            raise KaldiError(f"{stream.where()}: the topology has no entry for phone {phone}")
    if sum(entry >= 0 for entry in table) != len(set(phones)):
        raise KaldiError(f"{stream.where()}: the topology's phones and entries do not fit together")

    def count(minimum: int = 0) -> int:
        value = basic_io.read_int32(stream, True)
        if value < minimum or value > 1_000_000:
            raise KaldiError(f"{stream.where()}: {value} is no count of states or transitions")
        return value

    size, hmm = count(-1), True
    if size == -1:
        size, hmm = count(), False
    entries = []
    for _ in range(size):
        entry = []
        for _ in range(count()):
            forward = basic_io.read_int32(stream, True)
            loop = forward if hmm else basic_io.read_int32(stream, True)
            transitions = []
            for _ in range(count()):
                target = basic_io.read_int32(stream, True)
                transitions.append((target, basic_io.read_float(stream, True)))
            entry.append(HmmState(forward, loop, transitions))
        entries.append(entry)
    basic_io.expect_token(stream, True, "</Topology>")
    return entries, {phone: table[phone] for phone in phones}


def _read_text(stream: InputStream) -> tuple[list[list[HmmState]], dict[int, int]]:
    entries: list[list[HmmState]] = []
    phone_entry: dict[int, int] = {}

    def token() -> str:
        return basic_io.read_token(stream, False)

    def unexpected(got: str, wanted: str) -> KaldiError:
        return KaldiError(f"{stream.where()}: reading a topology, expected {wanted}, got {got}")

    while (word := token()) != "</Topology>":
        if word != "<TopologyEntry>":
            raise unexpected(word, "</Topology> or <TopologyEntry>")
        basic_io.expect_token(stream, False, "<ForPhones>")
        while (word := token()) != "</ForPhones>":
            if not re.fullmatch(r"\d{1,9}", word) or not 0 < int(word) <= MAX_PHONE:
                raise unexpected(word, "a phone")
            if int(word) in phone_entry:
                raise KaldiError(f"{stream.where()}: phone {word} appears in multiple topology entries")
            phone_entry[int(word)] = len(entries)
        entry: list[HmmState] = []
        while (word := token()) != "</TopologyEntry>":
            if word != "<State>":
                raise unexpected(word, "</TopologyEntry> or <State>")
            number = basic_io.read_int32(stream, False)
            if number != len(entry):
                raise unexpected(str(number), f"state {len(entry)}: states must be in order from zero")
            state = HmmState()
            word = token()
            if word == "<PdfClass>":
                state.forward_pdf_class = state.self_loop_pdf_class = basic_io.read_int32(stream, False)
                word = token()
            elif word == "<ForwardPdfClass>":
                state.forward_pdf_class = basic_io.read_int32(stream, False)
                basic_io.expect_token(stream, False, "<SelfLoopPdfClass>")
                state.self_loop_pdf_class = basic_io.read_int32(stream, False)
                word = token()
            while word == "<Transition>":
                target = basic_io.read_int32(stream, False)
                state.transitions.append((target, basic_io.read_float(stream, False)))
                word = token()
            if word != "</State>":
                raise unexpected(word, "</State>")
            entry.append(state)
        entries.append(entry)
    return entries, phone_entry
