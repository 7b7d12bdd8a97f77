"""nnet-pytorch-select-voiced-frames: twin of select-voiced-frames."""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Keep the frames of features that compute-vad, or a program like it, found to be voiced.
Usage: nnet-pytorch-select-voiced-frames <feats-rspecifier> <vad-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-select-voiced-frames scp:feats.scp scp:vad.scp ark:-"""


def select_voiced_frames(feats_rspecifier: str, vad_rspecifier: str, feats_wspecifier: str) -> int:
    loop = TableLoop()
    with (
        SequentialReader(feats_rspecifier, FLOAT_MATRIX) as reader,
        RandomAccessReader(vad_rspecifier, FLOAT_VECTOR) as vad,
        TableWriter(feats_wspecifier, FLOAT_MATRIX) as writer,
    ):
        for utterance, feats in reader:
            with loop.entry(utterance):
                if not len(feats):
                    raise EntryError(f"Empty feature matrix for utterance {utterance}")
                if utterance not in vad:
                    raise EntryError(f"No VAD input found for utterance {utterance}")
                writer.write(utterance, feats[_voiced(utterance, vad[utterance], len(feats))])
    log.info(f"Done selecting voiced frames; processed {loop.done} utterances, {loop.failed} had errors.")
    return loop.status


def _voiced(utterance: str, decisions: np.ndarray, frames: int) -> np.ndarray:
    if len(decisions) != frames:
        raise EntryError(
            f"Mismatch in number for frames {frames} for features and VAD {len(decisions)}, for utterance {utterance}"
        )
    voiced: np.ndarray = decisions != 0
    if not voiced.any():
        raise EntryError(f"No features were judged as voiced for utterance {utterance}")
    if (decisions[voiced] != 1).any():
        raise KaldiError("voice activity must be 0 or 1 for each frame")
    return voiced


main = command(select_voiced_frames, usage=USAGE)

if __name__ == "__main__":
    main()
