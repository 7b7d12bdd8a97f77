"""Features of recorded speech against Kaldi's, and what is said of recordings that cannot be used."""

import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.featbin import compute_fbank_feats, compute_mfcc_feats, copy_feats
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import FbankOptions, MfccOptions
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX


def write_wav(path: Path, samples: np.ndarray, rate: int = 8000) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(samples.shape[1] if samples.ndim == 2 else 1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.astype("<i2").tobytes())


@pytest.fixture
def tone() -> np.ndarray:
    return 1000 * np.sin(np.arange(8000) * 0.3)


def test_mfcc_are_kaldis(reference: Path, corpus: Path, tmp_path: Path) -> None:
    """Kaldi's have its random dither and 8-bit compression; the tolerances cover those, not a wrong option."""
    wavs = sorted((corpus / "fsdd/test/wav").glob("*.wav"))[:10]
    (tmp_path / "wav.scp").write_text("".join(f"{w.stem} {w}\n" for w in wavs))
    config = reference / "fsdd/conf/mfcc_hires.conf"
    arguments = [f"--config={config}", "--dither=0", f"scp:{tmp_path}/wav.scp", f"ark:{tmp_path}/out.ark"]
    assert run(compute_mfcc_feats.main, arguments) == 0
    with SequentialReader(f"ark:{reference}/fsdd/data/test_hires/feats.ark", FLOAT_MATRIX) as reader:
        kaldis = dict(reader)
    with SequentialReader(f"ark:{tmp_path}/out.ark", FLOAT_MATRIX) as reader:
        ours = dict(reader)
    assert list(ours) == [w.stem for w in wavs]
    for utterance, feats in ours.items():
        expected = kaldis[utterance]
        assert feats.shape == expected.shape
        assert np.abs((feats - expected).mean(0)).max() < 0.05 * expected.std(0).max()
        assert np.corrcoef(feats.ravel(), expected.ravel())[0, 1] > 0.999


def test_snip_edges_decides_the_number_of_frames(tone: np.ndarray) -> None:
    options = dict(sample_frequency=8000.0, dither=0.0)
    assert FeatureExtractor(MfccOptions(**options))(tone, 8000).shape == (98, 13)
    assert FeatureExtractor(MfccOptions(**options, snip_edges=False))(tone, 8000).shape == (100, 13)
    assert FeatureExtractor(FbankOptions(**options, use_energy=True))(tone, 8000).shape == (98, 24)


def test_dither_is_the_same_in_each_process(tmp_path: Path, tone: np.ndarray) -> None:
    """And other than none, so that a recipe with dithered features can be repeated."""
    write_wav(tmp_path / "a.wav", tone)
    (tmp_path / "wav.scp").write_text(f"a {tmp_path}/a.wav\nb {tmp_path}/a.wav\n")
    command = [sys.executable, "-m", "kaldi_bridge.commands.featbin.compute_mfcc_feats", "--sample-frequency=8000"]
    made = [
        subprocess.run([*command, f"--dither={dither}", f"scp:{tmp_path}/wav.scp", "ark:-"], capture_output=True).stdout
        for dither in (1, 1, 0)
    ]
    assert made[0] == made[1]
    assert len(made[0]) == len(made[2])
    assert made[0] != made[2]


def test_shorter_than_a_frame(tone: np.ndarray) -> None:
    assert FeatureExtractor(MfccOptions(sample_frequency=8000.0))(tone[:100], 8000).shape == (0, 13)


@pytest.mark.parametrize(
    "wrong",
    [
        dict(num_mel_bins=2),
        dict(num_ceps=50),
        dict(low_freq=9000.0),
        dict(high_freq=9000.0),
        dict(window_type="round"),
        dict(frame_shift=0.0),
        dict(frame_length=float("nan")),
        dict(sample_frequency=-1.0),
        dict(preemphasis_coefficient=2.0),
    ],
)
def test_options_that_make_no_sense(wrong: dict) -> None:
    with pytest.raises(KaldiError):
        FeatureExtractor(MfccOptions(**wrong))


def test_recordings_that_cannot_be_used_are_counted(
    tmp_path: Path, tone: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "good.wav", tone)
    write_wav(tmp_path / "fast.wav", tone, rate=16000)
    write_wav(tmp_path / "short.wav", tone[:80])
    write_wav(tmp_path / "stereo.wav", np.stack([tone, tone], axis=1))
    names = ["fast", "good", "short", "stereo"]
    (tmp_path / "wav.scp").write_text("".join(f"{n} {tmp_path}/{n}.wav\n" for n in names))
    arguments = ["--sample-frequency=8000", "--dither=0", "--min-duration=0.1", f"--write-utt2dur=ark,t:{tmp_path}/dur"]
    assert run(compute_fbank_feats.main, [*arguments, f"scp:{tmp_path}/wav.scp", f"ark:{tmp_path}/out.ark"]) == 0
    error = capfd.readouterr().err
    assert (
        "Failed to compute features for utterance fast" in error
        and "mismatch: 16000 .vs 8000 (use --allow-downsample=true" in error
    )
    assert "short is too short" in error
    assert "2 channels; defaulting to zero" in error
    assert "Done 2 out of 4 utterances" in error
    assert (tmp_path / "dur").read_text().split() == ["good", "1", "stereo", "1"]


def test_nothing_usable_fails(tmp_path: Path) -> None:
    (tmp_path / "wav.scp").write_text("")
    assert run(compute_mfcc_feats.main, [f"scp:{tmp_path}/wav.scp", f"ark:{tmp_path}/out.ark"]) == 1


@pytest.mark.parametrize("method", range(1, 8))
def test_copy_feats_compresses_as_kaldi(reference: Path, tmp_path: Path, method: int) -> None:
    tables = reference / "tables"
    arguments = [
        "--compress=true",
        f"--compression-method={method}",
        f"ark:{tables}/feats.ark",
        f"ark:{tmp_path}/c.ark",
    ]
    assert run(copy_feats.main, [f"--write-num-frames=ark,t:{tmp_path}/n", *arguments]) == 0
    assert (tmp_path / "c.ark").read_bytes() == (tables / f"compressed{method}.ark").read_bytes()
    assert len((tmp_path / "n").read_text().splitlines()) == 3


def test_copy_feats_of_single_files(reference: Path, tmp_path: Path) -> None:
    feats = f"{reference}/zoo/inputs/lda.mat"
    assert run(copy_feats.main, ["--binary=false", feats, f"{tmp_path}/a"]) == 0
    assert run(copy_feats.main, [f"{tmp_path}/a", f"{tmp_path}/b"]) == 0
    assert (tmp_path / "a").read_text().lstrip().startswith("[")
    assert run(copy_feats.main, ["--compress=true", feats, f"{tmp_path}/c"]) == 255
    assert not (tmp_path / "c").exists()
