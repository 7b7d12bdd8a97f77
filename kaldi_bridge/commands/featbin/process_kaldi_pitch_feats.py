"""nnet-pytorch-process-kaldi-pitch-feats: twin of process-kaldi-pitch-feats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.features.pitch_processing import PitchProcessingOptions, ProcessedPitch, WholePitch
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX

USAGE = """Make features for speech recognition of correlations and pitch.
By default: how surely a frame is voiced, its log pitch less the mean around it, and the slope of log pitch.
Usage: nnet-pytorch-process-kaldi-pitch-feats [options] <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-compute-kaldi-pitch-feats scp:wav.scp ark:- | \\
    nnet-pytorch-process-kaldi-pitch-feats ark:- ark:feats.ark"""


@dataclass
class Options(PitchProcessingOptions):
    """Options of process-kaldi-pitch-feats."""

    srand: int = option(0, "Seed of the noise that is added to slopes")


def process_kaldi_pitch_feats(options: Options, feats_rspecifier: str, feats_wspecifier: str) -> int:
    options.check()
    random, done = CRandom(options.srand), 0
    with (
        SequentialReader(feats_rspecifier, FLOAT_MATRIX) as reader,
        TableWriter(feats_wspecifier, FLOAT_MATRIX) as writer,
    ):
        for utterance, feats in reader:
            with within(f"utterance {utterance}"):
                processed = ProcessedPitch(options, WholePitch(feats), random)
                writer.write(utterance, processed.frames(0, processed.num_ready))
            done += 1
    log.info(f"Post-processed pitch for {done} utterances.")
    return 0 if done else 1


main = command(process_kaldi_pitch_feats, usage=USAGE)

if __name__ == "__main__":
    main()
