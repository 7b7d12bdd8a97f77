"""Vectors in the place of online i-vectors: given ones, one-hot speakers, embeddings of a scripted module."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.command import run
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR
from steps_pytorch.commands.make_speaker_vectors import main as make_speaker_vectors
from steps_pytorch.data.ivectors import OnlineIvectors
from tests.helpers.made_up_data import DIM, MadeUpData


@pytest.fixture
def made(tmp_path: Path) -> MadeUpData:
    return MadeUpData(tmp_path)


class MeanAndLength(torch.nn.Module):
    """The mean of the features, and how many there were."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x.mean(1), torch.full([1, 1], float(x.size(1)))], 1)


class Sum(torch.nn.Module):
    """No embedding of the shape that is wanted."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sum()


def saved(module: torch.nn.Module, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(module).save(path)
    return path


def written(made: MadeUpData, *options: str, status: int = 0) -> dict[str, np.ndarray]:
    out = made.path / "speakers"
    assert run(make_speaker_vectors, [*options, str(made.data), str(out)]) == status
    with SequentialReader(f"scp:{out}/ivector_online.scp", FLOAT_MATRIX) as reader:
        return dict(reader)


def test_vectors_of_speakers_or_utterances(made: MadeUpData, capfd: pytest.CaptureFixture[str]) -> None:
    """An utterance's own comes first; spk2 has none."""
    own = made.names[0]
    vectors = {"spk0": [1, 2], "spk1": [3, 4], own: [5, 6]}
    with TableWriter(f"ark:{made.path}/vectors", FLOAT_VECTOR) as writer:
        for key, vector in vectors.items():
            writer.write(key, np.array(vector, np.float32))
    found = written(made, f"--vectors=ark:{made.path}/vectors", "--period=40")
    assert sorted(found) == [name for name in sorted(made.names) if not name.startswith("spk2")]
    for name, rows in found.items():
        assert rows.shape == (-(-made.lengths[name] // 40), 2)
        assert (rows == vectors.get(name, vectors[name[:4]])).all()
    log = capfd.readouterr().err
    assert "there is no vector for it or for its speaker spk2" in log
    assert "Wrote vectors of 8 utterances, failed for 4" in log
    ivectors = OnlineIvectors(str(made.path / "speakers"))
    assert ivectors.dim == 2
    assert ivectors.at(own, 10_000).tolist() == [5, 6]


def test_one_hot_speakers(made: MadeUpData) -> None:
    (made.path / "known").write_text("spk1 a b\nspk0 c\n")
    found = written(made, f"--one-hot={made.path}/known")
    expected = {"spk0": [0, 1], "spk1": [1, 0], "spk2": [0, 0]}
    assert {name: rows[0].tolist() for name, rows in found.items()} == {n: expected[n[:4]] for n in made.names}


def test_embeddings_of_what_was_heard(made: MadeUpData) -> None:
    module = saved(MeanAndLength(), made.path / "embed.pt")
    found = written(made, f"--module={module}", "--period=30")
    for name, rows in found.items():
        frames = made.lengths[name]
        ends = [*range(30, frames, 30), frames]
        assert rows[:, DIM].tolist() == ends
        for row, end in zip(rows, ends, strict=True):
            np.testing.assert_allclose(row[:DIM], made.features[name][:end].mean(0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give one of --vectors, --one-hot and --module"),
        (["--one-hot=x", "--module=y"], "give one of"),
        (["--one-hot=x", "--period=0"], "--period=0 must be positive"),
        (["--one-hot=nowhere"], "nowhere"),
        (["--module=data/utt2spk"], "data/utt2spk"),
        (["--module=sum.pt"], "the module makes [] of [1, 50, dim], expected [1, dim]"),
        (["--one-hot=empty"], "empty file empty"),
        (["--one-hot=strangers"], "none of the 2 speakers for one-hot vectors is in the data directory"),
        (["--vectors=ark:vectors"], "a vector of dimension 3, but 2 for those before"),
    ],
)
def test_what_does_not_do(
    made: MadeUpData, options: list[str], message: str, capfd: pytest.CaptureFixture[str], monkeypatch
) -> None:
    monkeypatch.chdir(made.path)
    saved(Sum(), made.path / "sum.pt")
    (made.path / "empty").write_text("")
    (made.path / "x").write_text("spk0\n")
    (made.path / "strangers").write_text("somebody\nelse\n")
    (made.path / "vectors").write_text("spk0 [ 1 2 ]\nspk1 [ 1 2 3 ]\n")
    assert run(make_speaker_vectors, [*options, str(made.data), "out"]) == 255
    assert message in capfd.readouterr().err
    assert not (made.path / "out/ivector_online.scp").exists()
