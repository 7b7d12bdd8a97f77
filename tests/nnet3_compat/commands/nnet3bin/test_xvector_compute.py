"""nnet3-xvector-compute: ``kaldi.json`` is what Kaldi's program computed, by its options, of the same features."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR
from tests.helpers.twins import twin

SPEAKER = Path(__file__).parents[2] / "recognition/speaker"
KALDIS = json.loads((SPEAKER / "kaldi.json").read_text())


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("features") / "feats.ark"
    with TableWriter(f"ark:{path}", FLOAT_MATRIX) as writer:
        for frames in (120, 37, 333):
            waves = np.sin(0.1 * np.arange(frames)[:, np.newaxis] * (1 + np.arange(20)))
            writer.write(f"u{frames}", waves.astype(np.float32))
    return f"ark:{path}"


@pytest.mark.parametrize(
    "options", [pytest.param(o, marks=[] if "--pad-input=false" in o else pytest.mark.slow) for o in KALDIS]
)
def test_as_kaldi(options: str, features: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = [*options.split(), str(SPEAKER / "final.ext.raw"), features, f"ark:{tmp_path}/out.ark"]
    assert run(twin("nnet3-xvector-compute"), arguments) == 0
    made = dict(SequentialReader(f"ark:{tmp_path}/out.ark", FLOAT_VECTOR))
    assert made.keys() == KALDIS[options].keys()
    for key, vector in KALDIS[options].items():
        np.testing.assert_allclose(made[key], vector, rtol=1e-4, atol=1e-5)
    assert f"Done {len(made)} utterances, failed for {3 - len(made)}" in capfd.readouterr().err


def test_utterances_that_cannot_be(features: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with TableWriter(f"ark:{tmp_path}/feats.ark", FLOAT_MATRIX) as writer:
        writer.write("empty", np.zeros((0, 0), np.float32))
        writer.write("other", np.zeros((200, 13), np.float32))
    model, out = str(SPEAKER / "final.ext.raw"), f"ark:{tmp_path}/out.ark"
    assert run(twin("nnet3-xvector-compute"), [model, f"ark:{tmp_path}/feats.ark", out]) == 255
    errors = capfd.readouterr().err
    assert "Zero-length utterance: empty" in errors and "got 13 but network expects 20" in errors
    assert run(twin("nnet3-xvector-compute"), ["--chunk-size=0", model, features, out]) == 255
    few = ["--min-chunk-size=1000", "--pad-input=false", model, features, out]
    assert run(twin("nnet3-xvector-compute"), few) == 1
    assert "Minimum chunk size of 1000 is greater" in capfd.readouterr().err
