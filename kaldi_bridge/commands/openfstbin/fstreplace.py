"""nnet-pytorch-fstreplace: OpenFst's fstreplace."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.command_line import openfst_command, read_fst_file, write_fst_file
from kaldi_bridge.fsts.replacement import SIDES, CallLabels, replaced
from kaldi_bridge.io.text import is_number

USAGE = """Recursively replaces FST arcs with other FST(s).

  Usage: nnet-pytorch-fstreplace root.fst rootlabel [rule1.fst label1 ...] [out.fst]"""


@dataclass
class Options:
    """Flags of fstreplace."""

    call_arc_labeling: str = option(
        "input",
        'Which labels to make non-epsilon on the call arc: one of: "input" (default), "output", "both", "neither"',
    )
    epsilon_on_replace: bool = option(False, "Call/return arcs are epsilon arcs?")
    return_arc_labeling: str = option(
        "neither",
        'Which labels to make non-epsilon on the return arc: one of: "input", "output", "both", "neither" (default)',
    )
    return_label: int = option(0, "Label to put on return arc")


def fstreplace(options: Options, root: str, root_label: str, *rest: str) -> None:
    words = [root, root_label, *rest]
    fst_out = words.pop() if len(words) % 2 else ""
    for labeling in (options.call_arc_labeling, options.return_arc_labeling):
        if labeling not in SIDES:
            raise KaldiError(f"Unknown or unsupported replace label type: {labeling}")
    labels = CallLabels(options.call_arc_labeling, options.return_arc_labeling, options.return_label)
    if options.epsilon_on_replace:
        labels = CallLabels("neither", "neither")
    if words[::2].count("") > 1:
        raise KaldiError("Cannot read multiple FSTs from standard input")
    fsts = {}
    for name, label in zip(words[::2], words[1::2], strict=True):
        if not is_number(label):
            raise KaldiError(f"Bad label: {label}")
        fsts[int(label)] = read_fst_file(name)
    write_fst_file(fst_out, replaced(fsts, int(root_label), labels))


main = openfst_command(fstreplace, usage=USAGE)

if __name__ == "__main__":
    main()
