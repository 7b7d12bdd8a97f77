"""nnet-pytorch-compute-and-process-kaldi-pitch-feats: twin of compute-and-process-kaldi-pitch-feats."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command
from kaldi_bridge.features.pitch import PitchExtractor
from kaldi_bridge.features.pitch_extraction import extract_pitch
from kaldi_bridge.features.pitch_processing import PitchFeatureOptions, ProcessedPitch

USAGE = """Compute the pitch of recordings, as features for speech recognition.
Usage: nnet-pytorch-compute-and-process-kaldi-pitch-feats [options] <wav-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-compute-and-process-kaldi-pitch-feats --simulate-first-pass-online=true \\
    --frames-per-chunk=10 --sample-frequency=8000 scp:wav.scp ark:feats.ark"""


def compute_and_process_kaldi_pitch_feats(
    options: PitchFeatureOptions, wav_rspecifier: str, feats_wspecifier: str
) -> int:
    extractor, random = PitchExtractor(options), CRandom(1)

    def features_of(waveform: np.ndarray) -> np.ndarray:
        return extractor.heard(waveform, lambda stream: ProcessedPitch(options, stream, random))

    return extract_pitch(options.sample_frequency, features_of, wav_rspecifier, feats_wspecifier)


main = command(compute_and_process_kaldi_pitch_feats, usage=USAGE)

if __name__ == "__main__":
    main()
