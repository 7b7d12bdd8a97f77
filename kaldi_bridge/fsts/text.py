"""FSTs as OpenFst's fstcompile reads and fstprint writes them, with symbols or numbers."""

from __future__ import annotations

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.symbols import Symbols


def compile_text(
    text: bytes,
    isymbols: Symbols | None = None,
    osymbols: Symbols | None = None,
    ssymbols: Symbols | None = None,
    acceptor: bool = False,
    keep_state_numbering: bool = False,
    allow_negative_labels: bool = False,
) -> Fst:
    """The arguments are the flags of fstcompile. Raises KaldiError that names the line."""
    try:
        found = _csrc.compile_fst(
            text, isymbols, osymbols, ssymbols, acceptor, keep_state_numbering, allow_negative_labels
        )
    except ValueError as error:
        raise KaldiError(f"FstCompiler: {error}") from None
    return Fst(*found)


def print_text(
    fst: Fst,
    isymbols: Symbols | None = None,
    osymbols: Symbols | None = None,
    ssymbols: Symbols | None = None,
    acceptor: bool = False,
    show_weight_one: bool = False,
    missing_symbol: str = "",
) -> bytes:
    """The arguments are the flags of fstprint. Raises KaldiError for a number without a symbol."""
    try:
        return _csrc.print_fst(
            fst.start,
            fst.finals,
            fst.offsets,
            fst.arcs,
            isymbols,
            osymbols,
            ssymbols,
            acceptor,
            show_weight_one,
            missing_symbol or None,
        )
    except ValueError as error:
        raise KaldiError(f"FstPrinter: {error}") from None
