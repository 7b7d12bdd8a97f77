"""nnet-pytorch-fstdeterminizestar: twin of fstdeterminizestar."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import FST, Fst, read_fst, write_fst
from kaldi_bridge.fsts.fstext import DELTA, star_determinized
from kaldi_bridge.io.specifiers import parse_rspecifier
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Removes epsilons and determinizes in one step
Usage: nnet-pytorch-fstdeterminizestar [options] [<fst-in> [<fst-out>]]
or:    nnet-pytorch-fstdeterminizestar [options] <fst-rspecifier> <fst-wspecifier>
e.g.: nnet-pytorch-fstdeterminizestar --use-log=true < in.fst > out.fst"""


@dataclass
class Options:
    """Options of fstdeterminizestar."""

    use_log: bool = option(False, "Determinize in log semiring.")
    delta: float = option(DELTA, "Delta value used to determine equivalence of weights.")
    max_states: int = option(-1, "Maximum number of states in determinized FST before it will abort.")


def fstdeterminizestar(options: Options, fst_in: str = "", fst_out: str = "") -> None:
    def determinized(fst: Fst) -> Fst:
        return star_determinized(fst, options.use_log, options.max_states, options.delta)

    if parse_rspecifier(fst_in) is None:
        write_fst(fst_out, determinized(read_fst(fst_in)))
        return
    with SequentialReader(fst_in, FST) as reader, TableWriter(fst_out, FST) as writer:
        for key, fst in reader:
            try:
                result = determinized(fst)
            except KaldiError as error:
                log.warning(f"Error during determinization for key {key}: {error}")
            else:
                writer.write(key, result)


main = command(fstdeterminizestar, usage=USAGE)

if __name__ == "__main__":
    main()
