"""nnet-pytorch-gmm-est-lvtln-trans: twin of gmm-est-lvtln-trans."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.speaker_transforms import OfGaussians, write_lvtln
from kaldi_bridge.tables.utterances import FeaturesBySpeaker
from kaldi_bridge.transforms.lvtln import NORM_TYPES, LinearVtln

USAGE = """Choose linear-VTLN transforms, for each utterance, or for each speaker with --spk2utt.
Usage: nnet-pytorch-gmm-est-lvtln-trans [options] <model-in> <lvtln-in> <feature-rspecifier> <gpost-rspecifier>
 <lvtln-trans-wspecifier> [<warp-wspecifier>]
e.g.: nnet-pytorch-gmm-est-lvtln-trans --spk2utt=ark:spk2utt 1.mdl 1.lvtln scp:train.scp ark:1.gpost ark:trans.1"""


@dataclass
class Options:
    """Options of gmm-est-lvtln-trans."""

    norm_type: str = option("offset", 'Type of fMLLR applied ("offset"|"none"|"diag")')
    spk2utt: str = option("", "Rspecifier of the map from speaker to utterances")
    logdet_scale: float = option(1.0, "Scale on log-determinant term in auxiliary function")


def gmm_est_lvtln_trans(
    options: Options,
    model_in: str,
    lvtln_in: str,
    feats: str,
    posteriors_in: str,
    transforms_out: str,
    warps_out: str | None = None,
) -> int:
    if options.norm_type not in NORM_TYPES:
        raise KaldiError(f"--norm-type={options.norm_type} should be one of {', '.join(NORM_TYPES)}")
    model, lvtln = AcousticModel.read(model_in), LinearVtln.read(lvtln_in)
    how, outputs = (options.norm_type, options.logdet_scale), (transforms_out, warps_out or "")
    with OfGaussians(model, posteriors_in) as posteriors, FeaturesBySpeaker(feats, options.spk2utt) as speakers:
        return write_lvtln(how, model, lvtln, speakers, posteriors, *outputs)


main = command(gmm_est_lvtln_trans, usage=USAGE)

if __name__ == "__main__":
    main()
