"""nnet-pytorch-lattice-lmrescore-pruned: twin of lattice-lmrescore-pruned."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.lang.const_arpa import read_const_arpa
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.rescoring import PrunedOptions, PrunedRescorer
from kaldi_bridge.lattices.rescoring_program import RescoreOptions
from kaldi_bridge.lattices.scale_options import AcousticScaleOptions
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Take one language model's costs away from lattices and add another's, for the paths that are then the best.
Usage: nnet-pytorch-lattice-lmrescore-pruned [options] <lm-to-subtract> <lm-to-add> \\
    <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-lmrescore-pruned --acoustic-scale=0.1 \\
    data/lang/G.fst data/lang_fg/G.fst ark:in.lats ark:out.lats
or:   nnet-pytorch-lattice-lmrescore-pruned --acoustic-scale=0.1 --add-const-arpa=true \\
    data/lang/G.fst data/lang_fg/G.carpa ark:in.lats ark:out.lats
Models that are FSTs are projected on their output, so that disambiguation symbols need not be removed."""


@dataclass
class Options(PrunedOptions, RescoreOptions, AcousticScaleOptions):
    """Options of lattice-lmrescore-pruned."""

    add_const_arpa: bool = option(False, "If true, <lm-to-add> is in ConstArpaLm form, if false an FST")

    def __post_init__(self) -> None:
        RescoreOptions.__post_init__(self)
        AcousticScaleOptions.__post_init__(self)
        if self.growth_ratio <= 1.0:
            raise KaldiError(f"--growth-ratio must be greater than 1, not {self.growth_ratio:g}")
        if self.acoustic_scale == 0.0:
            raise KaldiError("Acoustic scale cannot be zero.")


def lattice_lmrescore_pruned(
    options: Options, lm_to_subtract: str, lm_to_add: str, lattice_rspecifier: str, lattice_wspecifier: str
) -> int:
    log.info("Reading LMs...")
    new = read_const_arpa(lm_to_add) if options.add_const_arpa else read_fst(lm_to_add)
    rescorer = PrunedRescorer(read_fst(lm_to_subtract), new, options.lm_scale, options)
    log.info("Done.")
    done = failed = 0
    with (
        SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            with within(f"lattice of {key}"):
                result = rescorer.rescored(scale(lattice, options.acoustic_scale))
            if result.num_states == 0:
                log.warning(
                    f"For utterance {key}: "
                    + ("composed lattice has no states." if lattice.num_states else "the lattice is empty.")
                )
                failed += 1
                continue
            log.vlog(
                2,
                f"Input lattice had {lattice.num_arcs}/{lattice.num_states} arcs/states; output lattice has "
                f"{result.num_arcs}/{result.num_states}",
            )
            writer.write(key, scale(result, 1.0 / options.acoustic_scale))
            done += 1
    log.info(f"Overall, succeeded for {done} lattices, failed for {failed}")
    return 0 if done else 1


main = command(lattice_lmrescore_pruned, usage=USAGE)

if __name__ == "__main__":
    main()
