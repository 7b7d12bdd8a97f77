"""Data of LibriSpeech's size: time and memory of what recipes do with it, beside Kaldi's scripts and programs.

    python bench/large_data.py [--utterances=281241] [--kaldi=KALDI_ROOT] [--dir=DIR] [--stages=validate,fix,...]

Made up: utterances of 2338 speakers (of fewer utterances, fewer), named and laid out as LibriSpeech's, with features of
30 frames x 13, compressed. Each stage runs on a fourth of the utterances and on all of them: processor seconds per
100 000 utterances, which grow where the work does more than in proportion. Memory is that of the largest process. With
--kaldi (its programs on the PATH), what Kaldi has for the same runs in between; the ratio is its time over ours.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import Process
from pathlib import Path

import numpy as np

from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR, compressed_matrix

UTTERANCES, SPEAKERS = 281241, 2338  # of LibriSpeech's 960 hours
FRAMES, DIM, PDFS, WORDS = 30, 13, 20, 33
COLUMNS = [("ours", 9), ("MB", 7), ("Kaldi", 9), ("MB", 7), ("ratio", 7)]
ROOT = Path(__file__).resolve().parents[1]
XCONFIG = f"""input dim={DIM} name=input
relu-batchnorm-layer name=tdnn1 dim=32 input=Append(-1,0,1)
output-layer name=output dim={PDFS}
"""
PHONES = " ".join(str(phone) for phone in range(1, PDFS + 1))
TOPOLOGY = f"""<Topology> <TopologyEntry> <ForPhones> {PHONES} </ForPhones>
<State> 0 <PdfClass> 0 <Transition> 0 0.5 <Transition> 1 0.5 </State> <State> 1 </State> </TopologyEntry> </Topology>
"""
GET_EGS = """{prefix}get-egs --num-pdfs=20 --left-context=1 --right-context=1 --num-frames=8 scp:{data}/feats.scp \
"ark,s,cs:gunzip -c {data}/ali/ali.1.gz | {other}ali-to-pdf {data}/ali/final.mdl ark:- ark:- | \
{other}ali-to-post ark:- ark:- |" ark:/dev/null"""


@dataclass(frozen=True)
class Stage:
    """``ours``, ``kaldis``: shell commands, in which {data} and {made} are folders; "": Kaldi has nothing like it."""

    name: str
    ours: str
    kaldis: str = ""


STAGES = [
    Stage("validate", "utils/validate_data_dir.sh {data}", "utils/validate_data_dir.sh {data}"),
    Stage("fix", "utils/fix_data_dir.sh {data}", "utils/fix_data_dir.sh {data}"),
    Stage(
        "split",
        "rm -rf {data}/split40; utils/split_data.sh {data} 40",
        "rm -rf {data}/split40; utils/split_data.sh {data} 40",
    ),
    Stage(
        "combine", "utils/combine_data.sh {made}/two {data} {twin}", "utils/combine_data.sh {made}/two {data} {twin}"
    ),
    Stage(
        "perturb",
        "utils/perturb_data_dir_speed_3way.sh {data} {made}/sp",
        "utils/data/perturb_data_dir_speed_3way.sh {data} {made}/sp",
    ),
    Stage("make_memmap", "steps_pytorch/make_memmap.sh --nj 4 {data} {made}/store"),
    Stage(
        "get-egs",
        GET_EGS.replace("{prefix}", "nnet-pytorch-").replace("{other}", "nnet-pytorch-"),
        GET_EGS.replace("{prefix}", "nnet3-").replace("{other}", ""),
    ),
    Stage(
        "train, 20 steps",
        "steps_pytorch/train.sh --store {made}/store --objective cross-entropy --model-opts=--network={data}/xconfig "
        "--minibatches-per-epoch 20 --num-epochs 2 --chunk-width 20 {data} {data}/ali {made}/model",
    ),
    Stage("average", "steps_pytorch/average.sh {made}/model"),
]


def utterance_names(count: int) -> Iterator[tuple[str, str]]:
    """(utterance, speaker): as in LibriSpeech's data directories, where a speaker's chapter is a speaker."""
    speakers = max(40, SPEAKERS * count // UTTERANCES)
    for number in range(count):
        speaker = number * speakers // count
        chapter = f"{1000 + speaker:04}-{120000 + 7 * speaker:06}"
        yield f"{chapter}-{number:06}", chapter


def make_data(folder: Path, count: int) -> None:
    """A data directory with features, and alignments to 20 phones of a state each in ``ali/``."""
    random = np.random.default_rng(0)
    vocabulary = [f"WORD{i}" for i in range(5000)]
    names = sorted(utterance_names(count))
    spoken = [" ".join(vocabulary[i] for i in random.integers(0, 5000, WORDS)) for _ in range(1000)]
    features = [random.normal(size=(FRAMES, DIM)).astype(np.float32) for _ in range(50)]
    ids = [2 * random.integers(0, PDFS, FRAMES).astype(np.int32) + 1 for _ in range(50)]
    (folder / "ali").mkdir(parents=True)
    speakers: dict[str, list[str]] = {}
    for utterance, speaker in names:
        speakers.setdefault(speaker, []).append(utterance)
    tables = {
        "utt2spk": dict(names),
        "text": {u: spoken[i % 1000] for i, (u, _) in enumerate(names)},
        "wav.scp": {u: f"flac -c -d -s /corpora/LibriSpeech/train/{s}/{u}.flac |" for u, s in names},
        "utt2dur": {u: f"{1 + 34 * i / count:.3f}" for i, (u, _) in enumerate(names)},
        "utt2num_frames": {u: str(FRAMES) for u, _ in names},
        "spk2utt": {s: " ".join(us) for s, us in speakers.items()},
        "spk2gender": {s: "fm"[i % 2] for i, s in enumerate(speakers)},
    }
    for name, rows in tables.items():
        (folder / name).write_text("".join(f"{key} {value}\n" for key, value in rows.items()))
    with TableWriter(f"ark,scp:{folder}/feats.ark,{folder}/feats.scp", compressed_matrix(2)) as writer:
        for number, (utterance, _) in enumerate(names):
            writer.write(utterance, features[number % 50])
    with TableWriter(f"ark:| gzip -1c > {folder}/ali/ali.1.gz", INT32_VECTOR) as writer:
        for number, (utterance, _) in enumerate(names):
            writer.write(utterance, ids[number % 50])
    (folder / "topo").write_text(TOPOLOGY)
    with open_input(str(folder / "topo")) as stream:
        topology = Topology.read(stream, read_header(stream))
    phones = np.arange(PDFS)
    with open_output(str(folder / "ali" / "final.mdl")) as stream:
        write_header(stream, True)
        TransitionModel(topology, np.stack([phones + 1, 0 * phones, phones, phones], 1)).write(stream, True)
    (folder / "ali" / "tree").write_text("a tree\n")
    (folder / "ali" / "phones.txt").write_text("<eps> 0\n")
    (folder / "xconfig").write_text(XCONFIG)


def measured(command: str, folder: Path, log: Path) -> tuple[float, float]:
    """(processor seconds, megabytes of the largest process) of a shell command."""
    with open(log, "ab") as stream:
        process = subprocess.Popen(["bash", "-o", "pipefail", "-c", command], cwd=folder, stdout=stream, stderr=stream)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed:\n{log.read_text(errors='replace')[-2000:]}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def measure(stage: Stage, data: Path, count: int, kaldi: str) -> list[tuple[float, float]]:
    """Of ours and, where it is there, of Kaldi's: (processor seconds per 100 000 utterances, megabytes)."""
    rows = []
    for command, folder in [(stage.ours, ROOT), (stage.kaldis, Path(kaldi, "egs/wsj/s5"))][: 2 if kaldi else 1]:
        made = data.parent / f"{data.name}_{'ours' if folder == ROOT else 'kaldi'}"
        made.mkdir(exist_ok=True)
        twin = data.parent / f"{data.name}_twin"
        if not twin.exists():
            copy = f"utils/copy_data_dir.sh --utt-prefix x- --spk-prefix x- {data} {twin}"
            measured(copy, ROOT, data.parent / "log")
        if command:
            line = command.format(data=data, made=made, twin=twin)
            seconds, memory = measured(line, folder, data.parent / "log")
            rows.append((seconds * 100_000 / count, memory))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=UTTERANCES)
    parser.add_argument("--kaldi", default="")
    parser.add_argument("--dir", default="", help="for the data, which stay there; else a temporary one")
    parser.add_argument("--stages", default=",".join(stage.name for stage in STAGES).replace(", 20 steps", ""))
    arguments = parser.parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ.update(LC_ALL="C", OMP_NUM_THREADS="1")
    folder = Path(arguments.dir or tempfile.mkdtemp())
    sizes = [arguments.utterances // 4, arguments.utterances]
    for count in sizes:
        if not (folder / str(count)).exists():
            maker = Process(target=make_data, args=(folder / str(count), count))  # whose memory is not the stages'
            maker.start()
            maker.join()
    titles = "".join(f"{title:>{width}}" for title, width in COLUMNS)
    print(f"{'cpu-s per 100 000 utterances':<30} {'utterances':>10}{titles}")
    for stage in STAGES:
        if stage.name.partition(",")[0] not in arguments.stages.split(","):
            continue
        for count in sizes:
            rows = measure(stage, folder / str(count), count, arguments.kaldi)
            figures = "".join(f" {seconds:>8.2f} {memory:>6.0f}" for seconds, memory in rows)
            ratio = f" {rows[1][0] / rows[0][0]:>6.2f}" if len(rows) == 2 else ""
            print(f"{stage.name:<30} {count:>10}{figures}{ratio}", flush=True)
    if not arguments.dir:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
