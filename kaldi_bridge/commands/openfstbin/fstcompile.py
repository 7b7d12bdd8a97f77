"""nnet-pytorch-fstcompile: OpenFst's fstcompile."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.command_line import ARC_TYPES, openfst_command
from kaldi_bridge.fsts.conversion import write_converted
from kaldi_bridge.fsts.fst_header import EXPANDED, MUTABLE, FstHeader
from kaldi_bridge.fsts.symbols import read_symbols, symbols_for_inside
from kaldi_bridge.fsts.text import compile_text
from kaldi_bridge.io.streams import open_input

USAGE = """Creates binary FSTs from simple text format.

  Usage: nnet-pytorch-fstcompile [text.fst [binary.fst]]"""


@dataclass
class Options:
    """Flags of fstcompile."""

    acceptor: bool = option(False, "Input in acceptor format")
    allow_negative_labels: bool = option(False, "Allow negative labels (not recommended; may cause conflicts)")
    arc_type: str = option("standard", "Output arc type")
    fst_type: str = option("vector", "Output FST type")
    isymbols: str = option("", "Input label symbol table")
    keep_isymbols: bool = option(False, "Store input label symbol table with FST")
    keep_osymbols: bool = option(False, "Store output label symbol table with FST")
    keep_state_numbering: bool = option(False, "Do not renumber input states")
    osymbols: str = option("", "Output label symbol table")
    ssymbols: str = option("", "State label symbol table")


def fstcompile(options: Options, text: str = "", binary: str = "") -> None:
    if options.arc_type not in ARC_TYPES:
        raise KaldiError(f"CompileFstInternal: No operation found on arc type {options.arc_type}")
    isymbols, osymbols, ssymbols = (
        read_symbols(name, options.allow_negative_labels) if name else None
        for name in (options.isymbols, options.osymbols, options.ssymbols)
    )
    with open_input(text) as stream:
        fst = compile_text(
            stream.read_all(),
            isymbols,
            osymbols,
            ssymbols,
            options.acceptor,
            options.keep_state_numbering,
            options.allow_negative_labels,
        )
    header = FstHeader("vector", options.arc_type, 2, 0, EXPANDED | MUTABLE, fst.start, fst.num_states, fst.num_arcs)
    if options.keep_isymbols and isymbols:
        header.isymbols = symbols_for_inside(isymbols.entries(), options.isymbols)
    if options.keep_osymbols and osymbols:
        header.osymbols = symbols_for_inside(osymbols.entries(), options.osymbols)
    fst.header = header
    write_converted(binary, fst, options.fst_type)


main = openfst_command(fstcompile, usage=USAGE)

if __name__ == "__main__":
    main()
