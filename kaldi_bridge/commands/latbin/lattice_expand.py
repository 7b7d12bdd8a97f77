"""nnet-pytorch-lattice-expand: twin of lattice-expand."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.expansion import expanded
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.scale_options import InverseScaleOptions
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Expand lattices, so that what follows a probable arc is not shared with other paths; paths stay the same.
Usage: nnet-pytorch-lattice-expand [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-expand --acoustic-scale=0.1 --epsilon=0.5 ark:1.lats ark:expanded.lats"""


@dataclass
class Options(InverseScaleOptions):
    """Options of lattice-expand."""

    epsilon: float = option(0.1, "Arcs of a higher posterior get a next state of their own: smaller expands more")


def lattice_expand(options: Options, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    acoustic = options.acoustic()
    if acoustic == 0.0:
        raise KaldiError("Do not use a zero acoustic scale (cannot be inverted)")
    if not 0 < options.epsilon <= 1:
        raise KaldiError(f"--epsilon={options.epsilon:g} must be above 0 and not above 1")
    done = errors = larger = 0
    sizes = dict.fromkeys(("states in", "states out", "arcs in", "arcs out"), 0)
    with (
        SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            sizes["states in"] += lattice.num_states
            sizes["arcs in"] += lattice.num_arcs
            with within(f"{lattice_rspecifier}: lattice {key}"):
                made = expanded(scale(lattice, acoustic=acoustic), options.epsilon)
            if made.start < 0:
                log.warning(f"Empty lattice for utterance {key}")
                errors += 1
                continue
            sizes["states out"] += made.num_states
            sizes["arcs out"] += made.num_arcs
            larger += made.num_states != lattice.num_states
            writer.write(key, scale(made, acoustic=1.0 / acoustic))
            done += 1
    mean = {name: total / max(done, 1) for name, total in sizes.items()}
    log.info(
        f"Overall, expanded from on average {mean['states in']:g} to {mean['states out']:g} states, and from "
        f"{mean['arcs in']:g} to {mean['arcs out']:g} arcs, over {done} utterances."
    )
    log.info(f"Overall, {100 * larger / done if done else float('nan'):g}% percentage of lattices get expanded.")
    log.info(f"Processed {done} lattices with {errors} failures.")
    return 0 if done else 1


main = command(lattice_expand, usage=USAGE)

if __name__ == "__main__":
    main()
