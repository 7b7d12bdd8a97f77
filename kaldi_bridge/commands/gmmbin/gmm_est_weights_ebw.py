"""nnet-pytorch-gmm-est-weights-ebw: twin of gmm-est-weights-ebw."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.ebw import EbwWeightOptions, update_weights
from kaldi_bridge.gmm.statistics import FLAGS, only_flags_of, sum_files

USAGE = """Update the weights of Gaussians, for MMI, MPE or MCE training.
Numerator statistics should not be smoothed.
Usage: nnet-pytorch-gmm-est-weights-ebw [options] <model-in> <stats-num-in> <stats-den-in> <model-out>
e.g.: nnet-pytorch-gmm-est-weights-ebw 1.mdl num.acc den.acc 2.mdl"""


@dataclass
class Options(EbwWeightOptions):
    """Options of gmm-est-weights-ebw."""

    binary: bool = option(False, "Write output in binary mode")
    update_flags: str = option("w", 'Which GMM parameters to update; only the "w" flag is looked at.')


def gmm_est_weights_ebw(options: Options, model_in: str, num_in: str, den_in: str, model_out: str) -> None:
    model = AcousticModel.read(model_in)
    numerator, denominator = sum_files([num_in]), sum_files([den_in])
    if not only_flags_of(options.update_flags) & FLAGS["w"]:
        log.info("Doing nothing because flags do not specify to update the weights.")
        model.write(model_out, options.binary)
        return
    result = update_weights(model.mixtures, numerator, denominator, options)
    log.info(f"Num count {numerator.frames:g}, den count {denominator.frames:g}")
    per_frame = result.gain / result.count if result.count else float("nan")
    log.info(f"Overall auxf impr/frame from weight update is {per_frame:g} over {result.count:g} frames.")
    AcousticModel(model.transitions, result.mixtures).write(model_out, options.binary)
    log.info(f"Written model to {model_out}")


main = command(gmm_est_weights_ebw, usage=USAGE)

if __name__ == "__main__":
    main()
