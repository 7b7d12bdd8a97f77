"""nnet-pytorch-gmm-est-fmllr-raw-gpost: twin of gmm-est-fmllr-raw-gpost."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.speaker_transforms import OfGaussians, write_raw_fmllr
from kaldi_bridge.tables.utterances import FeaturesBySpeaker
from kaldi_bridge.transforms.linear import read_transform
from kaldi_bridge.transforms.raw_fmllr import FullTransform, RawFmllrOptions

USAGE = """Estimate fMLLR transforms of features before they are spliced and transformed by LDA+MLLT, for a model of
what comes after, for each utterance, or for each speaker with --spk2utt. Reads spliced features, the full transform
with its rejected rows (see get-full-lda-mat), and posteriors of Gaussians.
Usage: nnet-pytorch-gmm-est-fmllr-raw-gpost [options] <model-in> <full-lda-mat-in> <feature-rspecifier>
 <gpost-rspecifier> <transform-wspecifier>
e.g.: nnet-pytorch-gmm-est-fmllr-raw-gpost --spk2utt=ark:spk2utt 1.mdl full.mat
 'ark:nnet-pytorch-splice-feats scp:1.scp ark:- |' ark:1.gpost ark:raw_trans.1"""


@dataclass
class Options(RawFmllrOptions):
    """Options of gmm-est-fmllr-raw-gpost."""

    spk2utt: str = option("", "Rspecifier of the map from speaker to utterances")
    raw_feat_dim: int = option(13, "Dimension of raw features prior to splicing")


def gmm_est_fmllr_raw_gpost(
    options: Options, model_in: str, full_lda_mat_in: str, feats: str, posteriors_in: str, transforms_out: str
) -> int:
    model = AcousticModel.read(model_in)
    with within(full_lda_mat_in):
        full = FullTransform(read_transform(full_lda_mat_in), options.raw_feat_dim, model.mixtures.dim)
    with OfGaussians(model, posteriors_in) as posteriors, FeaturesBySpeaker(feats, options.spk2utt) as speakers:
        return write_raw_fmllr(options, model, full, speakers, posteriors, transforms_out)


main = command(gmm_est_fmllr_raw_gpost, usage=USAGE)

if __name__ == "__main__":
    main()
