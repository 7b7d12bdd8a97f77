"""nnet-pytorch-gmm-est-gaussians-ebw: twin of gmm-est-gaussians-ebw."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.ebw import EbwOptions, update_gaussians
from kaldi_bridge.gmm.statistics import only_flags_of, sum_files

USAGE = """Update means and variances by extended Baum-Welch (EBW), for MMI, MPE or MCE training.
Numerator statistics should be smoothed already (gmm-ismooth-stats).
Usage: nnet-pytorch-gmm-est-gaussians-ebw [options] <model-in> <stats-num-in> <stats-den-in> <model-out>
e.g.: nnet-pytorch-gmm-est-gaussians-ebw 1.mdl num.acc den.acc 2.mdl"""


@dataclass
class Options(EbwOptions):
    """Options of gmm-est-gaussians-ebw."""

    binary: bool = option(False, "Write output in binary mode")
    update_flags: str = option("mv", "Which GMM parameters to update: e.g. m or mv (w, t ignored).")


def gmm_est_gaussians_ebw(options: Options, model_in: str, num_in: str, den_in: str, model_out: str) -> None:
    model = AcousticModel.read(model_in)
    numerator, denominator = sum_files([num_in]), sum_files([den_in])
    flags = only_flags_of(options.update_flags)
    result = update_gaussians(model.mixtures, numerator, denominator, options, flags)
    log.info(f"Num count {numerator.occupancy.sum():g}, den count {denominator.occupancy.sum():g}")
    per_frame = result.gain / result.count if result.count else float("nan")
    log.info(
        f"Overall auxf impr/frame from Gaussian update is {per_frame:g} over {result.count:g} frames; floored D for "
        f"{result.floored} Gaussians."
    )
    AcousticModel(model.transitions, result.mixtures).write(model_out, options.binary)
    log.info(f"Written model to {model_out}")


main = command(gmm_est_gaussians_ebw, usage=USAGE)

if __name__ == "__main__":
    main()
