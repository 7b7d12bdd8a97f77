"""nnet-pytorch-lattice-compose: twin of lattice-compose."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.fsts.fst import FST, read_fst
from kaldi_bridge.io.specifiers import parse_rspecifier
from kaldi_bridge.lattices.composition import Composer, arc_sorted, is_sorted, with_finals_behind
from kaldi_bridge.lattices.lattice import Lattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE, LatticeHolder
from kaldi_bridge.lattices.standard_fst import graph_lattice
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter

USAGE = """Compose lattices with lattices, with one FST or with an FST for each, whose costs are graph costs.
Usage: nnet-pytorch-lattice-compose [options] <lattice-rspecifier1> \\
    <lattice-rspecifier2|fst-rxfilename2|fst-rspecifier2> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-compose ark:1.lats G.fst ark:composed.lats"""


@dataclass
class Options:
    """Options of lattice-compose."""

    write_compact: bool = option(True, "If true, write in normal (compact) form.")
    phi_label: int = option(-1, "If >0, the label on backoff arcs of the LM")
    rho_label: int = option(
        -1, "If >0, the label of arcs of the second that go with all labels which no other arc of the same state has"
    )
    num_states_cache: int = without_effect(50000, "the FST is mapped to a lattice as a whole")
    compose_with_fst: str = option(
        "auto", "Whether the second table is of FSTs, true or false; auto: a table is of lattices, a file is an FST"
    )

    def __post_init__(self) -> None:
        self.compose_with_fst = self.compose_with_fst.lower()
        if self.compose_with_fst not in ("auto", "true", "false"):
            raise KaldiError(f"Unknown 'compose_with_fst' value: {self.compose_with_fst}, values are (auto|true|false)")
        for name, label in (("phi", self.phi_label), ("rho", self.rho_label)):
            if label < -1 or label == 0:
                raise KaldiError(f"--{name}-label must be positive, or -1, not {label}")
        if self.phi_label > 0 and self.rho_label > 0:
            raise KaldiError("You cannot set both 'phi_label' and 'rho_label' at the same time.")


def _composer(options: Options, second: Lattice, first_is_sorted: bool) -> Composer:
    """With the arcs of the second lattice sorted where that is needed."""
    phi, rho = options.phi_label, options.rho_label
    if not (first_is_sorted and phi < 0 and rho < 0) and not is_sorted(second, "ilabel"):
        second = arc_sorted(second, "ilabel")
    return Composer(with_finals_behind(second, phi) if phi > 0 else second, phi, rho)


def lattice_compose(options: Options, lattice_rspecifier1: str, second: str, lattice_wspecifier: str) -> int:
    is_table = parse_rspecifier(second) is not None
    of_fsts = options.compose_with_fst == "true" or (options.compose_with_fst == "auto" and not is_table)
    if not is_table and not of_fsts:
        raise KaldiError(f"{second}: a single lattice as the second argument is not possible, only a table of lattices")
    holder: LatticeHolder[Any] = COMPACT_LATTICE if options.write_compact else LATTICE
    done = failed = 0
    with ExitStack() as stack:
        if is_table:
            table: Any = stack.enter_context(RandomAccessReader(second, FST if of_fsts else LATTICE))
        else:
            with within(second):
                composer = _composer(options, graph_lattice(read_fst(second)), False)
        lattices = stack.enter_context(SequentialReader(lattice_rspecifier1, LATTICE))
        writer = stack.enter_context(TableWriter(lattice_wspecifier, holder))
        for key, lattice in lattices:
            log.vlog(1, f"Processing lattice for key {key}")
            if is_table and key not in table:
                log.warning(f"Not producing output for utterance {key} because not present in second table.")
                failed += 1
                continue
            with within(f"lattice of {key}"):
                if of_fsts:
                    lattice = arc_sorted(lattice, "olabel")
                if is_table:
                    other = graph_lattice(table[key]) if of_fsts else table[key]
                    composer = _composer(options, other, not of_fsts and is_sorted(lattice, "olabel"))
                composed = composer.compose(lattice)
            if composed.num_states == 0:
                log.warning(f"Empty lattice for utterance {key} (incompatible LM?)")
                failed += 1
                continue
            writer.write(key, composed)
            done += 1
    log.info(f"Done {done} lattices; failed for {failed}")
    return 0 if done else 1


main = command(lattice_compose, usage=USAGE)

if __name__ == "__main__":
    main()
