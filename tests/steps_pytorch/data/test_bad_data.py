"""Training on data that are not as they should be: the real commands, their messages, what is kept."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, INT32_VECTOR
from nnet3_compat.model.model_file import read_any
from steps_pytorch.training.run.checkpoints import load_state
from tests.helpers.made_up_data import DIM
from tests.helpers.made_up_speech import make_speech
from tests.helpers.places import ROOT


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """``$steps``: our shell entry points."""
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", OMP_NUM_THREADS="1")
    environment["steps"] = str(ROOT / "steps_pytorch")
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)


TRAIN = (
    "nnet-pytorch-train-model --objective=cross-entropy --frame-subsampling-factor=3 --chunk-width=60,30,18"
    " --alignment-subsampling-factor=3 --model-opts=--network=speech/network.xconfig --num-workers=0 --num-epochs=2"
    " --minibatch-size=8 --num-threads=1 "
)


def change(folder: Path, holder: object, file: str, changes: dict[str, np.ndarray | None]) -> None:
    """Writes a table again, with other values of some utterances, and without those that are None."""
    rspecifier = f"ark:gunzip -c {folder}/{file} |" if file.endswith(".gz") else f"scp:{folder}/{file}"
    with SequentialReader(rspecifier, holder) as reader:
        content = {**dict(reader), **changes}
    wspecifier = f"ark:| gzip -c > {folder}/{file}"
    if not file.endswith(".gz"):
        wspecifier = f"ark,scp:{folder}/changed.ark,{folder}/{file}"
    with TableWriter(wspecifier, holder) as writer:
        for name, value in content.items():
            if value is not None:
                writer.write(name, value)


@pytest.mark.slow
def test_one_percent_of_the_utterances_are_bad(tmp_path: Path) -> None:
    """Of 300 one has no features, one features of another dimension, one no targets, one targets that are too long:
    the step trains on the others to the end, and says of each what is wrong."""
    speech = make_speech(tmp_path / "speech", 300, growth=0)
    names = [line.split()[0] for line in (speech / "data/utt2spk").read_text().splitlines()]
    missing, other, unknown, long = names[10], names[20], names[30], names[40]
    change(speech, FLOAT_MATRIX, "data/feats.scp", {missing: None, other: np.zeros((50, DIM + 1), np.float32)})
    change(speech, INT32_VECTOR, "ali/ali.1.gz", {unknown: None, long: np.ones(40, np.int32)})
    options = TRAIN.partition(" ")[2].replace("=", " ", 1)
    result = shell(tmp_path, f"$steps/train.sh --nj 2 {options} speech/data speech/ali exp")
    assert result.returncode == 0, result.stderr
    assert "1 utterances of speech/data are not in exp/store" in result.stderr
    assert f"utterance {other} is left out: " in result.stderr
    assert "2 utterances have targets, but no features: " in result.stderr
    assert missing in result.stderr
    assert other in result.stderr
    assert f"utterance {unknown} is left out: features, but no targets" in result.stderr
    assert f"utterance {long} is left out: 40 frames of targets for 50 frames of features, expected 17" in result.stderr
    assert re.search(r"data set train: [12] of 2\d\d utterances are left out", result.stderr)
    assert read_any(str(tmp_path / "exp/final.mdl")).priors.size


@pytest.mark.slow
def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Without features, with features for another network, with a store that is cut short: nothing is trained."""
    speech = make_speech(tmp_path / "speech", 12)
    feats, network = speech / "data/feats.scp", speech / "network.xconfig"
    cases = {
        f"mv {feats} kept": "speech/data/feats.scp",
        f"sed s/feats.ark/nowhere.ark/ kept > {feats}": "no features can be read from",
        f"mv kept {feats}; sed -i s/dim=4/dim=5/ {network}": "features of dimension",
    }
    for damage, message in cases.items():
        result = shell(tmp_path, f"{damage}; {TRAIN} speech/data speech/ali exp")
        assert result.returncode != 0, damage
        assert message in result.stderr
        assert "Traceback" not in result.stderr
        assert not (tmp_path / "exp/final.mdl").exists()


@pytest.mark.slow
def test_a_corrupt_store_and_a_full_disk(tmp_path: Path) -> None:
    """A store that is cut short is named; a limit on the size of files stands for a full disk: the checkpoint of the
    first iteration stays, and with space again the run goes on to the parameters of an undisturbed one."""
    make_speech(tmp_path / "speech", 12)
    made = shell(tmp_path, f"$steps/make_memmap.sh --nj 1 speech/data store && {TRAIN} speech/data speech/ali whole")
    assert made.returncode == 0, made.stderr
    size = max(path.stat().st_size for path in (tmp_path / "whole").glob("*.pt"))
    first = shell(tmp_path, f"{TRAIN} --store=store --iterations-per-epoch=2 speech/data speech/ali exp & "
                  "until [ -f exp/checkpoint.1.pt ]; do sleep 0.01; done; kill -9 $!")  # fmt: skip
    assert first.stderr
    begun = f"{TRAIN} --store=store --iterations-per-epoch=2 speech/data speech/ali exp"
    full = shell(tmp_path, f"ulimit -f {size // 2048}; {begun}")
    assert full.returncode != 0
    assert "File too large" in full.stderr
    assert "Traceback" not in full.stderr
    assert list((tmp_path / "exp").glob("checkpoint.*.pt"))
    assert not list((tmp_path / "exp").glob(".*.tmp"))
    frames = next((tmp_path / "store").glob("frames.*.npy"))
    content = frames.read_bytes()
    frames.write_bytes(content[:-100])
    corrupt = shell(tmp_path, begun)
    assert corrupt.returncode != 0
    assert (
        f"corrupt store: store/{frames.name} has {len(content) - 100} bytes instead of {len(content)}" in corrupt.stderr
    )
    frames.write_bytes(content)
    assert shell(tmp_path, begun).returncode == 0
    again = shell(tmp_path, begun.replace(" exp", " undisturbed"))
    assert again.returncode == 0
    last = load_state(tmp_path / "exp/checkpoint.4.pt")["model"]
    expected = load_state(tmp_path / "undisturbed/checkpoint.4.pt")["model"]
    assert all(last[name].equal(value) for name, value in expected.items())


@pytest.mark.parametrize("script", ["train_mono.sh {data} lang exp", "align_si.sh {data} lang speech/ali exp"])
def test_texts_that_are_missing_or_empty(tmp_path: Path, script: str) -> None:
    (tmp_path / "lang").mkdir()
    data = make_speech(tmp_path / "speech", 2) / "data"
    for file in ("L.fst", "phones.txt", "words.txt", "topo", "oov.int"):
        (tmp_path / "lang" / file).write_text("something\n")
    for message in ("no such file", "is empty"):
        result = shell(tmp_path, f"$steps/{script.format(data='speech/data')}")
        assert result.returncode != 0
        assert "speech/data/text" in result.stderr
        assert message in result.stderr
        (data / "text").touch()
