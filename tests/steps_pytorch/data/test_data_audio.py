"""Features on the fly from recordings, and what is done to them at random."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import FbankOptions, FrameOptions, MfccOptions, WaveformOptions
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.wave import Wave, write_wave
from steps_pytorch.data.audio_features import AudioFeatures
from steps_pytorch.data.dataset import ChunkShape, DataSet
from steps_pytorch.data.feature_sources import TableFeatures
from steps_pytorch.data.loader import ChunkLoader
from steps_pytorch.data.perturbation.feature_noise import FeatureDrop, FeatureNoise
from steps_pytorch.data.perturbation.noise import GaussianNoise, RecordedNoise
from steps_pytorch.data.perturbation.options import PerturbationOptions
from steps_pytorch.data.perturbation.reverberation import Reverberation
from steps_pytorch.data.perturbation.sounds import Sounds
from steps_pytorch.data.perturbation.spec_augment import SpecAugment
from steps_pytorch.data.perturbation.volume import Volume
from steps_pytorch.data.recordings import Recordings
from steps_pytorch.data.targets import PdfTargets, SupervisionTargets
from tests.helpers.made_up_data import MadeUpData

RATE = 8000


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    with open_output(str(path)) as stream:
        write_wave(stream, Wave(rate, samples[None]))


@pytest.fixture
def data(tmp_path) -> Path:
    """Three recordings of about a second, one of them through a pipe; a fourth utterance is a part of the first."""
    random = np.random.default_rng(0)
    path = tmp_path / "data"
    path.mkdir()
    for i in range(3):
        write(path / f"rec{i}.wav", np.round(random.normal(size=8000 + 500 * i) * 1000))
    files = [path / "rec0.wav", path / "rec1.wav", f"cat {path}/rec2.wav |"]
    (path / "wav.scp").write_text("".join(f"rec{i} {file}\n" for i, file in enumerate(files)))
    (path / "segments").write_text("a rec0 0 -1\nb rec1 0 1.0625\nc rec2 0 1.125\nd rec0 0.25 0.75\n")
    (path / "utt2spk").write_text("a a\nb b\nc c\nd d\n")
    return path


def samples_of(data: Path, utterance: str) -> np.ndarray:
    recordings = Recordings(data, FrameOptions(sample_frequency=RATE))
    return recordings.samples(utterance, 0, recordings.lengths[utterance])


def test_parts_of_recordings(data):
    recordings = Recordings(data, FrameOptions(sample_frequency=RATE))
    assert recordings.lengths == {"a": 8000, "b": 8500, "c": 9000, "d": 4000}
    np.testing.assert_array_equal(samples_of(data, "d"), samples_of(data, "a")[2000:6000])
    np.testing.assert_array_equal(recordings.samples("c", 100, 50), samples_of(data, "c")[100:150])


def test_what_is_wrong_with_recordings_is_told(data):
    write(data / "rec1.wav", np.ones(100), 16000)
    (data / "rec2.wav").write_text("no recording")
    with open(data / "segments", "a") as file:
        file.write("e rec0 2 3\nf rec9 0 1\n")
    recordings = Recordings(data, FrameOptions(sample_frequency=RATE))
    assert set(recordings.lengths) == {"a", "d"}
    assert "rec1.wav: Waveform and config sample Frequency mismatch: 16000 .vs 8000" in recordings.bad["b"]
    assert "expected RIFF" in recordings.bad["c"]
    assert "begins after the end of recording rec0" in recordings.bad["e"]
    assert "no recording rec9" in recordings.bad["f"]


OPTIONS = [
    MfccOptions(sample_frequency=RATE, use_energy=False, dither=0),
    MfccOptions(sample_frequency=RATE, use_energy=False, dither=0, snip_edges=False),
    FbankOptions(sample_frequency=RATE, dither=0, num_mel_bins=15),
    WaveformOptions(sample_frequency=RATE),
    WaveformOptions(sample_frequency=RATE, snip_edges=False),
]


@pytest.mark.parametrize("options", OPTIONS)
def test_chunks_have_the_features_of_the_utterance(data, options):
    """Computed from just their samples, to 1e-3; edge frames repeated."""
    source = AudioFeatures(data, options)
    for utterance, length in source.lengths.items():
        whole = FeatureExtractor(options)(samples_of(data, utterance), RATE)
        assert whole.shape == (length, source.dim)
        for first, count in ((0, length), (10, 7), (-4, 9), (length - 3, 8)):
            expected = whole[np.arange(first, first + count).clip(0, length - 1)]
            np.testing.assert_allclose(source.frames(utterance, first, count, None), expected, atol=1e-3)


@pytest.mark.parametrize("rate", [11025, 16000])
def test_chunks_of_recordings_at_another_rate(data, rate):
    """As of utterances that were cut out and resampled whole, to the last bit: without what surrounds them."""
    options = FbankOptions(sample_frequency=rate, dither=0, allow_upsample=True)
    source = AudioFeatures(data, options)
    for utterance, length in source.lengths.items():
        whole = FeatureExtractor(options)(samples_of(data, utterance), RATE)
        assert whole.shape == (length, source.dim)
        for first, count in ((0, length), (10, 7), (length - 3, 3)):
            np.testing.assert_array_equal(source.frames(utterance, first, count, None), whole[first : first + count])
    assert source.length_at("a", 0.9) > source.lengths["a"]
    assert source.frames("a", 20, 5, None, 0.9).shape == (5, source.dim)
    assert set(AudioFeatures(data, FbankOptions(sample_frequency=rate)).bad) == {"a", "b", "c", "d"}


def tone(frequency: float, length: int = 16000) -> np.ndarray:
    return np.round(8000 * np.sin(2 * np.pi * frequency * np.arange(length) / RATE))


def test_speeds_change_lengths_and_frequencies(tmp_path):
    """A tone of 1000 Hz, 1.1 times as fast, is one of 1100 Hz; features of a part are those of the whole to 0.02."""
    write(tmp_path / "a.wav", tone(1000.0))
    write(tmp_path / "b.wav", tone(1100.0, int(16000 / 1.1)))
    (tmp_path / "wav.scp").write_text(f"a {tmp_path}/a.wav\nb {tmp_path}/b.wav\n")
    (tmp_path / "utt2spk").write_text("a a\nb b\n")
    source = AudioFeatures(tmp_path, FbankOptions(sample_frequency=RATE, dither=0))
    assert source.length_at("a", 1.1) == source.lengths["b"]
    count = source.lengths["b"]
    fast, expected = source.frames("a", 0, count, None, 1.1), source.frames("b", 0, count, None)
    assert (fast.argmax(1) == expected.argmax(1)).all()
    loud = expected > expected.max() - 5  # elsewhere there is hardly anything
    np.testing.assert_allclose(fast[5:-5][loud[5:-5]], expected[5:-5][loud[5:-5]], atol=0.02)
    part = source.frames("a", 60, 20, None, 1.1)
    np.testing.assert_allclose(part[loud[60:80]], fast[60:80][loud[60:80]], atol=0.02)
    for frames in (150, 163, 177):
        assert source.length_at("a", source.speed_for("a", frames)) == frames


@pytest.mark.parametrize("snip_edges", [True, False])
def test_alignments_are_stretched_with_the_speed(tmp_path, snip_edges):
    """A recording whose loudness jumps at known times: the targets say where, at each speed."""
    steps = np.repeat([1.0, 100.0, 1.0, 100.0], 4000)
    write(tmp_path / "a.wav", np.round(50 * steps * np.random.default_rng(0).normal(size=16000)).clip(-3e4, 3e4))
    (tmp_path / "wav.scp").write_text(f"a {tmp_path}/a.wav\n")
    (tmp_path / "utt2spk").write_text("a a\n")
    options = MfccOptions(sample_frequency=RATE, use_energy=True, dither=0, snip_edges=snip_edges)
    source = AudioFeatures(tmp_path, options)
    energy = source.frames("a", 0, source.lengths["a"], None)[:, 0]
    middle = (energy.max() + energy.min()) / 2
    loud = (energy > middle).astype(np.int64)
    train = DataSet("train", source, PdfTargets({"a": loud}, 2), speeds=(0.8, 1.25))
    chunks = ChunkLoader([train], ChunkShape(), chunk_width="40", minibatch_size="1")
    lengths = set()
    for _ in range(4):
        wrong = total = 0
        for batch in chunks:
            wrong += int((batch.pdfs[0] != (batch.features[0, :, 0] > middle)).sum())
            total += batch.num_outputs
        assert wrong <= 9  # frames at a jump
        lengths.add(total)
    assert len(lengths) == 2


def test_lattice_supervision_is_for_one_speed(data, tmp_path):
    made_up = MadeUpData(tmp_path / "made_up")
    targets = SupervisionTargets(f"{made_up.path}/supervision.scp", f"{made_up.path}/normalization.fst")
    source = AudioFeatures(data, OPTIONS[0])
    with pytest.raises(KaldiError, match="supervision of a lattice is of one speed"):
        DataSet("train", source, targets, speeds=(0.9, 1.1))
    with pytest.raises(KaldiError, match="computed from recordings"):
        DataSet("train", TableFeatures(made_up.data), None, speeds=(0.9,))


def snr(clean: np.ndarray, noisy: np.ndarray) -> float:
    return 10 * np.log10(np.mean(clean**2) / np.mean((noisy - clean) ** 2))


@pytest.fixture
def sounds(tmp_path) -> Path:
    """A folder of two noises, one at another rate."""
    folder = tmp_path / "noises"
    folder.mkdir()
    random = np.random.default_rng(1)
    write(folder / "hum.wav", np.round(1000 * random.normal(size=3000)))
    write(folder / "hiss.wav", np.round(1000 * random.normal(size=20000)), 16000)
    return folder


def test_noise_has_the_ratio_that_is_asked_for(sounds):
    clean = tone(440.0)
    random = np.random.default_rng(0)
    for noise in (GaussianNoise((12.0, 12.0)), RecordedNoise(Sounds(sounds, RATE), (12.0, 12.0))):
        one, two = noise(clean, random), noise(clean, random)
        assert snr(clean, one) == pytest.approx(12.0, abs=0.1)
        assert not np.array_equal(one, two)
    ratios = [snr(clean, GaussianNoise((5.0, 25.0))(clean, random)) for _ in range(50)]
    assert 5 < min(ratios) < 10 < 20 < max(ratios) < 25
    silent = np.zeros(100, np.float32)
    assert not RecordedNoise(Sounds(sounds, RATE))(silent, random).any()
    half = RecordedNoise(Sounds(sounds, RATE), share=0.5)
    assert 20 < sum(np.array_equal(half(clean, random), clean) for _ in range(80)) < 60


def test_reverberation_neither_delays_nor_amplifies(tmp_path):
    """The sound itself after 5 ms and an echo 50 ms later: the echo of a click comes 400 samples later."""
    response = np.zeros(1000)
    response[40], response[440] = 20000.0, 10000.0
    write(tmp_path / "rir.wav", response)
    reverberation = Reverberation(Sounds(tmp_path, RATE))
    assert reverberation.history >= 1000
    click = np.zeros(4000, np.float32)
    click[1000] = 10000.0
    heard = reverberation(click, np.random.default_rng(0))
    assert len(heard) == 4000
    assert np.argmax(heard) == 1000
    assert heard[1400] == pytest.approx(heard[1000] / 2, rel=1e-3)
    assert np.mean(heard**2) == pytest.approx(np.mean(click**2), rel=1e-3)


def test_reverberation_hears_what_was_before_the_chunk(data, tmp_path):
    """Features of a chunk are those of the same frames of the whole reverberated utterance, up to its loudness."""
    response = np.zeros(1000)
    response[0], response[900] = 10000.0, 9000.0
    (tmp_path / "rirs").mkdir()
    write(tmp_path / "rirs" / "rir.wav", response)
    options = FbankOptions(sample_frequency=RATE, dither=0)
    source = AudioFeatures(data, options, [Reverberation(Sounds(tmp_path / "rirs", RATE, 1000))])
    random = np.random.default_rng(0)
    whole = source.frames("a", 0, source.lengths["a"], random)
    difference = source.frames("a", 40, 20, random) - whole[40:60]
    np.testing.assert_allclose(difference, difference.mean(), atol=1e-2)
    dry = AudioFeatures(data, options).frames("a", 40, 20, random)
    assert abs(dry - whole[40:60]).max() > 0.5
    np.testing.assert_array_equal(source.frames("a", 40, 20, None), dry)  # none in validation


def test_volume(data):
    factors = [float(Volume((0.5, 2.0))(np.ones(1), np.random.default_rng(i))[0]) for i in range(50)]
    assert 0.5 <= min(factors) < 0.7 < 1.8 < max(factors) <= 2.0


def test_dither_is_random_but_fixed_by_the_seed(data):
    source = AudioFeatures(data, MfccOptions(sample_frequency=RATE, dither=10.0))
    one, same, other = (source.frames("a", 5, 20, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    without = source.frames("a", 5, 20, None)
    np.testing.assert_array_equal(without, source.frames("a", 5, 20, None))


def test_spec_augment_masks_no_more_than_it_may():
    features = np.arange(100 * 12, dtype=np.float32).reshape(100, 12)
    random = np.random.default_rng(0)
    augment = SpecAugment(time_masks=2, time_width=30, most_time=0.2, frequency_masks=1, frequency_width=4)
    masked = [augment(features, random) != features for _ in range(100)]
    frames = [int(m.all(1).sum()) for m in masked]
    columns = [int(m.all(0).sum()) for m in masked]
    assert max(frames) <= 20
    assert max(columns) == 4
    assert len(set(frames)) > 5
    assert not (SpecAugment(time_masks=0)(features, random) != features).any()


def test_options_make_perturbations(sounds):
    options = PerturbationOptions(
        speeds="0.9,1.0,1.1", noise=str(sounds), reverberation=str(sounds), gaussian_snr="10:20", volume="0.5:2"
    )
    kinds = [type(p) for p in options.of_waveforms(RATE)]
    assert kinds == [Reverberation, RecordedNoise, GaussianNoise, Volume]
    assert options.speed_factors() == (0.9, 1.0, 1.1)
    assert options.needs_recordings
    none = PerturbationOptions()
    assert none.of_waveforms(RATE) == []
    assert none.of_features() == []
    assert none.speed_factors() == ()
    assert not none.needs_recordings
    several = PerturbationOptions(time_masks=1, feature_noise="0.1:0.3", feature_drop="0.2").of_features()
    assert [type(p) for p in several] == [FeatureNoise, FeatureDrop, SpecAugment]
    for wrong in (
        {"volume": "0:2"},
        {"volume": "x"},
        {"gaussian_snr": "20:10"},
        {"noise": "nowhere"},
        {"noise": str(sounds), "noise_share": 2.0},
        {"reverberation": str(sounds / "hum.wav")},
    ):
        with pytest.raises(KaldiError):
            PerturbationOptions(**wrong).of_waveforms(RATE)
    for wrong in ({"feature_noise": "-1:1"}, {"feature_drop": "1.5"}, {"time_masks": -1}):
        with pytest.raises(KaldiError):
            PerturbationOptions(**wrong).of_features()
    for speeds in ("0", "fast", "0.9,"):
        with pytest.raises(KaldiError):
            PerturbationOptions(speeds=speeds).speed_factors()


def test_workers_make_the_same_of_recordings(data, sounds):
    perturbations = PerturbationOptions(noise=str(sounds), volume="0.5:2").of_waveforms(RATE)
    source = AudioFeatures(data, MfccOptions(sample_frequency=RATE), perturbations)
    train = DataSet("train", source, speeds=(0.9, 1.1), perturbations=[SpecAugment()])
    batches = [
        [b.features.numpy() for b in ChunkLoader([train], ChunkShape(2, 2), chunk_width="20", num_workers=workers)]
        for workers in (0, 2)
    ]
    for one, other in zip(*batches, strict=True):
        np.testing.assert_array_equal(one, other)
