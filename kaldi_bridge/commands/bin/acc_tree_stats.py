"""nnet-pytorch-acc-tree-stats: twin of acc-tree-stats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.features.front_end import FrontEndOptions, processed
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.integer_sets import read_phone_map, split_integers
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.holders import INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.tree_building.statistics import Accumulator

USAGE = """Accumulate statistics for phonetic-context tree building.
Usage: nnet-pytorch-acc-tree-stats [options] <model-in> <features-rspecifier> <alignments-rspecifier> <tree-accs-out>
e.g.: nnet-pytorch-acc-tree-stats 1.mdl scp:train.scp ark:1.ali 1.tacc"""


@dataclass
class Options(FrontEndOptions, OutputOptions):
    """Options of acc-tree-stats."""

    var_floor: float = option(0.01, "Variance floor for tree clustering.")
    ci_phones: str = option("", "Colon-separated list of context-independent phones (after --phone-map)")
    context_width: int = option(3, "Context window size.")
    central_position: int = option(1, "Central context-window position (zero-based)")
    phone_map: str = option("", "File of lines <old-phone> <new-phone>")


def acc_tree_stats(options: Options, model_in: str, feats: str, alignments: str, accs_out: str) -> int:
    model = read_transition_model(model_in)
    accumulator = Accumulator(
        model,
        options.context_width,
        options.central_position,
        split_integers(options.ci_phones, "--ci-phones"),
        options.var_floor,
        read_phone_map(options.phone_map) if options.phone_map else None,
    )
    loop, without_alignment = TableLoop(alignments), 0
    with RandomAccessReader(alignments, INT32_VECTOR) as aligned:
        for utterance, matrix in processed(options, feats):
            if utterance not in aligned:
                without_alignment += 1
                continue
            with loop.entry(utterance):
                accumulator.add(utterance, aligned[utterance], matrix)
    log.info(
        f"Accumulated stats for {loop.done} files, {without_alignment} failed due to no alignment, "
        f"{loop.failed} failed for other reasons."
    )
    if not loop.done:
        return 1
    statistics = accumulator.result()
    with open_output(accs_out) as stream:
        write_header(stream, options.binary)
        statistics.write(stream, options.binary)
    log.info(f"Number of separate stats (context-dependent states) is {len(statistics)}")
    return 0


main = command(acc_tree_stats, usage=USAGE)

if __name__ == "__main__":
    main()
