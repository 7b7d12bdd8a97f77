"""A network of waveforms: trained on recordings, which it then computes from features that are their samples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.command import run
from kaldi_bridge.commands.data.model_input import run as model_input
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.wave import Wave, write_wave
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.commands.nnet3bin.nnet3_compute import main as compute
from steps_pytorch.commands.train_model import main as train_model
from steps_pytorch.training.run.checkpoints import load_state
from tests.helpers.made_up_data import NUM_PDFS
from tests.helpers.made_up_speech import make_speech
from tests.helpers.places import ROOT

RATE = 8000
NETWORK = (
    "--conv-layers='4:10:5 4:3:3 4:4:4' --dim=8 --num-layers=1 --num-heads=2 --ffn-dim=8 --position-kernel=4 "
    "--position-groups=2 --left-context=6 --right-context=6"
)


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """Recordings of noise, as long as the made-up features."""
    folder = make_speech(tmp_path / "speech", count=12)
    random = np.random.default_rng(0)
    lines, speakers = [], sorted((folder / "data/utt2spk").read_text().splitlines())
    for line in sorted((folder / "data/utt2num_frames").read_text().splitlines()):
        name, frames = line.split()
        samples = np.round(1000 * random.normal(size=(1, 80 * (int(frames) - 1) + 200)))
        with open_output(f"{folder}/{name}.wav") as stream:
            write_wave(stream, Wave(RATE, samples))
        lines.append(f"{name} {folder}/{name}.wav\n")
    (folder / "data/wav.scp").write_text("".join(lines))
    (folder / "data/utt2spk").write_text("".join(f"{line.split()[0]} {line.split()[0]}\n" for line in speakers))
    (folder / "data/spk2utt").write_text((folder / "data/utt2spk").read_text())
    (folder / "waveform.conf").write_text(f"--sample-frequency={RATE}\n")
    return folder


def train(speech: Path, folder: Path, *more: str) -> int:
    words = ["--model=wav2vec2", f"--model-opts={NETWORK}", "--optimizer=adam", f"--tree-dir={speech}/ali"]
    words += ["--chunk-width=30", "--minibatch-size=8", "--num-epochs=1", "--num-workers=0", "--num-threads=1"]
    words += [f"--objective-opts=--den-fst={speech}/den.fst", *more]
    return run(train_model, [*words, str(speech / "data"), str(speech), str(folder)])


@pytest.mark.slow
def test_from_recordings_to_outputs(speech: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Then tables of samples by make_feats.sh, which the model is checked with; of these the same is learned."""
    folder = tmp_path / "exp"
    assert train(speech, folder, f"--waveform-config={speech}/waveform.conf") == 0
    told = json.loads((folder / "input.json").read_text())
    assert (told["features"], told["dim"], told["options"]["sample-frequency"]) == ("waveform", 80, RATE)

    data = speech / "data"
    for name in ("feats.scp", "utt2num_frames", "cmvn.scp"):  # of the made-up features
        (data / name).unlink()
    made_feats = [ROOT / "steps_pytorch/make_feats.sh", "--nj", "1", "--type", "waveform"]
    made_feats += ["--waveform-config", speech / "waveform.conf", data]
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    made = subprocess.run(list(map(str, made_feats)), env=environment, capture_output=True, text=True, timeout=100)
    assert made.returncode == 0, made.stderr
    assert model_input(["check", str(folder), str(data)]) == 0
    features = dict(SequentialReader(f"scp:{data}/feats.scp", FLOAT_MATRIX))
    assert all(np.array_equal(rows, np.round(rows)) for rows in features.values())  # not compressed
    names = (f"{folder}/final.mdl", f"scp:{data}/feats.scp", f"ark:{folder}/outputs.ark")
    assert run(compute, ["--frame-subsampling-factor=3", "--frames-per-chunk=3000", *names]) == 0
    outputs = dict(SequentialReader(f"ark:{folder}/outputs.ark", FLOAT_MATRIX))
    assert {n: rows.shape for n, rows in outputs.items()} == {
        n: (-(-len(rows) // 3), NUM_PDFS) for n, rows in features.items()
    }

    assert train(speech, tmp_path / "tables", "--cmvn-opts=") == 0
    first, second = (load_state(path / "1.pt") for path in (folder, tmp_path / "tables"))
    assert all(torch.equal(value, second[name]) for name, value in first.items())

    (data / "conf/waveform.conf").unlink()
    (data / "conf/mfcc.conf").write_text(f"--sample-frequency={RATE}\n")
    assert model_input(["check", str(folder), str(data)]) != 0
    assert "waveform and mfcc" in capfd.readouterr().err


def test_what_is_refused(speech: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = f"{speech}/waveform.conf"
    for more, reason in (
        ([f"--waveform-config={config}", f"--fbank-config={config}"], "give one of --mfcc-config, --fbank-config and"),
        ([f"--waveform-config={config}", "--frequency-masks=1"], "--frequency-masks are for filterbanks"),
        ([f"--waveform-config={config}", f"--ivector-dir={speech}/ivectors"], "takes no i-vectors"),
        ([f"--waveform-config={tmp_path}/none.conf"], "none.conf"),
        (["--waveform-config="], "which do not divide the 12 of an output frame"),
    ):
        assert train(speech, tmp_path / "exp", *more) != 0
        assert reason in capfd.readouterr().err
