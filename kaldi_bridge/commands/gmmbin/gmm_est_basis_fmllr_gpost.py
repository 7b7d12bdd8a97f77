"""nnet-pytorch-gmm-est-basis-fmllr-gpost: twin of gmm-est-basis-fmllr-gpost."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.speaker_transforms import OfGaussians, write_basis_fmllr
from kaldi_bridge.tables.utterances import FeaturesBySpeaker
from kaldi_bridge.transforms.basis_fmllr import Basis, BasisFmllrOptions

USAGE = """Estimate fMLLR transforms from a basis, for each utterance, or for each speaker with --spk2utt.
Reads posteriors of Gaussians.
Usage: nnet-pytorch-gmm-est-basis-fmllr-gpost [options] <model-in> <basis-rxfilename> <feature-rspecifier>
 <gpost-rspecifier> <transform-wspecifier>
e.g.: nnet-pytorch-gmm-est-basis-fmllr-gpost --spk2utt=ark:spk2utt 1.mdl 1.basis scp:test.scp ark:1.gpost ark:trans.1"""


@dataclass
class Options(BasisFmllrOptions):
    """Options of gmm-est-basis-fmllr-gpost."""

    spk2utt: str = option("", "Rspecifier of the map from speaker to utterances")
    write_weights: str = option("", "Wspecifier for the weights of the basis matrices")


def gmm_est_basis_fmllr_gpost(
    options: Options, model_in: str, basis_in: str, feats: str, posteriors_in: str, transforms_out: str
) -> int:
    model, basis = AcousticModel.read(model_in), Basis.read(basis_in)
    outputs = transforms_out, options.write_weights
    with OfGaussians(model, posteriors_in) as posteriors, FeaturesBySpeaker(feats, options.spk2utt) as speakers:
        return write_basis_fmllr(options, model, basis, speakers, posteriors, *outputs)


main = command(gmm_est_basis_fmllr_gpost, usage=USAGE)

if __name__ == "__main__":
    main()
