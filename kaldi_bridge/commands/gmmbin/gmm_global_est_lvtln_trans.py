"""nnet-pytorch-gmm-global-est-lvtln-trans: twin of gmm-global-est-lvtln-trans."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.gmm.mixture_files import read_mixture
from kaldi_bridge.gmm.speaker_transforms import LvtlnOptions, OfMixture, write_lvtln
from kaldi_bridge.tables.utterances import FeaturesBySpeaker
from kaldi_bridge.transforms.lvtln import LinearVtln

USAGE = """Choose linear-VTLN transforms by one mixture of Gaussians (a UBM), for each utterance, or for each speaker
with --spk2utt. Reads posteriors of the Gaussians.
Usage: nnet-pytorch-gmm-global-est-lvtln-trans [options] <gmm-in> <lvtln-in> <feature-rspecifier> <post-rspecifier>
 <lvtln-trans-wspecifier> [<warp-wspecifier>]
e.g.: nnet-pytorch-gmm-global-est-lvtln-trans 0.ubm 0.lvtln scp:train.scp ark:1.post ark:1.trans ark:1.warp"""


def gmm_global_est_lvtln_trans(
    options: LvtlnOptions,
    gmm_in: str,
    lvtln_in: str,
    feats: str,
    posteriors_in: str,
    transforms_out: str,
    warps_out: str = "",
) -> int:
    options.check()
    mixture, lvtln = read_mixture(gmm_in), LinearVtln.read(lvtln_in)
    with OfMixture(mixture, posteriors_in) as posteriors, FeaturesBySpeaker(feats, options.spk2utt) as speakers:
        return write_lvtln(options, mixture, lvtln, speakers, posteriors, transforms_out, warps_out)


main = command(gmm_global_est_lvtln_trans, usage=USAGE)

if __name__ == "__main__":
    main()
