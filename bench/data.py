"""How fast chunks are made on the fly, and how long training waits for them.

    python bench/data.py [--utterances=120] [--workers=1] [--threads=1]

Made-up data of the sizes of LibriSpeech: utterances of 12 s, 40 columns, 3000 pdfs, supervisions in which each phone
may begin and end 6 frames earlier or later, a normalization FST of 3000 arcs. Chunks of 150 frames with 29 frames of
context on each side, 64 in a minibatch. First table: chunks per second of processor time of one process, and the time
of one chunk. Second table: a loop of training steps, with so many workers beside it; what it waits for data, as a share
of all its time, over epochs that are as short as egs/fsdd's (15 minibatches, unless there are more --utterances). A
step: a TDNN-F of the size of reference/fsdd's with LF-MMI, computed here; or, simulated, sleep for the time that a GPU
might take: it says what workers can keep up with, not how fast a network is.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from chain import made_graph

from kaldi_bridge.examples.supervision import SUPERVISION, Supervision
from kaldi_bridge.features.frame_store_building import StoreJob, finish_store
from kaldi_bridge.features.options import FbankOptions
from kaldi_bridge.fsts.fst import Fst, write_fst
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.wave import Wave, write_wave
from kaldi_bridge.tables import TableWriter
from steps_pytorch.data.audio_features import AudioFeatures
from steps_pytorch.data.batch import Batch
from steps_pytorch.data.dataset import ChunkShape, DataSet
from steps_pytorch.data.feature_sources import StoredFeatures
from steps_pytorch.data.loader import ChunkLoader
from steps_pytorch.data.perturbation.noise import RecordedNoise
from steps_pytorch.data.perturbation.reverberation import Reverberation
from steps_pytorch.data.perturbation.sounds import Sounds
from steps_pytorch.data.targets import PdfTargets, SupervisionTargets
from steps_pytorch.models.registry import build_model
from steps_pytorch.objectives.lfmmi import Lfmmi
from steps_pytorch.registry import Dimensions

FRAMES, DIM, PDFS, RATE = 1200, 40, 3000, 16000
FACTOR, TOLERANCE, PHONE = 3, 2, 3  # output frames
SHAPE = ChunkShape(29, 29, FACTOR)
SLEPT = (0.5, 0.1, 0.05)  # seconds for a minibatch of 64 chunks

TDNNF = """input dim=40 name=input
relu-batchnorm-layer name=tdnn1 dim=192 input=Append(-1,0,1)
tdnnf-layer name=tdnnf2 bypass-scale=0.66 dim=192 bottleneck-dim=48 time-stride=1
tdnnf-layer name=tdnnf3 bypass-scale=0.66 dim=192 bottleneck-dim=48 time-stride=1
tdnnf-layer name=tdnnf5 bypass-scale=0.66 dim=192 bottleneck-dim=48 time-stride=3
tdnnf-layer name=tdnnf6 bypass-scale=0.66 dim=192 bottleneck-dim=48 time-stride=3
tdnnf-layer name=tdnnf7 bypass-scale=0.66 dim=192 bottleneck-dim=48 time-stride=3
linear-component name=prefinal-l dim=96 orthonormal-constraint=-1.0
prefinal-layer name=prefinal-chain input=prefinal-l small-dim=96 big-dim=192
output-layer name=output include-log-softmax=false dim=3000
prefinal-layer name=prefinal-xent input=prefinal-l small-dim=96 big-dim=192
output-layer name=output-xent dim=3000 learning-rate-factor=5.0
"""


def made_supervision(random: np.random.Generator) -> Supervision:
    """Phones of one state each: pdf 2 p to enter phone p, 2 p + 1 to stay, at times that may be off by TOLERANCE."""
    length = FRAMES // FACTOR
    phones = random.integers(PDFS // 2, size=length // PHONE).tolist()
    arcs = []
    number = {(0, 0): 0}
    front = [(0, 0)]  # phones entered, time
    for time_ in range(length):
        following = {}
        for place in front:
            entered = place[0]
            ways = [(2 * phones[entered - 1] + 1, entered)] if entered else []
            if entered < len(phones):
                ways.append((2 * phones[entered], entered + 1))
            for pdf, target in ways:
                earliest, latest = (target - 1) * PHONE - TOLERANCE, target * PHONE + TOLERANCE
                if earliest <= time_ < latest or target == len(phones):
                    after = (target, time_ + 1)
                    following[after] = number.setdefault(after, len(number))
                    arcs.append((number[place], pdf + 1, pdf + 1, 0.0, number[after]))
        front = list(following)
    return Supervision(1.0, 1, length, PDFS, Fst.from_arcs(0, {number[(len(phones), length)]: 0.0}, arcs))


def made_normalization(random: np.random.Generator) -> Fst:
    """A unigram of phones: after entering one, it may be stayed in."""
    arcs, count = [], PDFS // 2
    for phone in range(count):
        cost = float(random.uniform(5, 9))
        arcs += [(0, 2 * phone + 1, 2 * phone + 1, cost, 0), (0, 2 * phone + 2, 2 * phone + 2, 0.5, 0)]
    return Fst.from_arcs(0, {0: 0.0}, arcs)


def make_data(folder: Path, utterances: int) -> None:
    random = np.random.default_rng(0)
    names = [f"utt{i:04d}" for i in range(utterances)]
    rows = random.normal(size=(FRAMES, DIM)).astype(np.float32)
    StoreJob(folder / "store", 1, "made up", "float32").build((name, lambda: rows) for name in names)
    finish_store(folder / "store", 1)
    samples = np.round(random.normal(size=(1, FRAMES * RATE // 100 + 240)) * 1000)
    (folder / "utt2spk").write_text("".join(f"{name} {name}\n" for name in names))
    for table, first in (("wav", names), ("noise", names[:3]), ("rir", names[:3])):
        lines = []
        for name in first:
            short = samples[:, : RATE // 2] if table == "rir" else samples
            path = folder / f"{table}.{name}.wav"
            with open_output(str(path)) as stream:
                write_wave(stream, Wave(RATE, short))
            lines.append(f"{name} {path}\n")
        (folder / f"{table}.scp").write_text("".join(lines))
    with TableWriter(f"ark,scp:{folder}/supervision.ark,{folder}/supervision.scp", SUPERVISION) as writer:
        for name in names:
            writer.write(name, made_supervision(random))
    write_fst(str(folder / "normalization.fst"), made_normalization(random))


def data_sets(folder: Path) -> dict[str, DataSet]:
    """What is measured, by name."""
    store = StoredFeatures(str(folder / "store"))
    pdfs = PdfTargets({name: np.zeros(FRAMES // FACTOR, np.int16) for name in store.lengths}, PDFS, FACTOR)
    supervision = SupervisionTargets(str(folder / "supervision.scp"), str(folder / "normalization.fst"))
    options = FbankOptions(sample_frequency=RATE, num_mel_bins=DIM)
    perturbations = [
        Reverberation(Sounds(folder / "rir.scp", RATE, RATE // 2)),
        RecordedNoise(Sounds(folder / "noise.scp", RATE)),
    ]
    kinds = {
        "store, pdfs": (store, pdfs, ()),
        "store, supervisions": (store, supervision, ()),
        "recordings": (AudioFeatures(folder, options), None, ()),
        "recordings, reverberation and noise": (AudioFeatures(folder, options, perturbations), None, ()),
        "the same, and speeds": (AudioFeatures(folder, options, perturbations), None, (0.9, 1.0, 1.1)),
    }
    return {
        name: DataSet(name, features, targets, speeds=speeds, frame_subsampling_factor=FACTOR)
        for name, (features, targets, speeds) in kinds.items()
    }


def loader(dataset: DataSet, workers: int, shape: ChunkShape = SHAPE) -> ChunkLoader:
    return ChunkLoader([dataset], shape, chunk_width="150", minibatch_size="64", num_workers=workers)


def waiting(chunks: ChunkLoader, step: Callable[[Batch], None], seconds: float) -> tuple[float, float]:
    """The share of the time that a loop of steps waits for data, and the mean time of a step; after a first minibatch,
    for which nothing can be ready."""
    endless = itertools.chain.from_iterable(iter(chunks) for _ in itertools.count())
    step(next(endless))
    waited = stepped = 0.0
    steps = 0
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        at = time.perf_counter()
        batch = next(endless)
        ready = time.perf_counter()
        step(batch)
        waited += ready - at
        stepped += time.perf_counter() - ready
        steps += 1
    return waited / (waited + stepped), stepped / steps


def tdnnf_step(folder: Path) -> tuple[Callable[[Batch], None], ChunkShape]:
    """Forward and backward with LF-MMI and its cross-entropy, and an update; and what it wants to see."""
    (folder / "xconfig").write_text(TDNNF)
    model = build_model("nnet3", [f"--network={folder}/xconfig"], Dimensions(DIM, PDFS, 0, FACTOR, xent=True))
    objective = Lfmmi(made_graph(num_pdfs=PDFS, num_states=4000, num_arcs=20000))
    optimizer = torch.optim.SGD(model.parameters(), 1e-5)

    def step(batch: Batch) -> None:
        optimizer.zero_grad()
        objective(model, batch).loss.backward()
        optimizer.step()

    return step, ChunkShape(model.left_context, model.right_context, FACTOR)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=120)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each row of the second table")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_data(folder, arguments.utterances)
        sets = data_sets(folder)
        print(f"{'chunks of 150 frames, one process':<40} {'chunks/s':>9} {'ms':>7}")
        rates = {}
        for kind, dataset in sets.items():
            chunks = loader(dataset, 0)
            len(chunks)  # plans the epoch
            begin = time.process_time()
            count = sum(len(batch.chunks) for batch in chunks)
            rates[kind] = count / (time.process_time() - begin)
            print(f"{kind:<40} {rates[kind]:>9.0f} {1000 / rates[kind]:>7.2f}")
        print()
        print(f"{f'training with {arguments.workers} workers beside it':<40} {'s/step':>9} {'waiting':>8}")
        computed, shape = tdnnf_step(folder)
        rows = [("TDNN-F, LF-MMI, computed", computed, shape)]
        rows += [(f"simulated: {s:g} s of sleep", lambda batch, s=s: time.sleep(s), SHAPE) for s in SLEPT]
        for label, step, wanted in rows:
            chunks = loader(sets["store, supervisions"], arguments.workers, wanted)
            share, seconds = waiting(chunks, step, arguments.seconds)
            print(f"{label:<40} {seconds:>9.3f} {share:>8.1%}")
        needed = {seconds: 64 / seconds / rates["store, supervisions"] for seconds in SLEPT}
        print("workers that keep up: " + ", ".join(f"{n:.1f} for {s:g} s a step" for s, n in needed.items()))


if __name__ == "__main__":
    main()
