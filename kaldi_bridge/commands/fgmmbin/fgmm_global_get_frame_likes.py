"""nnet-pytorch-fgmm-global-get-frame-likes: twin of fgmm-global-get-frame-likes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.gmm.frame_choices import FrameChoices
from kaldi_bridge.gmm.full_model import read_full_mixture
from kaldi_bridge.gmm.full_statistics import full_posteriors
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, FLOAT_MATRIX, FLOAT_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Log-likelihoods of frames by one mixture of Gaussians with full covariances.
Usage: nnet-pytorch-fgmm-global-get-frame-likes [options] <model-in> <feature-rspecifier> <likes-wspecifier>
e.g.: nnet-pytorch-fgmm-global-get-frame-likes 1.ubm scp:train.scp ark:1.likes"""


@dataclass
class Options:
    """Options of fgmm-global-get-frame-likes."""

    gselect: str = option("", "Rspecifier of which Gaussians each frame may belong to (gmm-gselect)")
    average: bool = option(False, "Write one number for each utterance, the average over its frames")


def fgmm_global_get_frame_likes(options: Options, model_in: str, feature_rspecifier: str, likes_wspecifier: str) -> int:
    mixture = read_full_mixture(model_in)
    loop, total, frames = TableLoop(), 0.0, 0
    holder: Any = FLOAT if options.average else FLOAT_VECTOR
    with (
        SequentialReader(feature_rspecifier, FLOAT_MATRIX) as reader,
        FrameChoices(options.gselect, "", mixture.num_gaussians) as choices,
        TableWriter(likes_wspecifier, holder) as writer,
    ):
        for key, feats in reader:
            with loop.entry(key):
                if not len(feats):
                    raise EntryError(f"Empty features for utterance {key}")
                selection, _ = choices.of(key, len(feats))
                _, likelihoods = full_posteriors(mixture, feats, selection)
                own = float(likelihoods.sum(dtype=np.float64))
                writer.write(key, own / len(feats) if options.average else likelihoods)
                total, frames = total + own, frames + len(feats)
    log.info(f"Done {loop.done} files; {loop.failed} with errors.")
    average = total / frames if frames else float("nan")
    log.info(f"Overall likelihood per frame = {average:g} over {frames} frames.")
    return loop.status


main = command(fgmm_global_get_frame_likes, usage=USAGE)

if __name__ == "__main__":
    main()
