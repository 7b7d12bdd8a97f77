"""nnet-pytorch-gmm-est: twin of gmm-est."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.estimation import EstimationOptions, MixUpOptions, estimate, remixed
from kaldi_bridge.gmm.occupancy import write_occupancy
from kaldi_bridge.gmm.statistics import sum_files
from kaldi_bridge.options import OutputOptions

USAGE = """Do maximum likelihood re-estimation of a GMM-based acoustic model.
Usage: nnet-pytorch-gmm-est [options] <model-in> <stats-in> <model-out>
or:    nnet-pytorch-gmm-est [options] <model-in> <stats-in1> <stats-in2> ... <model-out>
e.g.: nnet-pytorch-gmm-est 1.mdl 1.acc 2.mdl"""


@dataclass
class Options(EstimationOptions, MixUpOptions, OutputOptions):
    """Options of gmm-est."""

    update_flags: str = option("mvwt", "Which GMM parameters to update: subset of mvwt.")
    write_occs: str = option("", "File to write pdf occupation counts to.")
    transition_floor: float = option(0.01, "Floor for transition probabilities")
    transition_min_count: float = option(5.0, "Minimum count required to update transitions from a state")
    share_for_pdfs: bool = option(False, "If true, share all transition parameters where the states have the same pdf.")


def gmm_est(options: Options, model_in: str, first: str, *others: str) -> int:
    *files, model_out = first, *others
    if not files:
        log.error("Wrong number of arguments: expected a model, statistics and a model to write")
        return 1
    model, statistics = AcousticModel.read(model_in), sum_files(files)
    if len(files) > 1:
        statistics.round_as_written()  # as where gmm-sum-accs has written the sum
    if "t" in options.update_flags:
        scales = options.transition_floor, options.transition_min_count, options.share_for_pdfs
        gain, count = model.transitions.mle_update(statistics.transitions, *scales)
        log.info(
            f"Transition model update: Overall {gain / count if count else float('nan'):g} log-like improvement per "
            f"frame over {count:g} frames."
        )
    updated = estimate(model.mixtures, statistics, options, options.update_flags)
    average = statistics.log_likelihood / statistics.frames if statistics.frames else float("nan")
    log.info(f"GMM update: Overall avg like per frame = {average:g} over {statistics.frames:g} frames.")
    occupancy = statistics.pdf_occupancy.astype(np.float32)
    updated = remixed(updated, occupancy, options)
    if options.write_occs:
        write_occupancy(options.write_occs, occupancy, binary=False)
    model.mixtures = updated
    model.write(model_out, options.binary)
    log.info(f"Written model to {model_out}")
    return 0


main = command(gmm_est, usage=USAGE)

if __name__ == "__main__":
    main()
