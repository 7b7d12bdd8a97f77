"""What a chain model shall say: an acceptor of pdf-ids with all alternatives (chain/chain-supervision.cc)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import FST, Fst
from kaldi_bridge.fsts.fst_header import FstHeader
from kaldi_bridge.io.basic_io import (
    expect_token,
    peek_token,
    read_bool,
    read_float,
    read_int32,
    read_int_vector,
    write_bool,
    write_float,
    write_int32,
    write_int_vector,
    write_token,
)
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.tables.holders import ObjectHolder


class SupervisionSizes(NamedTuple):
    """What stands at the beginning of a supervision."""

    weight: float
    num_sequences: int
    frames_per_sequence: int
    label_dim: int

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> SupervisionSizes:
        expect_token(stream, binary, "<Supervision>")
        expect_token(stream, binary, "<Weight>")
        weight = read_float(stream, binary)
        sizes = []
        for name in ("<NumSequences>", "<FramesPerSeq>", "<LabelDim>"):
            expect_token(stream, binary, name)
            sizes.append(read_int32(stream, binary))
            if sizes[-1] <= 0:
                raise KaldiError(f"{stream.where()}: {name} {sizes[-1]} must be positive")
        return cls(weight, *sizes)


@dataclass
class Supervision:
    """Supervision of one minibatch.

    Attributes:
        weight: of the objective; 1 as a rule.
        num_sequences, frames_per_sequence: the minibatch's size, frames after subsampling.
        label_dim: number of pdfs.
        fst: acceptor of pdf-id + 1 with ``num_sequences * frames_per_sequence`` arcs on every path, sequences one after
            the other, states in the order of time; None where there are ``e2e_fsts``.
        e2e_fsts: for flat-start training one acceptor for each sequence, with cycles.
        alignment_pdfs: the pdfs of one path, where they were stored.
    """

    weight: float
    num_sequences: int
    frames_per_sequence: int
    label_dim: int
    fst: Fst | None
    e2e_fsts: list[Fst] = field(default_factory=list)
    alignment_pdfs: list[int] = field(default_factory=list)

    @classmethod
    def from_parts(
        cls,
        weight: float,
        num_sequences: int,
        frames_per_sequence: int,
        label_dim: int,
        is_e2e: bool,
        fsts: list[Any],
        alignment_pdfs: list[int],
    ) -> Supervision:
        """From what example_buffer finds."""
        made = [_fst_from_parts(*parts) for parts in fsts]
        fst, e2e_fsts = (None, made) if is_e2e else (made[0], [])
        return cls(weight, num_sequences, frames_per_sequence, label_dim, fst, e2e_fsts, alignment_pdfs)

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> Supervision:
        """Raises KaldiError when the stream holds no supervision."""
        if binary and (parts := stream.parsed(_csrc.parse_supervision)) is not None:
            return cls.from_parts(*parts)
        sizes = SupervisionSizes.read(stream, binary)
        expect_token(stream, binary, "<End2End>")
        fst, e2e_fsts = None, []
        if read_bool(stream, binary):
            expect_token(stream, binary, "<Fsts>")
            e2e_fsts = [_read_fst(stream, binary, sizes.label_dim) for _ in range(sizes.num_sequences)]
            expect_token(stream, binary, "</Fsts>")
        else:
            fst = _read_fst(stream, binary, sizes.label_dim)
        pdfs: list[int] = []
        if peek_token(stream, binary) == "A":
            expect_token(stream, binary, "<AlignmentPdfs>")
            pdfs = read_int_vector(stream, binary)
        expect_token(stream, binary, "</Supervision>")
        return cls(*sizes, fst, e2e_fsts, pdfs)

    def write(self, stream: OutputStream, binary: bool) -> None:
        """As Kaldi writes it."""
        write_token(stream, binary, "<Supervision>")
        write_token(stream, binary, "<Weight>")
        write_float(stream, binary, self.weight)
        sizes = (self.num_sequences, self.frames_per_sequence, self.label_dim)
        for name, size in zip(("<NumSequences>", "<FramesPerSeq>", "<LabelDim>"), sizes, strict=True):
            write_token(stream, binary, name)
            write_int32(stream, binary, size)
        write_token(stream, binary, "<End2End>")
        write_bool(stream, binary, self.fst is None)
        if self.fst is None:
            write_token(stream, binary, "<Fsts>")
            for each in self.e2e_fsts:
                _write_fst(stream, binary, each)
            write_token(stream, binary, "</Fsts>")
        else:
            _write_fst(stream, binary, self.fst)
        if self.alignment_pdfs:
            write_token(stream, binary, "<AlignmentPdfs>")
            write_int_vector(stream, binary, self.alignment_pdfs)
        write_token(stream, binary, "</Supervision>")


def _fst_from_parts(start: int, finals: np.ndarray, offsets: np.ndarray, arcs: np.ndarray, properties: int) -> Fst:
    header = FstHeader("compact_acceptor", "standard", 2, 0, properties, start, len(finals), len(arcs))
    return Fst(start, finals, offsets, arcs, header)


def _read_fst(stream: InputStream, binary: bool, label_dim: int) -> Fst:
    fst = Fst.read(stream) if binary else FST.read(stream)
    labels = fst.arcs["ilabel"]
    if not np.array_equal(labels, fst.arcs["olabel"]):
        raise KaldiError(f"{stream.where()}: the FST of a supervision must be an acceptor")
    if labels.size and labels.max() > label_dim:
        raise KaldiError(f"{stream.where()}: label {labels.max()} in a supervision of {label_dim} pdfs")
    return fst


def _not_written(stream: OutputStream, binary: bool, value: Any) -> NoReturn:
    raise KaldiError(f"{stream.name}: sizes alone are no supervision")


def _write_fst(stream: OutputStream, binary: bool, fst: Fst) -> None:
    if binary:
        fst.write(stream, "compact_acceptor")
    else:
        FST.write(stream, False, fst)


SUPERVISION = ObjectHolder[Supervision](Supervision.read, lambda stream, binary, value: value.write(stream, binary))
SUPERVISION_SIZES = ObjectHolder[SupervisionSizes](SupervisionSizes.read, _not_written)  # without reading the FST
