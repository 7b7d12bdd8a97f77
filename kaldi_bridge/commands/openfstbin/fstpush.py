"""nnet-pytorch-fstpush: OpenFst's fstpush."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.fsts.command_line import arc_type, openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.distances import weights_pushed
from kaldi_bridge.fsts.label_pushing import labels_pushed

USAGE = """Pushes weights in an FST.

  Usage: nnet-pytorch-fstpush [in.fst [out.fst]]"""


@dataclass
class Options:
    """Flags of fstpush."""

    delta: float = option(1.0 / 1024.0, "Comparison/quantization delta", type="double")
    push_labels: bool = option(False, "Push output labels")
    push_weights: bool = option(False, "Push weights")
    remove_common_affix: bool = option(False, "Remove common prefix/suffix when pushing labels")
    remove_total_weight: bool = option(False, "Remove total weight when pushing weights")
    to_final: bool = option(False, "Push/reweight to final (vs. to initial) states")


def fstpush(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    fst = read_fst_file(fst_in)
    in_log = arc_type(fst) == "log"
    if options.push_labels:
        total, affix = options.remove_total_weight, options.remove_common_affix
        fst = labels_pushed(fst, options.to_final, options.push_weights, total, affix, in_log, options.delta)
    elif options.push_weights:
        fst = weights_pushed(fst, options.to_final, options.remove_total_weight, in_log, options.delta)
    else:
        log.warning("Push: pushing type is set to 0, so not pushing")
    write_fst_file(fst_out, fst)


main = openfst_command(fstpush, usage=USAGE)

if __name__ == "__main__":
    main()
