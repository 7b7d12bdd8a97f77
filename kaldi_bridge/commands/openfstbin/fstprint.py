"""nnet-pytorch-fstprint: OpenFst's fstprint."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file
from kaldi_bridge.fsts.symbols import labels_of, read_symbols, save_symbols
from kaldi_bridge.fsts.text import print_text
from kaldi_bridge.io.streams import open_output

USAGE = """Prints out binary FSTs in simple text format.

  Usage: nnet-pytorch-fstprint [binary.fst [text.fst]]"""


@dataclass
class Options:
    """Flags of fstprint."""

    acceptor: bool = option(False, "Input in acceptor format?")
    allow_negative_labels: bool = option(False, "Allow negative labels (not recommended; may cause conflicts)?")
    isymbols: str = option("", "Input label symbol table")
    missing_symbol: str = option("", "Symbol to print when lookup fails (default raises error)")
    numeric: bool = option(False, "Print numeric labels?")
    osymbols: str = option("", "Output label symbol table")
    save_isymbols: str = option("", "Save input symbol table to file")
    save_osymbols: str = option("", "Save output symbol table to file")
    show_weight_one: bool = option(False, "Print/draw arc weights and final weights equal to semiring One?")
    ssymbols: str = option("", "State label symbol table")


def fstprint(options: Options, binary: str = "", text: str = "") -> None:
    fst = read_fst_file(binary)
    tables = labels_of(fst, options.isymbols, options.osymbols, options.numeric, options.allow_negative_labels)
    states = read_symbols(options.ssymbols, options.allow_negative_labels) if options.ssymbols else None
    save_symbols(fst, options.save_isymbols, options.save_osymbols)
    is_acceptor = options.acceptor and bool((fst.arcs["ilabel"] == fst.arcs["olabel"]).all())
    lines = print_text(fst, *tables, states, is_acceptor, options.show_weight_one, options.missing_symbol)
    with open_output(text) as stream:
        stream.write(lines)


main = openfst_command(fstprint, usage=USAGE)

if __name__ == "__main__":
    main()
