"""nnet-pytorch-fstsymbols: OpenFst's fstsymbols."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option, without_effect
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.labels import read_relabelling, relabelled
from kaldi_bridge.fsts.symbols import read_symbols, save_symbols, symbols_for_inside, with_symbols

USAGE = """Performs operations (set, clear, relabel) on the symbol tables attached to an FST.

  Usage: nnet-pytorch-fstsymbols [in.fst [out.fst]]"""


@dataclass
class Options:
    """Flags of fstsymbols."""

    allow_negative_labels: bool = option(False, "Allow negative labels (not recommended; may cause conflicts)")
    clear_isymbols: bool = option(False, "Clear input symbol table")
    clear_osymbols: bool = option(False, "Clear output symbol table")
    isymbols: str = option("", "Input label symbol table")
    osymbols: str = option("", "Output label symbol table")
    relabel_ipairs: str = option("", "Input relabel pairs (numeric)")
    relabel_opairs: str = option("", "Output relabel pairs (numeric)")
    save_isymbols: str = option("", "Save fst file's input symbol table to file")
    save_osymbols: str = option("", "Save fst file's output symbol table to file")
    verify: bool = without_effect(False, "an FST is always verified as it is read")


def fstsymbols(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    fst = read_fst_file(fst_in)
    save_symbols(fst, options.save_isymbols, options.save_osymbols)

    def wanted(name: str, clear: bool) -> bytes | None:
        if not name:
            return b"" if clear else None
        return symbols_for_inside(read_symbols(name, options.allow_negative_labels).entries(), name)

    fst = with_symbols(
        fst, wanted(options.isymbols, options.clear_isymbols), wanted(options.osymbols, options.clear_osymbols)
    )
    ipairs, opairs = (
        read_relabelling(name) if name else {} for name in (options.relabel_ipairs, options.relabel_opairs)
    )
    write_fst_file(fst_out, relabelled(fst, ipairs, opairs))


main = openfst_command(fstsymbols, usage=USAGE)

if __name__ == "__main__":
    main()
