"""Language models in ARPA form as acceptors: Kaldi's arpa2fst (lmbin/arpa2fst.cc), the same to the byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_header import FstHeader
from kaldi_bridge.io.filenames import printable_output
from kaldi_bridge.io.streams import InputStream, open_input, open_output
from kaldi_bridge.io.text import encode

_BLOCK = 1 << 20


def compile_arpa(
    arpa_rxfilename: str,
    read_symbol_table: str = "",
    write_symbol_table: str = "",
    disambig_symbol: str = "",
    bos_symbol: str = "<s>",
    eos_symbol: str = "</s>",
    keep_symbols: bool = False,
    ilabel_sort: bool = True,
    max_warnings: int = 30,
    fst_wxfilename: str = "",
) -> Fst:
    """The acceptor of a model; the arguments are those of arpa2fst.

    With ``read_symbol_table``, n-grams with words that are not in it are left out, and the first ``max_warnings`` of
    them reported (-1: all). ``disambig_symbol`` is on the input side of backoff arcs; with it, no arc has <s> and </s>,
    and there are no states that only back off. Where symbols are kept, the FST's header has them; they are called
    after ``fst_wxfilename`` if they were not read.

    Raises:
        KaldiError: no file, not in ARPA form, or no such symbol.
    """
    words = _read_words(read_symbol_table) if read_symbol_table else _new_words()
    symbols, options = _csrc.ArpaSymbols(), _csrc.ArpaOptions()
    if disambig_symbol:
        if read_symbol_table and words.find(encode(disambig_symbol)) < 0:
            raise KaldiError(f"Symbol table {read_symbol_table} has no symbol for {disambig_symbol}")
        symbols.disambig = words.add(encode(disambig_symbol))
    symbols.begin, symbols.end = words.add(encode(bos_symbol)), words.add(encode(eos_symbol))
    options.add_words = not read_symbol_table
    options.max_warnings = max_warnings % (1 << 32)
    with open_input(arpa_rxfilename) as stream:
        try:
            (start, finals, offsets, arcs), properties = _csrc.compile_arpa(
                symbols, options, ilabel_sort, words, arpa_blocks(stream), log.info, log.warning
            )
        except ValueError as error:
            raise KaldiError(f"{stream.name}: {error}") from None
    if write_symbol_table:
        with open_output(write_symbol_table) as out:
            out.write(words.text())
    table = b""
    if keep_symbols or not (read_symbol_table or write_symbol_table):
        table = words.binary(encode(printable_output(read_symbol_table or fst_wxfilename)))
    return Fst(start, finals, offsets, arcs, _header(start, len(finals), properties, table))


def _header(start: int, num_states: int, properties: int, table: bytes) -> FstHeader:
    """As OpenFst's of a vector FST, in which the number of arcs is 0; the table is that of both sides."""
    return FstHeader("vector", "standard", 2, 0, properties, start, num_states, 0, table, table)


def _read_words(rxfilename: str) -> Any:
    with open_input(rxfilename) as stream:
        try:
            return _csrc.SymbolTable.read_text(arpa_blocks(stream))
        except ValueError as error:
            raise KaldiError(f"Could not read symbol table from file {rxfilename}: {error}") from None


def _new_words() -> Any:
    words = _csrc.SymbolTable()
    words.add(b"<eps>")
    return words


def arpa_blocks(stream: InputStream) -> Callable[[], bytes]:
    """A function that gives the stream's next bytes, as the parser in C++ wants them."""
    return lambda: stream.read_up_to(_BLOCK)
