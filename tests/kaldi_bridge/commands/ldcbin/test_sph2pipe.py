"""sph2pipe, called as Kaldi's recipes call it."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.ldcbin.sph2pipe import main as sph2pipe
from kaldi_bridge.io.companding import expand_mu_law
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.wave import Wave, read_wave
from tests.helpers.sphere_files import sphere_bytes


@pytest.fixture
def codes(tmp_path: Path) -> np.ndarray:
    """mu-law [samples, 2] of tmp_path/u.sph."""
    codes = np.random.default_rng(0).integers(256, size=(400, 2)).astype(np.uint8)
    (tmp_path / "u.sph").write_bytes(sphere_bytes(codes.tobytes(), codes.shape, "ulaw", "1", rate=8000))
    return codes


def wave_of(path: Path) -> Wave:
    with open_input(str(path)) as stream:
        return read_wave(stream)


def test_channels_and_parts(tmp_path: Path, codes: np.ndarray) -> None:
    source, target = str(tmp_path / "u.sph"), tmp_path / "made"
    expected = expand_mu_law(codes).T
    for arguments, channels, part in (
        (["-f", "wav", "-p"], slice(0, 2), slice(None)),
        (["-f", "wav", "-p", "-c", "1"], slice(0, 1), slice(None)),
        (["-p", "-c2", "-fwav", "-t", "0.01:0.02"], slice(1, 2), slice(80, 160)),
        (["-p", "-f", "wav", "-s", ":7"], slice(0, 2), slice(0, 7)),
    ):
        assert run(sph2pipe, [*arguments, source, str(target)]) == 0
        wave = wave_of(target)
        assert wave.sample_frequency == 8000
        assert np.array_equal(wave.data, expected[channels, part])
    assert run(sph2pipe, ["-f", "raw", "-p", source, str(target)]) == 0
    assert np.array_equal(np.frombuffer(target.read_bytes(), "<i2"), expected.T.ravel())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-f", "wav"], "is companded: -p expands it"),
        (["-p"], "only wav and raw can be written"),
        (["-p", "-f", "wav", "-c", "3"], "-c 3: the recording has channels 1 to 2"),
        (["-p", "-f", "wav", "-t", "0:2"], "0:2 is no part from:to"),
        (["-p", "-f", "wav", "-s", "7"], "7 is no part from:to"),
        (["-p", "-f", "wav", "-h", "x"], "option -h not recognized"),
    ],
)
def test_refused(
    tmp_path: Path, codes: np.ndarray, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(sph2pipe, [*arguments, str(tmp_path / "u.sph"), str(tmp_path / "made")]) == 255
    assert message in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
