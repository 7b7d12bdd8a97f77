"""nnet-pytorch-fstdraw: OpenFst's fstdraw."""

from __future__ import annotations

from dataclasses import dataclass, fields

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file
from kaldi_bridge.fsts.drawing import Layout, drawing
from kaldi_bridge.fsts.symbols import labels_of, read_symbols
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode

USAGE = """Prints out binary FSTs in dot text format.

  Usage: nnet-pytorch-fstdraw [binary.fst [text.dot]]"""


@dataclass
class Options:
    """Flags of fstdraw."""

    acceptor: bool = option(False, "Input in acceptor format")
    allow_negative_labels: bool = option(False, "Allow negative labels (not recommended; may cause conflicts)")
    float_format: str = option("g", 'Floating-point format: one of "e", "f", or "g"')
    fontsize: int = option(14, "Set fontsize")
    height: float = option(11.0, "Set height", type="double")
    isymbols: str = option("", "Input label symbol table")
    nodesep: float = option(0.25, "Set minimum separation between nodes (see dot documentation)", type="double")
    numeric: bool = option(False, "Print numeric labels")
    osymbols: str = option("", "Output label symbol table")
    portrait: bool = option(False, "Portrait mode (def: landscape)")
    precision: int = option(5, "Set precision (number of char/float)")
    ranksep: float = option(0.4, "Set minimum separation between ranks (see dot documentation)", type="double")
    show_weight_one: bool = option(False, "Print/draw arc weights and final weights equal to Weight::One()")
    ssymbols: str = option("", "State label symbol table")
    title: str = option("", "Set figure title")
    vertical: bool = option(False, "Draw bottom-to-top instead of left-to-right")
    width: float = option(8.5, "Set width", type="double")


def fstdraw(options: Options, binary: str = "", text: str = "") -> None:
    fst = read_fst_file(binary)
    if options.float_format not in ("e", "f", "g"):
        raise KaldiError(f"Unknown or unsupported float format: {options.float_format}")
    tables = labels_of(fst, options.isymbols, options.osymbols, options.numeric, options.allow_negative_labels)
    states = read_symbols(options.ssymbols, options.allow_negative_labels) if options.ssymbols else None
    layout = Layout(**{field.name: getattr(options, field.name) for field in fields(Layout)})
    drawn = drawing(fst, *tables, states, options.acceptor, layout)
    with open_output(text) as stream:
        stream.write(encode(drawn))


main = openfst_command(fstdraw, usage=USAGE)

if __name__ == "__main__":
    main()
