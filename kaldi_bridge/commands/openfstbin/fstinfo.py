"""nnet-pytorch-fstinfo: OpenFst's fstinfo."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kaldi_bridge.command import option, write_stdout
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file
from kaldi_bridge.fsts.fst_bodies import LOOKAHEAD
from kaldi_bridge.fsts.fst_header import FstHeader
from kaldi_bridge.fsts.openfst import OpenFst

USAGE = """Prints out information about an FST.

  Usage: nnet-pytorch-fstinfo [in.fst]"""


@dataclass
class Options:
    """Flags of fstinfo."""

    arc_filter: str = option(
        "any",
        'Arc filter: one of "any", "epsilon", "iepsilon", "oepsilon"; for the counts of states and components only',
    )
    fst_verify: bool = option(True, "Verify FST sanity")
    info_type: str = option("auto", 'Info format: one of "auto", "long", "short"')
    test_properties: bool = option(True, "Compute property values (if unknown to FST)")


def fstinfo(options: Options, fst_in: str = "") -> None:
    fst = read_fst_file(fst_in)
    flags = options.arc_filter, options.info_type, options.test_properties, options.fst_verify
    write_stdout(as_of_file(OpenFst.of_any(fst).information(*flags), fst.header))


def as_of_file(lines: str, header: FstHeader | None) -> str:
    """With what OpenFst said of its own form of the FST corrected."""
    kind = header.fst_type if header else "vector"
    true = {"fst type": kind, "arc type": header.arc_type if header else "standard"}
    if kind != "vector":
        true["mutable"] = "n"
    if kind in LOOKAHEAD:
        true[f"{'input' if kind.startswith('i') else 'output'} lookahead"] = "y"
    for name, value in true.items():
        lines = re.sub(f"^({name} +).*$", rf"\g<1>{value}", lines, flags=re.MULTILINE)
    return lines


main = openfst_command(fstinfo, usage=USAGE)

if __name__ == "__main__":
    main()
