"""The step from a data directory to who speaks when, beside the RTTM files of Kaldi's scripts with its own programs.

Those are in speaker_scripts.json, which make_speaker_scripts.py made, of the same made-up speakers.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.data_dirs.windows import WindowOptions, windows
from kaldi_bridge.features.voice_activity import VadEnergyOptions, voiced_frames
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.ivectors.plda import write_plda
from kaldi_bridge.ivectors.plda_estimation import PldaEstimationOptions, PldaStatistics, estimate_plda
from kaldi_bridge.ivectors.whitening import Whitening
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR
from kaldi_bridge.transforms.pca import PcaStatistics
from kaldi_bridge.transforms.sliding_cmvn import sliding_cmvn
from nnet3_compat.utterances.speaker_windows import read_embedder, vectors_of
from steps_pytorch.commands.diarize import CMN, main
from tests.helpers.places import STEPS
from tests.nnet3_compat.commands.nnet3bin.make_speaker_scripts import OUTPUTS, SPEAKERS, make_data

AS_KALDI = ["--apply-cmn=false", "--target-energy=0.9"]
VAD = VadEnergyOptions(vad_energy_threshold=2.0, vad_energy_mean_scale=0.5)


def table(file: Path, holder) -> dict[str, np.ndarray]:
    with SequentialReader(f"scp:{file}", holder) as reader:
        return dict(reader)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, a network, and the PLDA directory that Kaldi's scripts make of them."""
    folder = tmp_path_factory.mktemp("speakers")
    make_data(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        embedder, options = read_embedder(Path("net"), -1, "no")
        train, recordings = (table(Path(f"data/{name}/feats.scp"), FLOAT_MATRIX) for name in ("train", "rec"))
    pieces = [
        feats[window.frames(0.01, len(feats))]
        for utterance, feats in recordings.items()
        for window in windows(utterance, len(feats) / 100, WindowOptions())
    ]
    of_windows, pca, plda = vectors_of(embedder, pieces, options), PcaStatistics(), PldaStatistics()
    pca.add(of_windows)
    whitening = Whitening(of_windows.mean(axis=0), pca.transform(normalize_variance=True))
    for speaker in range(SPEAKERS):
        spoken = [
            sliding_cmvn(feats, CMN)[voiced_frames(feats, VAD)]
            for utterance, feats in train.items()
            if utterance.startswith(f"s{speaker}-")
        ]
        plda.add(whitening(vectors_of(embedder, spoken, options)))
    (folder / "plda").mkdir()
    for name, value, holder in (
        ("mean.vec", whitening.mean, FLOAT_VECTOR),
        ("transform.mat", whitening.matrix, FLOAT_MATRIX),
    ):
        with open_output(f"{folder}/plda/{name}") as stream:
            holder.write(stream, True, value)
    write_plda(f"{folder}/plda/plda", True, estimate_plda(plda, PldaEstimationOptions()))
    return folder


@pytest.mark.parametrize(
    ("options", "kaldis"),
    [(["--threshold=3"], "exp/clusters/rttm"), (["--reco2num-spk=data/rec/reco2num_spk"], "exp/three/rttm")],
    ids=["threshold", "number of speakers"],
)
def test_as_kaldis_scripts(made: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], kaldis: str) -> None:
    monkeypatch.chdir(made)
    assert run(main, [*AS_KALDI, *options, "net", "plda", "data/rec", "out"]) == 0
    assert Path("out/rttm").read_text() == json.loads(OUTPUTS.read_text())[kaldis]
    windows = {name: len(Path("out", name).read_text().split("\n")) for name in ("segments", "utt2spk", "labels")}
    assert len(set(windows.values())) == 1 and len(table(Path("out/xvector.scp"), FLOAT_VECTOR)) > 40
    assert {key: matrix.shape for key, matrix in table(Path("out/scores.scp"), FLOAT_MATRIX).items()} == {
        line.split()[0]: (len(line.split()) - 1,) * 2 for line in Path("out/spk2utt").read_text().splitlines()
    }


@pytest.mark.slow
def test_whole_recordings(made: Path, tmp_path: Path) -> None:
    """Speech is found by energy; the step itself is run."""
    data = tmp_path / "data"
    shutil.copytree(made / "data/rec", data)
    (data / "segments").unlink()
    (tmp_path / "vad.conf").write_text("--vad-energy-threshold=2\n--vad-energy-mean-scale=0.5\n")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    command = [STEPS / "diarize.sh", "--vad-config", tmp_path / "vad.conf", "--threshold", "3", *AS_KALDI]
    command += [made / "net", made / "plda", data, tmp_path / "out"]
    done = subprocess.run(command, cwd=made, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    turns = [line.split() for line in (tmp_path / "out/rttm").read_text().splitlines()]
    assert {turn[1] for turn in turns} == {"r0-all", "r1-all"} and len({turn[7] for turn in turns}) > 1
    # The speakers of 8 turns of 2.3 s and more pause for 50 ms every 400 ms, which ends no speech.
    assert 18 < sum(float(turn[4]) for turn in turns if turn[1] == "r0-all") < 22


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"net/max_chunk_size": "many\n"}, "max_chunk_size: expected a number"),
        ({"data/rec/reco2num_spk": "r0 0\nr1 2\n"}, "'r0' has '0'"),
        ({"data/rec/feats.scp": "r0-all nowhere.ark\nr1-all nowhere.ark\n"}, "nowhere.ark"),
    ],
    ids=["chunk size", "no speakers", "no features"],
)
def test_bad_input(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], change, message
) -> None:
    for name in ("net", "plda", "data", "exp"):
        shutil.copytree(made / name, tmp_path / name)
    for name, text in change.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    options = [*AS_KALDI, "--reco2num-spk=data/rec/reco2num_spk"]
    assert run(main, [*options, "net", "plda", "data/rec", "out"]) == 255
    assert message in capfd.readouterr().err and not Path("out/rttm").exists()
