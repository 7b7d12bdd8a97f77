"""nnet-pytorch-compute-kaldi-pitch-feats: twin of compute-kaldi-pitch-feats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.features.pitch import PitchExtractor, PitchOptions
from kaldi_bridge.features.pitch_extraction import extract_pitch

USAGE = """Compute the pitch of recordings: normalized cross-correlation and Hz of each frame.
Usage: nnet-pytorch-compute-kaldi-pitch-feats [options] <wav-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-compute-kaldi-pitch-feats --sample-frequency=8000 scp:wav.scp ark:- | \\
    nnet-pytorch-process-kaldi-pitch-feats ark:- ark:feats.ark"""


@dataclass
class Options(PitchOptions):
    """Options of this program."""


def compute_kaldi_pitch_feats(options: Options, wav_rspecifier: str, feats_wspecifier: str) -> int:
    return extract_pitch(options.sample_frequency, PitchExtractor(options), wav_rspecifier, feats_wspecifier)


main = command(compute_kaldi_pitch_feats, usage=USAGE)

if __name__ == "__main__":
    main()
