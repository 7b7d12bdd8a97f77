"""nnet-pytorch-gmm-est-lvtln-trans: twin of gmm-est-lvtln-trans."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.speaker_transforms import LvtlnOptions, OfGaussians, write_lvtln
from kaldi_bridge.tables.utterances import FeaturesBySpeaker
from kaldi_bridge.transforms.lvtln import LinearVtln

USAGE = """Choose linear-VTLN transforms, for each utterance, or for each speaker with --spk2utt.
Usage: nnet-pytorch-gmm-est-lvtln-trans [options] <model-in> <lvtln-in> <feature-rspecifier> <gpost-rspecifier>
 <lvtln-trans-wspecifier> [<warp-wspecifier>]
e.g.: nnet-pytorch-gmm-est-lvtln-trans --spk2utt=ark:spk2utt 1.mdl 1.lvtln scp:train.scp ark:1.gpost ark:trans.1"""


def gmm_est_lvtln_trans(
    options: LvtlnOptions,
    model_in: str,
    lvtln_in: str,
    feats: str,
    posteriors_in: str,
    transforms_out: str,
    warps_out: str = "",
) -> int:
    options.check()
    model, lvtln = AcousticModel.read(model_in), LinearVtln.read(lvtln_in)
    with OfGaussians(model, posteriors_in) as posteriors, FeaturesBySpeaker(feats, options.spk2utt) as speakers:
        return write_lvtln(options, model.mixtures, lvtln, speakers, posteriors, transforms_out, warps_out)


main = command(gmm_est_lvtln_trans, usage=USAGE)

if __name__ == "__main__":
    main()
