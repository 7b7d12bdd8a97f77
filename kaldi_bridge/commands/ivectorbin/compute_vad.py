"""nnet-pytorch-compute-vad: twin of compute-vad."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.features.voice_activity import VadEnergyOptions, voiced_frames
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR

USAGE = """Decide by their energy which frames are voiced: a vector of 1 (voiced) and 0 (not) for each utterance.
Usage: nnet-pytorch-compute-vad [options] <feats-rspecifier> <vad-wspecifier>
e.g.: nnet-pytorch-compute-vad --vad-energy-threshold=5.5 scp:feats.scp ark:vad.ark"""


@dataclass
class Options(VadEnergyOptions):
    """Options of compute-vad."""

    omit_unvoiced_utts: bool = option(False, "Do not write utterances of which no frame is voiced")


def compute_vad(options: Options, feats_rspecifier: str, vad_wspecifier: str) -> int:
    options.check()
    done = empty = unvoiced = frames = voiced_total = 0
    with (
        SequentialReader(feats_rspecifier, FLOAT_MATRIX) as reader,
        TableWriter(vad_wspecifier, FLOAT_VECTOR) as writer,
    ):
        for utterance, feats in reader:
            if not feats.size:
                log.warning(f"Empty feature matrix for utterance {utterance}")
                empty += 1
                continue
            with within(utterance):
                voiced = voiced_frames(feats, options)
            if voiced.any():
                done += 1
            else:
                log.warning(f"No frames were judged voiced for utterance {utterance}")
                unvoiced += 1
            voiced_total += int(voiced.sum())
            frames += len(voiced)
            if voiced.any() or not options.omit_unvoiced_utts:
                writer.write(utterance, voiced.astype(np.float32))
    log.info(
        f"Applied energy based voice activity detection; processed {done} utterances successfully; {empty} had empty "
        f"features, and {unvoiced} were completely unvoiced."
    )
    proportion = voiced_total / frames if frames else float("nan")
    log.info(f"Proportion of voiced frames was {proportion:g} over {frames:g} frames.")
    return 0 if done else 1


main = command(compute_vad, usage=USAGE)

if __name__ == "__main__":
    main()
