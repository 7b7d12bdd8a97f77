"""nnet-pytorch-fstdeterminize: OpenFst's fstdeterminize."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.command_line import arc_type, openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.log_determinization import determinized
from kaldi_bridge.fsts.openfst import OpenFst

USAGE = """Determinizes an FST.

  Usage: nnet-pytorch-fstdeterminize [in.fst [out.fst]]"""


@dataclass
class Options:
    """Flags of fstdeterminize."""

    delta: float = option(1.0 / 1024.0, "Comparison/quantization delta", type="double")
    det_type: str = option("functional", 'Type of determinization: "functional", "nonfunctional", "disambiguate"')
    increment_subsequential_label: bool = option(
        False, "Increment subsequential_label to obtain distinct labels for subsequential arcs at a given state"
    )
    nstate: int = option(-1, "State number threshold")
    subsequential_label: int = option(
        0, "Input label of arc corresponding to residual final output when producing a subsequential transducer"
    )
    weight: str = option("", "Weight threshold")


def fstdeterminize(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    if options.det_type not in ("functional", "nonfunctional", "disambiguate"):
        raise KaldiError(f"Unknown or unsupported determinization type: {options.det_type}")
    fst = read_fst_file(fst_in)
    if arc_type(fst) == "log":
        if options.weight or options.nstate >= 0:
            raise KaldiError("Prune: Weight needs to have the path property: log")
        if options.det_type == "disambiguate" and (fst.arcs["ilabel"] != fst.arcs["olabel"]).any():
            raise KaldiError("DeterminizeFst: Weight needs to have the path property to disambiguate output: log")
        made = determinized(
            fst,
            options.delta,
            options.det_type == "functional",
            options.subsequential_label,
            options.increment_subsequential_label,
        )
        write_fst_file(fst_out, made)
        return
    transducer = OpenFst.of(fst).determinized(
        options.det_type,
        options.nstate,
        options.weight,
        options.delta,
        options.subsequential_label,
        options.increment_subsequential_label,
    )
    write_fst_file(fst_out, transducer.fst())


main = openfst_command(fstdeterminize, usage=USAGE)

if __name__ == "__main__":
    main()
