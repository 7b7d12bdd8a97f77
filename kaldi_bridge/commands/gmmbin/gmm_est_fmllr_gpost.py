"""nnet-pytorch-gmm-est-fmllr-gpost: twin of gmm-est-fmllr-gpost."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.speaker_transforms import OfGaussians, write_fmllr
from kaldi_bridge.tables.utterances import FeaturesBySpeaker
from kaldi_bridge.transforms.fmllr import FmllrOptions

USAGE = """Estimate fMLLR transforms, for each utterance, or for each speaker with --spk2utt.
Reads posteriors of Gaussians.
Usage: nnet-pytorch-gmm-est-fmllr-gpost [options] <model-in> <feature-rspecifier> <gpost-rspecifier>
 <transform-wspecifier>
e.g.: nnet-pytorch-gmm-est-fmllr-gpost --spk2utt=ark:spk2utt 1.mdl scp:train.scp ark:1.gpost ark:trans.1"""


@dataclass
class Options(FmllrOptions):
    """Options of gmm-est-fmllr-gpost."""

    spk2utt: str = option("", "Rspecifier of the map from speaker to utterances")


def gmm_est_fmllr_gpost(options: Options, model_in: str, feats: str, posteriors_in: str, transforms_out: str) -> int:
    options.check()
    model = AcousticModel.read(model_in)
    with OfGaussians(model, posteriors_in) as posteriors, FeaturesBySpeaker(feats, options.spk2utt) as speakers:
        return write_fmllr(options, model, speakers, posteriors, transforms_out)


main = command(gmm_est_fmllr_gpost, usage=USAGE)

if __name__ == "__main__":
    main()
