"""nnet-pytorch-latgen-faster-mapped-parallel: twin of latgen-faster-mapped-parallel."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.lattices.generation import LatticeOptions
from kaldi_bridge.lattices.mapped_latgen import latgen_mapped
from kaldi_bridge.tables.threads import ThreadOptions

USAGE = """Generate lattices from log-likelihoods, one matrix per utterance with a column for each pdf,
searching with several threads.
Usage: nnet-pytorch-latgen-faster-mapped-parallel [options] <transition-model-in> <fst-in|fsts-rspecifier> \\
    <log-likelihoods-rspecifier> <lattice-wspecifier> [<words-wspecifier> [<alignments-wspecifier>]]"""


@dataclass
class Options(ThreadOptions, LatticeOptions):
    """Options of latgen-faster-mapped-parallel."""


def latgen_faster_mapped_parallel(
    options: Options,
    model_in: str,
    fst_in: str,
    log_likelihoods_rspecifier: str,
    lattice_wspecifier: str,
    words_wspecifier: str | None = None,
    alignments_wspecifier: str | None = None,
) -> int:
    tables = (log_likelihoods_rspecifier, lattice_wspecifier, words_wspecifier, alignments_wspecifier)
    return latgen_mapped(options, options.num_threads, model_in, fst_in, *tables)


main = command(latgen_faster_mapped_parallel, usage=USAGE)

if __name__ == "__main__":
    main()
