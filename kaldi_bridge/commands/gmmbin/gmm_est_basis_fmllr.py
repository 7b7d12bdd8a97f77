"""nnet-pytorch-gmm-est-basis-fmllr: twin of gmm-est-basis-fmllr."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.speaker_transforms import OfTransitionIds, write_basis_fmllr
from kaldi_bridge.tables.utterances import FeaturesBySpeaker
from kaldi_bridge.transforms.basis_fmllr import Basis, BasisFmllrOptions

USAGE = """Estimate fMLLR transforms from a basis, for each utterance, or for each speaker with --spk2utt.
Reads posteriors of transition-ids.
Usage: nnet-pytorch-gmm-est-basis-fmllr [options] <model-in> <basis-rxfilename> <feature-rspecifier>
 <post-rspecifier> <transform-wspecifier>
e.g.: nnet-pytorch-gmm-est-basis-fmllr --spk2utt=ark:spk2utt 1.mdl 1.basis scp:test.scp ark:1.post ark:trans.1"""


@dataclass
class Options(BasisFmllrOptions):
    """Options of gmm-est-basis-fmllr."""

    spk2utt: str = option("", "Rspecifier of the map from speaker to utterances")
    write_weights: str = option("", "Wspecifier for the weights of the basis matrices")


def gmm_est_basis_fmllr(
    options: Options, model_in: str, basis_in: str, feats: str, posteriors_in: str, transforms_out: str
) -> int:
    model, basis = AcousticModel.read(model_in), Basis.read(basis_in)
    outputs = transforms_out, options.write_weights
    with OfTransitionIds(model, posteriors_in) as posteriors, FeaturesBySpeaker(feats, options.spk2utt) as speakers:
        return write_basis_fmllr(options, model, basis, speakers, posteriors, *outputs)


main = command(gmm_est_basis_fmllr, usage=USAGE)

if __name__ == "__main__":
    main()
