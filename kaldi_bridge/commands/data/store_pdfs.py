"""nnet-pytorch-store-pdfs: one job's part of a memory-mapped store of alignments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.frame_store_building import StoreJob
from kaldi_bridge.hmm.transition_model import TransitionModel, read_transition_model
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR

USAGE = """Write alignments as pdfs into a memory-mapped store, of which this is one job's part;
nnet-pytorch-finish-store then makes the parts of all jobs a store.
Usage: nnet-pytorch-store-pdfs [options] <model> <alignments-rspecifier> <store-dir>
e.g.: nnet-pytorch-store-pdfs --job=1 final.mdl "ark:gunzip -c ali.1.gz|" exp/pdfs"""


@dataclass
class Options:
    """Options of this program."""

    job: int = option(1, "The number of this job, from 1")
    part_megabytes: int = option(256, "Size of the files that the store consists of")


def store_pdfs(options: Options, model_in: str, rspecifier: str, directory: str) -> int:
    if options.job < 1 or options.part_megabytes < 1:
        raise KaldiError("--job and --part-megabytes must be positive")
    model = read_transition_model(model_in)
    dtype = "int16" if model.num_pdfs < 1 << 15 else "int32"
    # What a pipe will say is not known before: begin anew each time.
    (Path(directory) / f"job.{options.job}.json").unlink(missing_ok=True)
    job = StoreJob(Path(directory), options.job, rspecifier, dtype, options.part_megabytes << 20)
    progress = job.build(_entries(model, rspecifier))
    log.info(f"Stored the pdfs of {progress.done - progress.bad} utterances, errors on {progress.bad}")
    return 0 if progress.done > progress.bad else 1


def _entries(model: TransitionModel, rspecifier: str) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    with SequentialReader(rspecifier, INT32_VECTOR) as alignments:
        for utterance, ids in alignments:
            yield utterance, partial(_pdfs, model, ids)


def _pdfs(model: TransitionModel, ids: np.ndarray) -> np.ndarray:
    """[frames, 1]."""
    return model.id_to_pdf[model.checked(ids)][:, None]


main = command(store_pdfs, usage=USAGE)

if __name__ == "__main__":
    main()
