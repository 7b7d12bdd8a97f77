"""nnet-pytorch-store-frames: one job's part of a memory-mapped store of features."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.frame_store_building import StoreJob, description, feature_entries

USAGE = """Write features into a memory-mapped store, of which this is one job's part; nnet-pytorch-finish-store then
makes the parts of all jobs a store. A job that was interrupted goes on where it was, when it is started again.
Usage: nnet-pytorch-store-frames [options] <feats-rspecifier> <store-dir>
e.g.: nnet-pytorch-store-frames --job=1 --dtype=float16 scp:data/train/split4utt/1/feats.scp exp/memmap/train"""


@dataclass
class Options:
    """Options of this program."""

    job: int = option(1, "The number of this job, from 1")
    dtype: str = option("float32", "How numbers are stored: float32, or float16, half as large")
    part_megabytes: int = option(256, "Size of the files that the store consists of; about as much memory is needed")


def store_frames(options: Options, feats_rspecifier: str, directory: str) -> int:
    if options.dtype not in ("float32", "float16"):
        raise KaldiError(f"--dtype={options.dtype} must be float32 or float16")
    if options.job < 1 or options.part_megabytes < 1:
        raise KaldiError("--job and --part-megabytes must be positive")
    source = description(feats_rspecifier)
    job = StoreJob(Path(directory), options.job, source, options.dtype, options.part_megabytes << 20)
    progress = job.build(feature_entries(feats_rspecifier))
    log.info(f"Stored {progress.done - progress.bad} utterances, errors on {progress.bad}")
    return 0 if progress.done > progress.bad else 1


main = command(store_frames, usage=USAGE)

if __name__ == "__main__":
    main()
