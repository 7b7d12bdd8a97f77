"""nnet-pytorch-make-speaker-vectors: what steps_pytorch/make_speaker_vectors.sh runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.io.text_files import read_rows, write_text
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Write vectors that tell a network who speaks, in the place and form of online i-vectors.
Usage: nnet-pytorch-make-speaker-vectors [options] <data-dir> <ivector-dir>
e.g.: nnet-pytorch-make-speaker-vectors --vectors=scp:exp/xvectors_train/spk_xvector.scp data/train exp/spk_train
      nnet-pytorch-make-speaker-vectors --one-hot=data/train/spk2utt data/test exp/spk_test
      nnet-pytorch-make-speaker-vectors --module=embed.pt --period=50 data/train exp/emb_train
Leaves ivector_online.scp and ivector_period: give <ivector-dir> to train.sh --ivector-dir and decode.sh
--online-ivector-dir."""


@dataclass
class Options:
    """One of the first three."""

    vectors: str = option("", "Rspecifier of vectors by utterance or by speaker, x-vectors say")
    one_hot: str = option("", "File whose lines begin with the speakers that are known; others get zeros")
    module: str = option("", "TorchScript module from features [1, frames, dim] to [1, embedding dim]")
    period: int = option(100, "Frames from one vector to the next; a module gets what was heard until then")


def make_speaker_vectors(options: Options, data_dir: str, folder: str) -> int:
    from steps_pytorch.data.feature_sources import TableFeatures
    from steps_pytorch.data.speaker_vectors import Embeddings, GivenVectors, OneHot, SpeakerVectors, ends_of

    if sum(map(bool, (options.vectors, options.one_hot, options.module))) != 1:
        raise KaldiError("give one of --vectors, --one-hot and --module")
    if options.period < 1:
        raise KaldiError(f"--period={options.period} must be positive")
    utt2spk = DataDir.read(data_dir, ("utt2spk", "feats.scp")).table("utt2spk")
    features = TableFeatures(data_dir)
    source: SpeakerVectors
    if options.module:
        from nnet3_compat.export.torch_model_file import scripted_module

        source = Embeddings(scripted_module(options.module), features)
    elif options.vectors:
        source = GivenVectors(options.vectors, utt2spk)
    else:
        source = OneHot(list(read_rows(options.one_hot)), utt2spk)
    Path(folder).mkdir(parents=True, exist_ok=True)
    loop = TableLoop(data_dir)
    dim = 0
    table = f"{folder}/ivector_online"
    with TableWriter(f"ark,scp:{table}.ark,{table}.scp", FLOAT_MATRIX) as writer:
        for utterance, frames in features.lengths.items():
            with loop.entry(utterance, f"No vector for utterance {utterance}"):
                rows = source.rows(utterance, ends_of(frames, options.period))
                dim = dim or rows.shape[1]
                if rows.shape[1] != dim:
                    raise KaldiError(f"a vector of dimension {rows.shape[1]}, but {dim} for those before")
                if not np.isfinite(rows).all():
                    raise EntryError("its vector has infinities or NaNs")
                writer.write(utterance, rows)
    write_text(Path(folder) / "ivector_period", f"{options.period}\n")
    log.info(f"Wrote vectors of {loop.done} utterances, failed for {loop.failed}")
    return loop.status


main = command(make_speaker_vectors, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
