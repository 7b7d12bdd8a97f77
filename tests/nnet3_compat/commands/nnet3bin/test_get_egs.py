"""Examples with targets for each frame: the same bytes as Kaldi's own programs made (make_get_egs_outputs.py)."""

import base64
import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, POSTERIOR
from tests.helpers.twins import twin
from tests.nnet3_compat.commands.nnet3bin.make_get_egs_outputs import COMMANDS, OUTPUTS, make_inputs

MADE = json.loads(OUTPUTS.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("get_egs")
    make_inputs(folder)
    return folder


@pytest.mark.parametrize("line", COMMANDS)
def test_as_kaldi(folder: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.chdir(folder)
    program, *words = line.split()
    assert run(twin(program), words) == 0
    ours, kaldis = (folder / "OUT").read_bytes(), zlib.decompress(base64.b64decode(MADE[line]))
    assert (ours.split() if "ark,t" in line else ours) == (kaldis.split() if "ark,t" in line else kaldis)


def get_egs(folder: Path, features: np.ndarray, posterior: list[list[tuple[int, float]]], options: str = "") -> int:
    with TableWriter(f"ark:{folder}/in", FLOAT_MATRIX) as writer:
        writer.write("u", features)
    with TableWriter(f"ark:{folder}/post", POSTERIOR) as writer:
        writer.write("u", posterior)
    line = f"--num-pdfs=6 --num-frames=8 {options} ark:{folder}/in ark:{folder}/post ark:{folder}/out"
    return run(twin("nnet3-get-egs"), line.split())


def test_what_cannot_become_examples(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    features, posterior = np.ones((16, 3), np.float32), [[(1, 1.0)]] * 16
    for pdf in (6, -1):
        assert get_egs(tmp_path, features, [*posterior[:-1], [(pdf, 1.0)]]) == 255
        assert f"u: a posterior of pdf {pdf}, but there are 6" in capfd.readouterr().err
    features[3, 1] = np.inf
    assert get_egs(tmp_path, features, posterior) == 255
    assert "u: a matrix with infinite values cannot be compressed" in capfd.readouterr().err
    assert get_egs(tmp_path, features, posterior, "--compress=false") == 0
    features[3, 1] = np.nan
    assert get_egs(tmp_path, features, posterior) == 0
    assert "with NaN" in capfd.readouterr().err
    assert get_egs(tmp_path, np.zeros((0, 0), np.float32), [], "--num-frames=-1 --left-context=1") == 1
    assert get_egs(tmp_path, features, posterior, "--left-context=-8") == 255
    assert "u: a chunk has 0 frames of input" in capfd.readouterr().err
    assert get_egs(tmp_path, features, posterior, "--online-ivector-period=0") == 255
    assert "--online-ivector-period=0 must be positive" in capfd.readouterr().err
