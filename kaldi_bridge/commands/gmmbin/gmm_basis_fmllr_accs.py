"""nnet-pytorch-gmm-basis-fmllr-accs: twin of gmm-basis-fmllr-accs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.speaker_transforms import OfTransitionIds, write_gradient_scatter
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables.utterances import FeaturesBySpeaker

USAGE = """Accumulate statistics for a basis of fMLLR transforms, from each utterance, or each speaker (--spk2utt).
Reads posteriors of transition-ids.
Usage: nnet-pytorch-gmm-basis-fmllr-accs [options] <model-in> <feature-rspecifier> <post-rspecifier>
 <accs-wxfilename>
e.g.: nnet-pytorch-gmm-basis-fmllr-accs --spk2utt=ark:spk2utt 1.mdl scp:train.scp ark:1.post 1.acc"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-basis-fmllr-accs."""

    spk2utt: str = option("", "Rspecifier of the map from speaker to utterances")


def gmm_basis_fmllr_accs(options: Options, model_in: str, feats: str, posteriors_in: str, accs_out: str) -> int:
    model = AcousticModel.read(model_in)
    with OfTransitionIds(model, posteriors_in) as posteriors, FeaturesBySpeaker(feats, options.spk2utt) as speakers:
        return write_gradient_scatter(model, speakers, posteriors, accs_out, options.binary)


main = command(gmm_basis_fmllr_accs, usage=USAGE)

if __name__ == "__main__":
    main()
