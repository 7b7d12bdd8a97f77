"""nnet-pytorch-lattice-align-phones: twin of lattice-align-phones."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.lattices.lattice import sorted_if_needed
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.phone_alignment import PhoneAligner
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Make the arcs of lattices correspond to phones. The labels stay words, unless --replace-output-symbols=true.
Usage: nnet-pytorch-lattice-align-phones [options] <model> <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-align-phones final.mdl ark:1.lats ark:phone_aligned.lats"""


@dataclass
class Options:
    """Options of lattice-align-phones."""

    output_error_lats: bool = option(True, "Output lattices that aligned with errors (e.g. due to force-out)")
    reorder: bool = option(True, "True if lattice was created from HCLG with --reorder=true option.")
    remove_epsilon: bool = option(
        True,
        "If true, removes epsilons from the phone lattice; if replace-output-symbols==false, this will mean that an "
        "arc can have multiple phones on it.",
    )
    replace_output_symbols: bool = option(False, "If true, the output symbols (words) will be replaced with phones.")


def lattice_align_phones(options: Options, model_in: str, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    aligner = PhoneAligner(
        read_transition_model(model_in), options.reorder, options.replace_output_symbols, options.remove_epsilon
    )
    done = errors = 0
    with (
        SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            with within(f"{lattice_rspecifier}: lattice {key}"):
                aligned = aligner.align(lattice)
            empty = aligned.lattice.start < 0
            if empty:
                log.warning(f"Lattice was empty for key {key}")
            elif not aligned.whole:
                log.warning(f"Lattice for {key} did not align correctly")
            if empty or not aligned.whole:
                errors += 1
            else:
                done += 1
            if not empty and (options.output_error_lats or aligned.whole):
                writer.write(key, sorted_if_needed(aligned.lattice))
    log.info(f"Successfully aligned {done} lattices; {errors} had errors.")
    return 0 if done > errors else 1


main = command(lattice_align_phones, usage=USAGE)

if __name__ == "__main__":
    main()
