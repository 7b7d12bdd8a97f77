"""nnet-pytorch-fstrelabel: OpenFst's fstrelabel."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.labels import read_relabelling, relabelled
from kaldi_bridge.fsts.symbols import labels_of, read_symbols, relabelling, symbols_for_inside, with_symbols
from kaldi_bridge.io.text import encode

USAGE = """Relabels the input and/or the output labels of the FST.

  Usage: nnet-pytorch-fstrelabel [in.fst [out.fst]]"""


@dataclass
class Options:
    """Flags of fstrelabel."""

    allow_negative_labels: bool = option(False, "Allow negative labels (not recommended; may cause conflicts)")
    isymbols: str = option("", "Input label symbol table")
    osymbols: str = option("", "Output label symbol table")
    relabel_ipairs: str = option("", "Input relabel pairs (numeric)")
    relabel_isymbols: str = option("", "Input symbol set to relabel to")
    relabel_opairs: str = option("", "Output relabel pairs (numeric)")
    relabel_osymbols: str = option("", "Output symbol set to relabel to")
    unknown_isymbol: str = option("", "Input symbol to use to relabel OOVs (default: OOVs are errors)")
    unknown_osymbol: str = option("", "Output symbol to use to relabel OOVs (default: OOVs are errors)")


def fstrelabel(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    fst = read_fst_file(fst_in)
    negative = options.allow_negative_labels
    names = options.relabel_isymbols, options.relabel_osymbols
    if any(names):
        old = labels_of(fst, options.isymbols, options.osymbols, False, negative)
        pairs, inside = [], []
        for table, name, unknown in zip(old, names, (options.unknown_isymbol, options.unknown_osymbol), strict=True):
            new = read_symbols(name, negative) if name else None
            pairs.append(relabelling(table, new, encode(unknown)) if new else {})
            inside.append(symbols_for_inside(new.entries(), name) if new else None)
        fst = with_symbols(fst, *inside)
    else:
        pairs = [read_relabelling(name) if name else {} for name in (options.relabel_ipairs, options.relabel_opairs)]
    write_fst_file(fst_out, relabelled(fst, *pairs))


main = openfst_command(fstrelabel, usage=USAGE)

if __name__ == "__main__":
    main()
