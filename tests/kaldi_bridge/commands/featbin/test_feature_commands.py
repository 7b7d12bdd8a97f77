"""Segments, online normalization, deltas, splicing and transforms as programs, and features by job."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import Command, run
from kaldi_bridge.commands.featbin import (
    add_deltas,
    compute_cmvn_stats,
    extract_segments,
    splice_feats,
    transform_feats,
)
from kaldi_bridge.commands.online2bin import apply_cmvn_online
from kaldi_bridge.data_dirs.segments import SegmentError, cut, parse_segment
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import FbankOptions, PlpOptions
from kaldi_bridge.features.splicing import add_deltas as deltas_of
from kaldi_bridge.io.matrix_io import write_matrix
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text_files import read_rows
from kaldi_bridge.io.wave import Wave, write_wave
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, WAVE
from tests.helpers.places import STEPS


def succeed(program: Command, *arguments: object) -> None:
    assert run(program, [str(argument) for argument in arguments]) == 0


def read(path: Path) -> dict[str, np.ndarray]:
    with SequentialReader(f"ark:{path}", FLOAT_MATRIX) as reader:
        return dict(reader)


@pytest.fixture
def feats(reference: Path) -> dict[str, np.ndarray]:
    return read(reference / "tables/feats.ark")


def test_deltas_and_splices(reference: Path, feats: dict[str, np.ndarray], tmp_path: Path) -> None:
    source = f"ark:{reference}/tables/feats.ark"
    succeed(add_deltas.main, "--delta-order=1", "--truncate=3", source, f"ark:{tmp_path}/d")
    succeed(splice_feats.main, "--left-context=1", "--right-context=0", source, f"ark:{tmp_path}/s")
    for utterance, found in read(tmp_path / "d").items():
        np.testing.assert_array_equal(found, deltas_of(feats[utterance][:, :3], 1))
    for utterance, found in read(tmp_path / "s").items():
        np.testing.assert_array_equal(found[1:, : found.shape[1] // 2], feats[utterance][:-1])
    assert run(add_deltas.main, ["--truncate=1000", source, f"ark:{tmp_path}/t"]) == 255
    assert not (tmp_path / "t").exists()


def test_transforms(reference: Path, feats: dict[str, np.ndarray], tmp_path: Path, capfd) -> None:
    dim = next(iter(feats.values())).shape[1]
    matrix = np.random.default_rng(0).normal(size=(2, dim + 1)).astype(np.float32)
    with open_output(str(tmp_path / "mat")) as out:
        write_matrix(out, False, matrix)
    source = f"ark:{reference}/tables/feats.ark"
    succeed(transform_feats.main, tmp_path / "mat", source, f"ark:{tmp_path}/out")
    for utterance, found in read(tmp_path / "out").items():
        np.testing.assert_allclose(found, feats[utterance] @ matrix[:, :-1].T + matrix[:, -1], rtol=1e-4, atol=1e-4)
    assert "[pseudo-]logdet" in capfd.readouterr().err
    first, second, *_ = feats
    with TableWriter(f"ark:{tmp_path}/mats", FLOAT_MATRIX) as writer:
        writer.write(first, matrix)
        writer.write(second, matrix[:, :2])
    succeed(transform_feats.main, f"ark:{tmp_path}/mats", source, f"ark:{tmp_path}/out")
    assert list(read(tmp_path / "out")) == [first]
    assert f"Transform matrix for utterance {second} has bad dimension 2x2" in capfd.readouterr().err


def test_online_normalization(reference: Path, feats: dict[str, np.ndarray], tmp_path: Path, capfd) -> None:
    """Speakers are normalized one by one, an utterance after the other; global statistics come first."""
    source = f"ark:{reference}/tables/feats.ark"
    succeed(compute_cmvn_stats.main, source, tmp_path / "global")
    utterances = list(feats)
    (tmp_path / "spk2utt").write_text(f"s {' '.join(utterances)} missing\n")
    options = ["--global-frames=10", f"--spk2utt=ark:{tmp_path}/spk2utt"]
    succeed(apply_cmvn_online.main, *options, tmp_path / "global", source, f"ark:{tmp_path}/speaker")
    assert "No features for utterance missing" in capfd.readouterr().err
    succeed(apply_cmvn_online.main, "--global-frames=10", tmp_path / "global", source, f"ark:{tmp_path}/single")
    speaker, single = read(tmp_path / "speaker"), read(tmp_path / "single")
    np.testing.assert_array_equal(speaker[utterances[0]], single[utterances[0]])
    assert np.abs(speaker[utterances[1]] - single[utterances[1]]).max() > 1e-3


class TestSegments:
    @pytest.fixture
    def recording(self) -> Wave:
        return Wave(8000.0, np.arange(16000, dtype=np.float32)[np.newaxis] % 1000)

    def test_samples(self, recording: Wave) -> None:
        np.testing.assert_array_equal(cut(recording, parse_segment("a r 0.5 1")).data, recording.data[:, 4000:8000])
        assert cut(recording, parse_segment("a r 1.5 -1")).data.shape == (1, 4000)
        assert cut(recording, parse_segment("a r 1.5 2.4")).data.shape == (1, 4000)
        stereo = Wave(8000.0, np.concatenate([recording.data, -recording.data]))
        assert (cut(stereo, parse_segment("a r 0 1 1")).data <= 0).all()

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ("r 3 4", "Segment start is out of file data range [0, 2s]; skipping segment 'a r 3 4'"),
            ("r 1 3", "Segment end is too far out of file data range [0,2s]; skipping segment 'a r 1 3'"),
            ("r 1 1.05", "Segment a too short, skipping it."),
            ("r 0 0.1", "Segment a too short, skipping it."),  # the option is in single precision, a little more
            ("r 0 1 1", "Invalid channel 1 >= 1. Skipping segment a"),
            ("r 0 1 -1", "Invalid line in segments file [bad channel]: a r 0 1 -1"),
            ("r 1 1", "Invalid line in segments file [empty or invalid segment]: a r 1 1"),
            ("r x 1", "Invalid line in segments file [bad start]: a r x 1"),
            ("r 1 1_0", "Invalid line in segments file [bad end]: a r 1 1_0"),
            ("r", "Invalid line in segments file: a r"),
            ("r 0 1 2 3", "Invalid line in segments file: a r 0 1 2 3"),
        ],
    )
    def test_bad_segments(self, recording: Wave, fields: str, message: str) -> None:
        """Kaldi's messages."""
        with pytest.raises(SegmentError, match=re.escape(message)):
            cut(recording, parse_segment(f"a {fields}"))

    def test_channels_must_be_given(self, recording: Wave) -> None:
        """Which ends the program, as Kaldi's does, rather than leaving the segment out."""
        with pytest.raises(KaldiError, match="multiple channels") as error:
            cut(Wave(8000.0, np.concatenate([recording.data] * 2)), parse_segment("a r 0 1"))
        assert not isinstance(error.value, SegmentError)

    def test_program(self, recording: Wave, tmp_path: Path, capfd) -> None:
        with open_output(str(tmp_path / "r.wav")) as out:
            write_wave(out, recording)
        (tmp_path / "wav.scp").write_text(f"r {tmp_path}/r.wav\n")
        (tmp_path / "segments").write_text("a r 0 0.5\nb q 0 1\nc r 5 6\nd r 1 2\n")
        succeed(extract_segments.main, f"scp:{tmp_path}/wav.scp", tmp_path / "segments", f"ark:{tmp_path}/out")
        with SequentialReader(f"ark:{tmp_path}/out", WAVE) as reader:
            assert {key: wave.data.shape[1] for key, wave in reader} == {"a": 4000, "d": 8000}
        said = capfd.readouterr().err
        assert ") Could not find recording q, skipping segment b\n" in said and "skipping segment 'c r 5 6'" in said
        assert ") Successfully processed 2 lines out of 4 in the segments file. \n" in said
        (tmp_path / "segments").write_text("b q 0 1\n")
        arguments = [f"scp:{tmp_path}/wav.scp", str(tmp_path / "segments"), f"ark:{tmp_path}/none"]
        assert run(extract_segments.main, arguments) == 0
        assert (tmp_path / "none").read_bytes() == b""


def call(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [str(STEPS / script), *map(str, arguments)]
    return subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300)


@pytest.fixture
def data(reference: Path, corpus: Path, tmp_path: Path) -> Path:
    """Twelve utterances of two speakers."""
    folder = tmp_path / "data"
    folder.mkdir()
    kaldis = reference / "fsdd/data/test"
    utterances = sorted(read_rows(kaldis / "utt2spk"))
    chosen = [*utterances[:6], *utterances[-6:]]
    for name in ("utt2spk", "text"):
        rows = read_rows(kaldis / name)
        (folder / name).write_text("".join(f"{u} {rows[u]}\n" for u in chosen))
    (folder / "wav.scp").write_text("".join(f"{u} {corpus}/fsdd/test/wav/{u}.wav\n" for u in chosen))
    (folder / "spk2utt").write_text(f"theo {' '.join(chosen[:6])}\nyweweler {' '.join(chosen[6:])}\n")
    return folder


def test_features_by_job(reference: Path, data: Path, tmp_path: Path) -> None:
    """Kaldi's, but for the random dither of both, which is all there is in digital silence, and compression."""
    config = reference / "fsdd/conf/mfcc_hires.conf"
    done = call("make_feats.sh", "--nj", 3, "--mfcc-config", config, data, tmp_path / "log", tmp_path / "mfcc")
    assert done.returncode == 0, done.stderr
    done = call("compute_cmvn_stats.sh", data, tmp_path / "log", tmp_path / "mfcc")
    assert done.returncode == 0, done.stderr
    with SequentialReader(f"scp:{data}/feats.scp", FLOAT_MATRIX) as reader:
        ours = dict(reader)
    kaldis = read(reference / "fsdd/data/test_hires/feats.ark")
    assert list(ours) == list(read_rows(data / "utt2spk"))
    for utterance, feats in ours.items():
        assert feats.shape == kaldis[utterance].shape
        assert np.corrcoef(feats.ravel(), kaldis[utterance].ravel())[0, 1] > 0.99
    assert read_rows(data / "utt2num_frames") == {utterance: str(len(feats)) for utterance, feats in ours.items()}
    assert set(read_rows(data / "utt2dur")) == set(ours)
    assert list(read_rows(data / "cmvn.scp")) == ["theo", "yweweler"]
    assert (data / "frame_shift").read_text() == "0.01\n"
    assert (data / "conf/mfcc.conf").read_text() == config.read_text()


def test_features_of_segments(data: Path, tmp_path: Path) -> None:
    recordings = read_rows(data / "wav.scp")
    utterances = list(recordings)
    (data / "segments").write_text("".join(f"{u} r-{u} 0.1 0.6\n" for u in utterances))
    (data / "wav.scp").write_text("".join(f"r-{u} {file}\n" for u, file in recordings.items()))
    (tmp_path / "fbank.conf").write_text("--sample-frequency=8000\n--dither=0\n")
    done = call("make_feats.sh", "--type", "fbank", "--fbank-config", tmp_path / "fbank.conf", "--nj", 2, data)
    assert done.returncode == 0, done.stderr
    assert set(read_rows(data / "utt2num_frames").values()) == {"48"}
    with SequentialReader(f"scp:{data}/feats.scp", FLOAT_MATRIX) as reader:
        assert next(iter(reader))[1].shape == (48, 23)


def test_features_at_another_rate(data: Path, tmp_path: Path) -> None:
    """Of a whole directory, as of a recording alone; where the options do not allow it, there are none."""
    (tmp_path / "fbank.conf").write_text("--sample-frequency=16000\n--dither=0\n")
    done = call("make_feats.sh", "--type", "fbank", "--fbank-config", tmp_path / "fbank.conf", "--nj", 1, data)
    assert done.returncode == 1
    assert "mismatch: 8000 .vs 16000 (use --allow-upsample=true" in (data / "log/make_fbank_data.1.log").read_text()
    with (tmp_path / "fbank.conf").open("a") as file:
        file.write("--allow-upsample=true\n")
    done = call(
        "make_feats.sh", "--type", "fbank", "--fbank-config", tmp_path / "fbank.conf", "--compress", "false", data
    )
    assert done.returncode == 0, done.stderr
    extract = FeatureExtractor(FbankOptions(dither=0.0, allow_upsample=True))
    with (
        SequentialReader(f"scp:{data}/wav.scp", WAVE) as waves,
        SequentialReader(f"scp:{data}/feats.scp", FLOAT_MATRIX) as feats,
    ):
        for (utterance, wave), (key, found) in zip(waves, feats, strict=True):
            assert utterance == key
            np.testing.assert_array_equal(found, extract(wave.data[0], wave.sample_frequency))


def test_features_of_warped_vocal_tracts(data: Path, tmp_path: Path) -> None:
    (tmp_path / "plp.conf").write_text("--sample-frequency=8000\n--dither=0\n")
    (data / "spk2warp").write_text("theo 0.9\nyweweler 1.1\n")
    done = call("make_feats.sh", "--type", "plp", "--plp-config", tmp_path / "plp.conf", "--compress", "false", data)
    assert done.returncode == 0, done.stderr
    extract = FeatureExtractor(PlpOptions(sample_frequency=8000.0, dither=0.0))
    speakers = read_rows(data / "utt2spk")
    with (
        SequentialReader(f"scp:{data}/wav.scp", WAVE) as waves,
        SequentialReader(f"scp:{data}/feats.scp", FLOAT_MATRIX) as feats,
    ):
        for (utterance, wave), (_, found) in zip(waves, feats, strict=True):
            warp = float(np.float32({"theo": 0.9, "yweweler": 1.1}[speakers[utterance]]))
            np.testing.assert_array_equal(found, extract(wave.data[0], wave.sample_frequency, warp))


def test_what_features_cannot_be_made_of(reference: Path, data: Path, tmp_path: Path) -> None:
    config = reference / "fsdd/conf/mfcc_hires.conf"
    rows = read_rows(data / "wav.scp")
    first = next(iter(rows))
    (data / "wav.scp").write_text(
        "".join(f"{u} {file if u != first else '/nothing.wav'}\n" for u, file in rows.items())
    )
    done = call("make_feats.sh", "--nj", 2, "--mfcc-config", config, data)
    assert done.returncode == 1
    assert "less than 95%" in done.stderr and first in done.stderr
    assert "must be mfcc, fbank, plp or waveform" in call("make_feats.sh", "--type", "other", data).stderr
    shutil.rmtree(data)
    assert call("make_feats.sh", "--mfcc-config", config, data).returncode == 1
    assert call("compute_cmvn_stats.sh", data).returncode == 1
