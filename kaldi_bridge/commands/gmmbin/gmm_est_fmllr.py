"""nnet-pytorch-gmm-est-fmllr: twin of gmm-est-fmllr."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.speaker_transforms import OfTransitionIds, write_fmllr
from kaldi_bridge.tables.utterances import FeaturesBySpeaker
from kaldi_bridge.transforms.fmllr import FmllrOptions

USAGE = """Estimate fMLLR transforms, for each utterance, or for each speaker with --spk2utt.
Reads posteriors of transition-ids.
Usage: nnet-pytorch-gmm-est-fmllr [options] <model-in> <feature-rspecifier> <post-rspecifier>
 <transform-wspecifier>
e.g.: nnet-pytorch-gmm-est-fmllr --spk2utt=ark:spk2utt 1.mdl scp:train.scp ark:1.post ark:trans.1"""


@dataclass
class Options(FmllrOptions):
    """Options of gmm-est-fmllr."""

    spk2utt: str = option("", "Rspecifier of the map from speaker to utterances")


def gmm_est_fmllr(options: Options, model_in: str, feats: str, posteriors_in: str, transforms_out: str) -> int:
    options.check()
    model = AcousticModel.read(model_in)
    with OfTransitionIds(model, posteriors_in) as posteriors, FeaturesBySpeaker(feats, options.spk2utt) as speakers:
        return write_fmllr(options, model, speakers, posteriors, transforms_out)


main = command(gmm_est_fmllr, usage=USAGE)

if __name__ == "__main__":
    main()
