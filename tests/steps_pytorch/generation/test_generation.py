"""Generation: from a model, from its buffer, for given pdfs or phones, out of noise; and what is written of it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.inversion import FeatureInverter
from kaldi_bridge.features.options import FbankOptions
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.hmm.tree import ContextDependency
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, WAVE
from kaldi_bridge.transforms.cmvn import compute_stats
from steps_pytorch.commands.decorrupt import main as decorrupt_main
from steps_pytorch.commands.generate import main as generate_main
from steps_pytorch.data.normalization import Normalizer
from steps_pytorch.generation.corruption import corrupt
from steps_pytorch.generation.gallery import Gallery
from steps_pytorch.generation.options import ModelOptions, feature_options
from steps_pytorch.generation.pdf_sequences import pdfs_of_phones, read_target, stretched
from steps_pytorch.generation.sampling import from_buffer, from_model, restore
from steps_pytorch.generation.trained import TrainedDensity, sampler_options
from steps_pytorch.models.base import Model, ModelOutput
from steps_pytorch.objectives.energies import frame_energy
from steps_pytorch.objectives.energy_based import EnergyBased, EnergyBasedOptions
from steps_pytorch.samplers.options import SamplerOptions
from steps_pytorch.training.run.options import Run, RunOptions

DIM, PDFS = 6, 3
MEANS = torch.tensor([-2.0, 0.0, 2.0]).unsqueeze(1).expand(PDFS, DIM)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(4)


class Gaussians(Model):
    """Each pdf has a Gaussian of unit variance for the two frames that it sees, which no other output does."""

    feature_dim, num_pdfs, left_context, right_context, frame_subsampling_factor = DIM, PDFS, 1, 1, 2

    def __init__(self) -> None:
        super().__init__()
        self.means = torch.nn.Parameter(MEANS.clone())

    def forward(self, features: Tensor, ivectors: Tensor | None = None) -> ModelOutput:
        frames = features.unfold(1, 3, 2)[..., 1:]  # [N, n, dim, 2]
        difference = frames.unsqueeze(2) - self.means.view(PDFS, DIM, 1)
        return ModelOutput(-0.5 * difference.square().sum((3, 4)))


def density(**changes: Any) -> TrainedDensity:
    options = EnergyBasedOptions(**({"step_size": 0.05, "noise": 0.05, "max_steps": 100, "buffer_size": 30} | changes))
    part = EnergyBased(frame_energy, options)
    run = Run(RunOptions(), "", "", Path("."))
    return TrainedDensity(run, Gaussians().eval().requires_grad_(False), frame_energy, part, options)


# What is sampled.


def test_samples_for_pdfs_are_near_their_means() -> None:
    pdfs = [0, 0, 0, 2, 2, 2, 2, 1, 1, 1]
    history = from_model(density(), 5, len(pdfs), 3.0, pdfs)
    assert history.steps == [0, 1, 2, 4, 8, 16, 32, 64, 100]
    assert len(history.snapshots) == 9 and history.energies.shape == (101, 5)
    assert history.samples.shape == (5, 2 * 9 + 3, DIM)
    assert (history.energies[-1] < history.energies[0] / 10).all()
    for output, pdf in enumerate(pdfs):
        frames = slice(1 + 2 * output, 3 + 2 * output)
        assert history.samples[:, frames].mean() == pytest.approx(float(MEANS[pdf, 0]), abs=0.1)


def test_free_samples_stop_at_the_energy_of_data() -> None:
    known = density(min_steps=1)
    first = from_model(known, 4, 10)
    assert first.steps[-1] == 100  # nothing is known of data yet
    assert known.energy_based is not None
    known.energy_based.minibatches += 1
    known.energy_based.data_energy.fill_(1.0)
    history = from_model(known, 4, 10)
    assert history.steps[-1] < 100
    assert history.energies[-1].mean() <= 1.0 < history.energies[-2].mean()


def test_the_buffer_by_score() -> None:
    known = density()
    with pytest.raises(KaldiError, match="no replay buffer"):
        from_buffer(known, 3)
    buffer = known.energy_based.buffer
    buffer.draw(torch.zeros(1, 2 * 3 + 3, DIM))
    buffer.num_steps[:20] = 7
    buffer.samples = MEANS[torch.arange(30) % 3].unsqueeze(1).repeat(1, 9, 1) + 0.1 * torch.randn(30, 9, DIM)
    samples, scores = from_buffer(known, 100, [2, 2, 2, 2])
    assert len(samples) == 20  # none that was never moved
    assert (np.diff(scores) <= 0).all()
    assert samples[:6].mean() == pytest.approx(2.0, abs=0.1) and samples[-7:].mean() == pytest.approx(-2.0, abs=0.1)
    free, energies = from_buffer(known, 6)
    assert free.shape == (6, 9, DIM)
    want = -frame_energy(known.model(torch.from_numpy(free)).output) / 4
    assert energies == pytest.approx(want.numpy())
    with pytest.raises(KaldiError, match="3 pdfs, but the samples of the buffer have 4"):
        from_buffer(known, 3, [0, 0, 0])


def test_noise_is_taken_away() -> None:
    clean = np.repeat(MEANS.numpy()[[0, 2, 1]], 8, 0)
    noisy = corrupt("gauss", clean, 0.7, np.random.default_rng(0))
    history = restore(density(noise=0.0), noisy)
    assert history.samples.shape == (1, 24, DIM)
    assert (history.snapshots[0][0] == noisy).all()
    before, after = (np.square(x - clean).mean() for x in (noisy, history.samples[0]))
    assert after < 0.3 * before


def test_corruptions() -> None:
    random = np.random.default_rng(0)
    clean = 1 + random.random((50, 20)).astype(np.float32)
    assert (corrupt("none", clean, 0.5, random) == clean).all()
    assert (corrupt("gauss", clean, 0.5, random) - clean).std() == pytest.approx(0.5, rel=0.1)
    assert (corrupt("salt-pepper", clean, 0.3, random) == 0).mean() == pytest.approx(0.3, abs=0.05)
    frames = (corrupt("time-mask", clean, 0.2, random) == 0).all(1).nonzero()[0]
    assert len(frames) == 10 and frames[-1] - frames[0] == 9
    assert (corrupt("frequency-mask", clean, 0.25, random) == 0).all(0).sum() == 5
    with pytest.raises(KaldiError, match="--corruption=reverb"):
        corrupt("reverb", clean, 0.5, random)
    with pytest.raises(KaldiError, match="level"):
        corrupt("time-mask", clean, 1.5, random)


# What is to be said.


def test_pdfs_are_stretched() -> None:
    assert stretched([4, 2], 5, 5) == [4, 4, 2, 2, 2]
    with pytest.raises(KaldiError, match="no pdf 5"):
        stretched([5], 3, 5)
    with pytest.raises(KaldiError, match="4 pdfs.* into 3 frames"):
        stretched([0, 1, 2, 3], 3, 5)


@pytest.mark.parametrize("folder", ["chain_tree", "tri1"])
def test_phones_become_pdfs_that_the_transition_model_has(folder: str, reference: Path) -> None:
    """Left biphones in one state with two pdfs each; triphones in three states. Each path is one of the HMM."""
    path = reference / "fsdd" / folder
    model = read_transition_model(str(path / "final.mdl"))
    with open_input(str(path / "tree")) as stream:
        tree = ContextDependency.read(stream, read_header(stream))
    phones = [1, 5, 9, 1]
    pdfs = pdfs_of_phones(phones, 40, tree, model.topology)
    assert len(pdfs) == 40
    for i, phone in enumerate(phones):
        states = len(model.topology.states(phone)) - 1
        own = pdfs[10 * i : 10 * i + 10]
        of_phone = {pdf for row in model.tuples.tolist() if row[0] == phone for pdf in row[2:]}
        assert set(own) <= of_phone
        changes = sum(a != b for a, b in zip(own, own[1:], strict=False))
        assert changes <= (states - 1 if model.topology.is_hmm else 2 * states - 1)
    with pytest.raises(KaldiError, match="do not go into"):
        pdfs_of_phones(phones, 3, tree, model.topology)


def test_targets_of_options(tmp_path: Path, reference: Path) -> None:
    assert read_target("", "", 10, PDFS, tmp_path) is None
    assert read_target("2 0", "", 4, PDFS, tmp_path) == [2, 2, 0, 0]
    for pdfs, phones, reason in (("1", "a", "not both"), ("x", "", "must be numbers"), ("", "a", "phones.txt")):
        with pytest.raises(KaldiError, match=reason):
            read_target(pdfs, phones, 4, PDFS, tmp_path)
    fsdd = reference / "fsdd"
    for name in ("tree", "final.mdl"):
        (tmp_path / name).symlink_to(fsdd / "chain_tree" / name)
    (tmp_path / "phones.txt").symlink_to(fsdd / "lang" / "phones.txt")
    symbol = (tmp_path / "phones.txt").read_text().split()[2]
    assert len(read_target("", f"{symbol} {symbol}", 8, 72, tmp_path) or []) == 8
    with pytest.raises(KaldiError, match="xyz is not in"):
        read_target("", "xyz", 8, 72, tmp_path)


def test_sampler_options_are_those_of_training_but_for_what_is_given() -> None:
    base = SamplerOptions(sampler="adam", max_steps=7, noise=0.5)
    made = sampler_options(base, ["--max-steps=9"])
    assert (made.sampler, made.max_steps, made.noise) == ("adam", 9, 0.5)
    with pytest.raises(KaldiError, match="sampler: Invalid option --max-stops=9; its options are .*--max-steps"):
        sampler_options(base, ["--max-stops=9"])


# What is written.


def png_size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_a_gallery_has_features_pictures_and_sound(tmp_path: Path) -> None:
    options = FbankOptions(sample_frequency=8000, num_mel_bins=20)
    statistics = np.array([[50.0] * 20 + [10.0], [1000.0] * 20 + [10.0]])  # mean 5, variance 75
    features = np.random.default_rng(0).standard_normal((30, 20)).astype(np.float32)
    with Gallery(tmp_path, Normalizer({"": statistics}, {}, True), FeatureInverter(options)) as gallery:
        gallery.add("one", [("start", features), ("end", features)], np.arange(5.0), inside=(4, 26))
    assert gallery.count == 1
    written = dict(SequentialReader(f"scp:{tmp_path}/feats.scp", FLOAT_MATRIX))["one"]
    np.testing.assert_allclose(written, features[4:26] * np.sqrt(75) + 5, rtol=1e-5)
    width, height = png_size(tmp_path / "pictures" / "one.png")
    assert width == 700 and height > 600
    with open_input(str(tmp_path / "wav" / "one.wav")) as stream:
        wave = WAVE.read(stream)
    assert wave.sample_frequency == 8000 and wave.data.shape == (1, 21 * 80 + 200)
    assert 0 < np.abs(wave.data).max() <= 0.9 * 32767 + 1


def test_normalization_is_undone() -> None:
    random = np.random.default_rng(0)
    first, second = (offset + random.standard_normal((100, 3)) for offset in (0.0, 5.0))
    normalizer = Normalizer({"a": compute_stats(first), "b": compute_stats(second)}, {"u": "b"}, True)
    features = second[:7].astype(np.float32)
    np.testing.assert_allclose(normalizer.undo("u", normalizer("u", features)), features, atol=1e-5)
    both = np.concatenate([first, second])
    undone = normalizer.average().undo("", np.zeros((2, 3), np.float32))
    np.testing.assert_allclose(undone, np.tile(both.mean(0), (2, 1)), rtol=1e-5)


def test_feature_configs(tmp_path: Path) -> None:
    config = tmp_path / "fbank.conf"
    config.write_text("--num-mel-bins=64 # many\n--sample-frequency=8000\n")
    made = feature_options(ModelOptions(fbank_config=str(config)))
    assert isinstance(made, FbankOptions) and (made.num_mel_bins, made.sample_frequency) == (64, 8000.0)
    assert feature_options(ModelOptions()) is None
    config.write_text("--num-ceps=13\n")
    with pytest.raises(KaldiError, match="num-ceps"):
        feature_options(ModelOptions(fbank_config=str(config)))


# The programs.


def train_something(folder: Path, reference: Path) -> Path:
    """A run of nnet-pytorch-train-model, the smallest that there is."""
    from steps_pytorch.commands.train_model import main as train_main

    fsdd = reference / "fsdd"
    more = folder.parent / "unlabeled"
    more.write_text(f"name=unlabeled data={fsdd}/data/test_hires targets=none repeat=0.05\n")
    options = [
        f"--more-data={more}",
        "--cmvn-opts=--norm-means=true --norm-vars=false",
        "--model=tdnn",
        "--model-opts=--hidden-dim=8 --time-strides='1 1' --norm=none",
        "--objective=cross-entropy-ebm",
        "--objective-opts=--joint --buffer-size=64 --max-steps=2 --min-steps=2 --step-size=0.1",
        "--optimizer=adam",
        "--num-epochs=0.05",
        "--iterations-per-epoch=20",
        "--chunk-width=40,20",
        "--minibatch-size=16",
        "--num-workers=0",
        "--valid-utterances=2",
    ]
    assert train_main.run([*options, str(fsdd / "data/train_hires"), str(fsdd / "tri1"), str(folder)]) == 0
    return folder


@pytest.mark.slow
def test_programs(
    tmp_path: Path, reference: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Trained, sampled, its buffer sorted, and utterances restored; MFCC become pictures and sound."""
    monkeypatch.chdir(reference / "fsdd")  # its tables have relative paths
    model = train_something(tmp_path / "exp", reference)
    config = f"--mfcc-config={reference}/fsdd/conf/mfcc_hires.conf"
    out = tmp_path / "model"
    words = [config, "--num-samples", "2", "--num-frames=30", "--pdfs=1 2", "--sampler-opts=--max-steps=4"]
    assert generate_main.run([*words, str(model), str(out)]) == 0
    features = dict(SequentialReader(f"scp:{out}/feats.scp", FLOAT_MATRIX))
    assert {key: value.shape for key, value in features.items()} == {f"sample-00{n}": (30, 40) for n in range(2)}
    assert {path.name for path in (out / "wav").iterdir()} == {"sample-000.wav", "sample-001.wav"}
    assert "4 steps: mean energy per output frame" in capfd.readouterr().err

    out = tmp_path / "buffer"
    words = [config, "--source=buffer", "--pdfs=3 4", "--top-k=3"]
    assert generate_main.run([*words, str(model), str(out)]) == 0
    assert len(list((out / "pictures").iterdir())) == 6
    assert generate_main.run(["--source=buffer", "--num-samples=2", str(model), str(tmp_path / "free")]) == 0
    assert generate_main.run(["--source=void", str(model), str(out)]) == 255

    out = tmp_path / "restored"
    data = str(reference / "fsdd/data/test_hires")
    words = [config, "--corruption=gauss", "--num-utterances=2", "--sampler-opts=--max-steps=3"]
    assert decorrupt_main.run([*words, data, str(model), str(out)]) == 0
    restored = dict(SequentialReader(f"scp:{out}/feats.scp", FLOAT_MATRIX))
    original = dict(SequentialReader(f"scp:{data}/feats.scp", FLOAT_MATRIX))
    assert len(restored) == 2 and all(restored[key].shape == original[key].shape for key in restored)
    assert "Mean squared distance from the original:" in capfd.readouterr().err
