"""nnet-pytorch-fstinfo: OpenFst's fstinfo."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option, write_stdout
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file
from kaldi_bridge.fsts.openfst import OpenFst

USAGE = """Prints out information about an FST.

  Usage: fstinfo [in.fst]"""


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
    fst = OpenFst.of(read_fst_file(fst_in))
    flags = options.arc_filter, options.info_type, options.test_properties, options.fst_verify
    write_stdout(fst.information(*flags))


main = openfst_command(fstinfo, usage=USAGE)

if __name__ == "__main__":
    main()
