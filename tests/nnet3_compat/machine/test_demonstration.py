"""nnet-pytorch-demo, with no more than what setup.py installs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kaldi_bridge.errors import KaldiError
from nnet3_compat.commands.machine.demo import main
from nnet3_compat.machine import demonstration
from nnet3_compat.machine.demonstration import LOG, SCORE, lay_out, run_line
from nnet3_compat.machine.recipes import DEMONSTRATION, SHARE, installed_files
from tests.helpers.places import ROOT


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation's share/nnet-pytorch, which the demonstration finds."""
    for folder, names in installed_files(ROOT):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(ROOT / name, tmp_path / folder)
    monkeypatch.setattr(demonstration, "recipes_folder", lambda: tmp_path / SHARE)
    return tmp_path / SHARE


def test_the_demonstration_is_small() -> None:
    assert sum((ROOT / name).stat().st_size for name in DEMONSTRATION) < 250_000


@pytest.mark.slow
def test_speech_that_is_installed(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every word is right, and the score says so."""
    assert main.run([]) == 0
    out = capsys.readouterr().out
    assert "en-us-f3-06 five one five \nen-us-m3-02 six three \nen-us-m3-06 seven seven \n" in out
    assert "%WER 0.00 [ 0 / 7, 0 ins, 0 del, 0 sub ]\n%SER 0.00 [ 0 / 3 ]\n" in out


@pytest.mark.slow
def test_recordings_of_ones_own(
    installed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under names with spaces, into a folder that stays, from which every line can be run again."""
    own = tmp_path / "my own.wav"
    shutil.copy(ROOT / "egs/tiny/data/wav/en-us-m3-07.wav", own)
    folder = tmp_path / "kept"
    assert main.run([f"--dir={folder}", str(own)]) == 0
    out = capsys.readouterr().out
    assert out.endswith("my_own three six \n") and SCORE not in out
    for line in lay_out(folder, [str(own)]):
        last = run_line(folder, line)
    assert last == "my_own three six \n"


def test_recordings_that_are_none(installed: Path, tmp_path: Path) -> None:
    with pytest.raises(KaldiError, match=r"none\.wav: no such recording"):
        lay_out(tmp_path / "a", [str(tmp_path / "none.wav")])
    text = tmp_path / "text.wav"
    text.write_text("no wave file\n")
    with pytest.raises(KaldiError, match="same name"):
        lay_out(tmp_path / "b", [str(text), str(text)])
    lines = lay_out(tmp_path / "c", [str(text)])
    with pytest.raises(KaldiError, match="a program failed.*compute-mfcc-feats"):
        run_line(tmp_path / "c", lines[0])
    assert "text" in (tmp_path / "c" / LOG).read_text()
