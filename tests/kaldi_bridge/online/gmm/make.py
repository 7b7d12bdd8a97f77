"""Makes the inputs here, and kaldi.json: what Kaldi's own online2-wav-gmm-latgen-faster, on the PATH, writes for them.

    PYTHONPATH=. python tests/kaldi_bridge/online/gmm/make.py

The model is trained on noises that stand for three phones; test_gmm_decoding.py makes the recordings again.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from kaldi_bridge.command import run
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.wave import Wave, write_wave
from kaldi_bridge.transforms.linear import write_transform
from tests.helpers.kaldis_outputs import make_cases
from tests.helpers.twins import twin

FOLDER = Path(__file__).parent
GRAPHS = FOLDER.parents[1] / "gmm/kaldis"
RATE = 8000
SPEAKERS = {"a": ("a-1", "a-2", "a-3"), "b": ("b-1", "b-2")}
CONFIGS = {
    "mfcc.conf": "--sample-frequency=8000\n--dither=0\n--num-ceps=3\n--num-mel-bins=10\n",
    "cmvn.conf": "--cmn-window=80\n--speaker-frames=60\n--global-frames=20\n",
    "delta.conf": "--delta-order=1\n",
    "splice.conf": "--left-context=1\n--right-context=2\n",
    "pitch.conf": "--sample-frequency=8000\n",
    "process.conf": "--delta-pitch-noise-stddev=0\n",
    "decode.conf": "--mfcc-config=mfcc.conf\n--cmvn-config=cmvn.conf\n--global-cmvn-stats=global.stats\n"
    "--model=model.mdl\n"
    "--fmllr-basis=basis\n--silence-phones=1\n--acoustic-scale=0.2\n--basis.fmllr-min-count=20\n"
    "--adaptation-first-utt-delay=0.3\n--adaptation-delay=0.4\n",
}
DELTAS = ["--add-deltas=true", "--delta-config=delta.conf"]
TABLES = ["HCLG.fst", "ark:spk2utt", "scp:wav.scp", "ark,t:OUT/lats"]
ENDPOINTS = ["--do-endpointing=true", "--endpoint.silence-phones=1", "--endpoint.rule5.min-utterance-length=0.4"]
CALLS = [
    ["online2-wav-gmm-latgen-faster", "--config=decode.conf", *options, *TABLES]
    for options in (
        DELTAS,
        [*DELTAS, "--online-alignment-model=moved.mdl", "--chunk-length=0.13", "--fmllr-lattice-beam=8"],
        [*DELTAS, "--rescore-model=moved.mdl", "--basis.num-iters=3", "--basis.size-scale=0.1", "--lattice-beam=4"],
        [*DELTAS, *ENDPOINTS],
        ["--splice-feats=true", "--splice-config=splice.conf", "--lda-matrix=lda.mat"],
        ["--add-pitch=true", "--pitch-config=pitch.conf", "--pitch-process-config=process.conf"],
        [*DELTAS, "--silence-weight=0", "--basis.fmllr-min-count=1000"],
    )
]


def recording(number: int) -> np.ndarray:
    """Half a second to one second of hums and noises."""
    random = np.random.default_rng(number)
    parts = []
    for _ in range(random.integers(4, 8)):
        kind, length = int(random.integers(3)), int(random.integers(900, 1500))
        time = np.arange(length) / RATE
        hum = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 20))
        noise = random.normal(size=length)
        parts.append((20 * noise, 900 * hum + 60 * noise, 700 * np.diff(noise, prepend=0.0))[kind])
    return np.concatenate(parts).round().astype(np.float32)


def write_recordings(folder: Path) -> None:
    names = [name for of_speaker in SPEAKERS.values() for name in of_speaker]
    for number, name in enumerate(names):
        with open_output(f"{folder}/{name}.wav") as stream:
            write_wave(stream, Wave(RATE, recording(number)[None]))
    (folder / "wav.scp").write_text("".join(f"{name} {name}.wav\n" for name in names))


def ours(line: str) -> None:
    program, *arguments = line.split()
    assert run(twin(program), arguments) == 0, line


def train() -> None:
    """A model of features with deltas, its graph and basis; all in the working directory."""
    for name in ("topo", "tree", "L.fst", "loop.fst", "disambig.int"):
        shutil.copy(GRAPHS / name, ".")
    ours("compute-mfcc-feats --config=mfcc.conf scp:wav.scp ark:mfcc.ark")
    ours("compute-cmvn-stats ark:mfcc.ark ark:cmvn.ark")
    ours("matrix-sum --binary=false ark:cmvn.ark global.stats")
    ours("apply-cmvn global.stats ark:mfcc.ark ark:normalized.ark")
    ours("add-deltas --delta-order=1 ark:normalized.ark ark:feats.ark")
    ours("gmm-init-model-flat tree topo 0.mdl ark:feats.ark")
    random = np.random.default_rng(7)
    names = [name for of_speaker in SPEAKERS.values() for name in of_speaker]
    Path("words.int").write_text("".join(f"{name} {random.integers(1, 3)} {random.integers(1, 3)}\n" for name in names))
    ours("compile-train-graphs --read-disambig-syms=disambig.int tree 0.mdl L.fst ark:words.int ark:graphs.fsts")
    ours("align-equal-compiled ark:graphs.fsts ark:feats.ark ark:0.ali")
    for n in range(4):
        ours(f"gmm-acc-stats-ali {n}.mdl ark:feats.ark ark:{n}.ali {n}.acc")
        ours(f"gmm-est --min-gaussian-occupancy=3 --mix-up={8 + 4 * n} {n}.mdl {n}.acc {n + 1}.mdl")
        tables = f"{n + 1}.mdl ark:graphs.fsts ark:feats.ark ark:{n + 1}.ali"
        ours(f"gmm-align-compiled --beam=200 --acoustic-scale=0.2 {tables}")
    ours("gmm-copy 4.mdl model.mdl")
    ours("compile-graph --read-disambig-syms=disambig.int tree model.mdl L.fst loop.fst HCLG.fst")
    ours("ali-to-post ark:4.ali ark:post")
    ours("gmm-basis-fmllr-accs model.mdl ark:feats.ark ark:post basis.acc")
    ours("gmm-basis-fmllr-training model.mdl basis basis.acc")
    write_transform("moved.mat", np.eye(6, dtype=np.float32) * 1.1, False)
    ours("gmm-transform-means moved.mat model.mdl moved.mdl")
    write_transform("lda.mat", random.normal(size=(6, 13)).astype(np.float32) / 3, False)


if __name__ == "__main__":
    kept = {"HCLG.fst", "basis", "global.stats", "lda.mat", "model.mdl", "moved.mdl", "spk2utt", *CONFIGS}
    os.chdir(FOLDER)
    for config, text in CONFIGS.items():
        Path(config).write_text(text)
    Path("spk2utt").write_text("".join(f"{speaker} {' '.join(of)} missing\n" for speaker, of in SPEAKERS.items()))
    write_recordings(FOLDER)
    train()
    make_cases(FOLDER, CALLS)
    for path in FOLDER.iterdir():
        if path.is_file() and path.name not in {*kept, "make.py", "kaldi.json", "__init__.py"}:
            path.unlink()
