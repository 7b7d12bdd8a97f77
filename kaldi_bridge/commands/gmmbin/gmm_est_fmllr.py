"""nnet-pytorch-gmm-est-fmllr: twin of gmm-est-fmllr."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.front_end import FrontEnd, FrontEndOptions
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.posterior_input import LatticePosteriorOptions
from kaldi_bridge.gmm.speaker_transforms import OfTransitionIds, write_fmllr
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.utterances import FeaturesBySpeaker
from kaldi_bridge.transforms.fmllr import FmllrOptions

USAGE = """Estimate fMLLR transforms, for each utterance, or for each speaker with --spk2utt.
Reads posteriors of transition-ids.
Usage: nnet-pytorch-gmm-est-fmllr [options] <model-in> <feature-rspecifier> <post-rspecifier>
 <transform-wspecifier>
e.g.: nnet-pytorch-gmm-est-fmllr --spk2utt=ark:spk2utt 1.mdl scp:train.scp ark:1.post ark:trans.1"""


@dataclass
class Options(FmllrOptions, LatticePosteriorOptions, FrontEndOptions):
    """Options of gmm-est-fmllr."""

    spk2utt: str = option("", "Rspecifier of the map from speaker to utterances")
    alignment_model: str = option(
        "", "Share frames among Gaussians by this model, as gmm-post-to-gpost and gmm-est-fmllr-gpost do"
    )
    compose: bool = option(False, "Write transforms that do --speaker-transforms first, as compose-transforms does")


def gmm_est_fmllr(options: Options, model_in: str, feats: str, posteriors_in: str, transforms_out: str) -> int:
    options.check()
    if options.compose and not (options.speaker_transforms and options.spk2utt):
        raise KaldiError("--compose needs --speaker-transforms and --spk2utt")
    model = AcousticModel.read(model_in)
    sharing = AcousticModel.read(options.alignment_model) if options.alignment_model else None
    with ExitStack() as stack:
        posteriors = stack.enter_context(OfTransitionIds(model, posteriors_in, options, sharing))
        front_end = stack.enter_context(FrontEnd(options))
        speakers = stack.enter_context(FeaturesBySpeaker(feats, options.spk2utt, front_end))
        current = None
        if options.compose:
            current = stack.enter_context(RandomAccessReader(options.speaker_transforms, FLOAT_MATRIX))
        return write_fmllr(options, model, speakers, posteriors, transforms_out, current)


main = command(gmm_est_fmllr, usage=USAGE)

if __name__ == "__main__":
    main()
