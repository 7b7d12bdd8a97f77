"""Data directories by the names that recipes call: utils/*.sh over nnet-pytorch-data-dir."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run as run_program
from kaldi_bridge.commands.data import perturb_audio
from kaldi_bridge.commands.data.data_dir import run
from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.text_files import read_rows
from kaldi_bridge.io.wave import Wave, read_wave, write_wave
from tests.helpers.places import UTILS


def call(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A script of utils/ as a recipe calls it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [str(UTILS / script), *map(str, arguments)]
    return subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=120)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two speakers with two recordings of 0.4 and 0.8 s each."""
    folder = tmp_path / "data"
    folder.mkdir()
    utterances = ["a-1", "a-2", "b-1", "b-2"]
    for i, utterance in enumerate(utterances):
        samples = 1000 * np.sin(np.arange(3200 * (1 + i % 2)) * 0.3)
        with open_output(str(tmp_path / f"{utterance}.wav")) as out:
            write_wave(out, Wave(8000.0, samples))
    (folder / "utt2spk").write_text("".join(f"{u} {u[0]}\n" for u in utterances))
    (folder / "spk2utt").write_text("a a-1 a-2\nb b-1 b-2\n")
    (folder / "text").write_text("".join(f"{u} one\n" for u in utterances))
    (folder / "wav.scp").write_text("".join(f"{u} {tmp_path}/{u}.wav\n" for u in utterances))
    return folder


def test_durations_three_way_speed_and_volume(data: Path, tmp_path: Path) -> None:
    """As recipes begin: speed, then volume; in wav.scp are pipes that give what utt2dur says."""
    done = call("data/perturb_data_dir_speed_3way.sh", data, tmp_path / "sp")
    assert done.returncode == 0, done.stderr
    assert read_rows(data / "utt2dur") == {"a-1": "0.4", "a-2": "0.8", "b-1": "0.4", "b-2": "0.8"}
    perturbed = DataDir.read(tmp_path / "sp")
    assert len(perturbed.utterances) == 12
    assert sorted(perturbed.spk2utt) == ["a", "b", "sp0.9-a", "sp0.9-b", "sp1.1-a", "sp1.1-b"]
    assert not (tmp_path / "sp_speed0.9").exists()
    assert run(["perturb-volume", "--write-reco2vol", str(tmp_path / "volumes"), str(tmp_path / "sp")]) == 0
    before = (tmp_path / "sp/wav.scp").read_bytes()
    assert run(["perturb-volume", str(tmp_path / "sp")]) == 0
    assert (tmp_path / "sp/wav.scp").read_bytes() == before
    assert len(read_rows(tmp_path / "volumes")) == 12
    pipe = read_rows(tmp_path / "sp/wav.scp")["sp1.1-a-2"].replace(
        "nnet-pytorch-perturb-audio", f"{sys.executable} -m kaldi_bridge.commands.data.perturb_audio"
    )
    with open_input(pipe) as stream:
        duration = read_wave(stream).data.shape[1] / 8000
    assert duration == pytest.approx(float(read_rows(tmp_path / "sp/utt2dur")["sp1.1-a-2"]), abs=0.001)


def test_frames_from_durations(data: Path) -> None:
    done = call("get_utt2num_frames.sh", "--nj", "2", data)
    assert done.returncode == 0, done.stderr
    assert read_rows(data / "utt2num_frames") == {"a-1": "38", "a-2": "78", "b-1": "38", "b-2": "78"}


def test_durations_from_segments(data: Path) -> None:
    (data / "segments").write_text("a-1 r 0 0.25\na-2 r 0.5 1\nb-1 r 1 2\nb-2 r 2 3\n")
    assert call("data/get_utt2dur.sh", data).returncode == 0
    assert read_rows(data / "utt2dur") == {"a-1": "0.25", "a-2": "0.5", "b-1": "1", "b-2": "1"}


def test_durations_that_cannot_be_known(data: Path) -> None:
    (data / "wav.scp").unlink()
    done = call("get_utt2dur.sh", data)
    assert done.returncode == 1
    assert "expected" in done.stderr and not (data / "utt2dur").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--first", "{}", "2"], ["a-1", "a-2"]),
        (["--last", "{}", "1"], ["b-2"]),
        (["--per-spk", "{}", "1"], ["a-1", "b-1"]),
        (["{}", "2"], ["a-2", "b-2"]),
        (["--utt-list", "{}/list", "{}"], ["a-2", "b-1"]),
        (["--spk-list", "{}/speakers", "{}"], ["b-1", "b-2"]),
        (["--shortest", "{}", "2"], ["a-1", "b-1"]),
    ],
)
def test_subsets(data: Path, tmp_path: Path, arguments: list[str], expected: list[str]) -> None:
    (data / "list").write_text("b-1\na-2\n")
    (data / "speakers").write_text("b\n")
    (data / "utt2num_frames").write_text("a-1 3\na-2 8\nb-1 3\nb-2 9\n")
    assert run(["subset", *(a.format(data) for a in arguments), str(tmp_path / "part")]) == 0
    part = DataDir.read(tmp_path / "part")
    assert part.utterances == list(part.table("wav.scp")) == expected


def test_subsets_that_cannot_be(data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["subset", str(data), "5"],
        ["subset", "--shortest", str(data), "1"],
        ["subset", str(data), "some"],
    ):
        assert run([*arguments, str(tmp_path / "part")]) == 255
    assert not (tmp_path / "part").exists()
    said = capfd.readouterr().err
    assert "subset of 5 of the 4 utterances" in said and "no such file" in said and "feats.scp" in said


def test_splitting_copying_combining(data: Path, tmp_path: Path) -> None:
    assert run(["split", "--per-utt", str(data), "3"]) == 0
    assert [DataDir.read(data / f"split3utt/{n}").utterances for n in (1, 2, 3)] == [["a-1", "a-2"], ["b-1"], ["b-2"]]
    assert run(["split", str(data), "2"]) == 0
    assert DataDir.read(data / "split2/2").utterances == ["b-1", "b-2"]
    assert run(["split", str(data), "3"]) == 255
    assert run(["copy", "--utt-prefix", "x-", "--spk-prefix", "x-", str(data), str(tmp_path / "copy")]) == 0
    assert run(["combine", str(tmp_path / "both"), str(data), str(tmp_path / "copy")]) == 0
    assert len(DataDir.read(tmp_path / "both").utterances) == 8
    assert run(["copy", str(data), str(data)]) == 255


def test_repair_and_validation(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", str(data), "--no-feats"]) == 0
    (data / "text").write_text("b-1 x\na-1\n")
    (data / "speech").write_text("a-1 0.5\na-2 0.25\n")
    assert run(["validate", "--no-feats", str(data)]) == 255
    assert f"{data}/text: utterance a-2 is not there" in capfd.readouterr().err
    assert run(["fix", "--utt-extra-files", "speech", str(data)]) == 0
    assert (data / ".backup/text").read_text() == "b-1 x\na-1\n"
    assert (data / "speech").read_text() == "a-1 0.5\n"
    assert run(["validate", "--no-feats", str(data)]) == 0
    assert f"{data}/text: 1 utterances have no words, the first is a-1" in capfd.readouterr().err


def test_no_such_operation(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["mend"]) == run([]) == 1
    assert "validate|fix" in capfd.readouterr().err


def test_perturbed_audio(data: Path, tmp_path: Path) -> None:
    arguments = ["--speed=2", "--volume=0.5", str(tmp_path / "a-1.wav"), str(tmp_path / "out.wav")]
    assert run_program(perturb_audio.main, arguments) == 0
    with open_input(str(tmp_path / "out.wav")) as stream:
        wave = read_wave(stream)
    assert wave.data.shape == (1, 1600)
    assert np.abs(wave.data).max() == pytest.approx(500, rel=0.1)
    assert run_program(perturb_audio.main, ["--speed=0", str(tmp_path / "a-1.wav"), str(tmp_path / "bad.wav")]) == 255
    assert not (tmp_path / "bad.wav").exists()
