"""nnet-pytorch-finish-store: makes a memory-mapped store of what several jobs wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.frame_store import FrameStore
from kaldi_bridge.features.frame_store_building import finish_store as finish
from kaldi_bridge.io.text import is_number

USAGE = """Make a memory-mapped store of what the jobs of nnet-pytorch-store-frames wrote, and check it.
Usage: nnet-pytorch-finish-store <store-dir> <number of jobs>
e.g.: nnet-pytorch-finish-store exp/memmap/train 4"""


@dataclass
class Options:
    """This program has no options of its own."""


def finish_store(options: Options, directory: str, num_jobs: str) -> int:
    if not is_number(num_jobs) or int(num_jobs) < 1:
        raise KaldiError(f"expected a number of jobs, got {num_jobs!r}")
    done, bad = finish(Path(directory), int(num_jobs))
    store = FrameStore(directory)
    frames = sum(store.lengths.values())
    log.info(f"{directory}: {done} utterances, {frames} frames of dimension {store.dim}, errors on {bad}")
    return 0


main = command(finish_store, usage=USAGE)

if __name__ == "__main__":
    main()
