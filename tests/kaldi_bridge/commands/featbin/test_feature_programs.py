"""Programs on features and recordings beside Kaldi's own: what they write, and the exit status.

Numbers to 2e-5, cepstra to 1e-4, samples of 16 bits to 1.

What those wrote is in outputs.json; make_outputs.py, which made it, has the inputs.
"""

import base64
import io
import json
import wave
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from tests.helpers.twins import twin
from tests.kaldi_bridge.commands.featbin.make_outputs import COMMANDS, OUTPUTS, make_inputs, written

MADE = json.loads(OUTPUTS.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("features")
    make_inputs(folder)
    return folder


def matrices(text: str) -> dict[str, np.ndarray]:
    """Of a text archive, or of one matrix."""
    found: dict[str, np.ndarray] = {}
    for part in text.split("]"):
        name, _, body = part.partition("[")
        if body.strip():
            found[name.strip()] = np.array([row.split() for row in body.strip().split("\n")], float)
    return found


def samples(data: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(data[data.index(b"RIFF") :])) as stream:
        return np.frombuffer(stream.readframes(stream.getnframes()), "<i2").astype(int)


@pytest.mark.parametrize("line", COMMANDS)
def test_as_kaldi(folder: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.chdir(folder)
    expected = MADE[line]
    program, *words = line.split()
    crashed = expected["status"] < 0  # a failed assertion: ours say what was wrong
    assert run(twin(program), words) == (255 if crashed else expected["status"])
    found = written(folder, line)
    if expected["status"]:
        return
    assert set(found) | {"status"} == set(expected)
    if "text" in expected:
        ours, kaldis = matrices(found["text"]), matrices(expected["text"])
        assert list(ours) == list(kaldis) and kaldis
        for key, matrix in kaldis.items():
            np.testing.assert_allclose(ours[key], matrix, rtol=2e-5, atol=1e-4 if "mfcc" in line else 2e-5, err_msg=key)
    elif "bytes" in expected:
        data, kaldis_data = (base64.b64decode(made["bytes"]) for made in (found, expected))
        if b"RIFF" in kaldis_data:
            assert np.abs(samples(data) - samples(kaldis_data)).max() <= 1
            assert data[:44] == kaldis_data[:44]
        else:  # HTK's and Sphinx's numbers
            order = "<f4" if "sphinx" in line else ">f4"
            head = len(kaldis_data) % 4 if "sphinx" in line else 16
            assert data[:head] == kaldis_data[:head] and len(data) == len(kaldis_data)
            if "compute" not in line:
                assert data == kaldis_data
            else:
                first = len("one ") + 12
                count = 13 if "mfcc" in line else 4
                ours, kaldis = (np.frombuffer(d[first : first + 40 * count], order) for d in (data, kaldis_data))
                np.testing.assert_allclose(ours, kaldis, atol=1e-4)


def test_what_is_no_pitch_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for rows, reason in (("2 100", "from 0 to 1"), ("0.5 -3", "not positive"), ("0.5", "got 1 columns")):
        (tmp_path / "feats").write_text(f"a  [ {rows} ]\n")
        assert twin("process-pitch-feats").run([f"ark:{tmp_path}/feats", "ark:/dev/null"]) == 255
        said = capfd.readouterr().err
        assert said.count("utterance a: ") == 1 and reason in said
