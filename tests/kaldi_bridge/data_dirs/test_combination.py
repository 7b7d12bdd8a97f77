"""Directories that share speakers, utterances and recordings, combined as Kaldi's combine_data.sh does it.

combine_data.json: four directories, and what Kaldi's utils/combine_data.sh made of some of them. a and b share a
speaker and an utterance; c and d have segments and share a speaker and a recording.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kaldi_bridge.commands.data.data_dir import run
from kaldi_bridge.data_dirs.combination import combined
from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.data_dirs.feature_options import FeatureOptions
from kaldi_bridge.errors import KaldiError

KALDIS: dict[str, Any] = json.loads((Path(__file__).parent / "combine_data.json").read_text())


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for directory, files in KALDIS["inputs"].items():
        (tmp_path / directory).mkdir()
        for name, text in files.items():
            (tmp_path / directory / name).write_text(text)
    return tmp_path


def content(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir() if path.is_file()}


@pytest.mark.parametrize("names", KALDIS["combined"])
def test_what_kaldi_makes(sources: Path, names: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["combine", str(sources / "out"), *(str(sources / name) for name in names)]) == 0
    assert content(sources / "out") == KALDIS["combined"][names]
    if "ab" in names:
        assert "text: several lines for a-2: fix_data_dir.sh keeps the first in sorted order" in capfd.readouterr().err


def test_lines_of_all_without_repair(sources: Path) -> None:
    assert run(["combine", "--skip-fix", "true", str(sources / "out"), *(str(sources / name) for name in "abcd")]) == 0
    assert content(sources / "out") == KALDIS["skip_fix"]["abcd"]


def test_shared_speakers_that_are_no_prefixes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One line of statistics for each speaker, and a warning that utterances are not in the order of their speakers."""
    for directory, prefix in (("d1", ""), ("d9", "x")):
        (tmp_path / directory).mkdir()
        utt2spk = f"{prefix}u1 spkA\n{prefix}v1 spkB\n"
        (tmp_path / directory / "utt2spk").write_text(utt2spk)
        (tmp_path / directory / "cmvn.scp").write_text(f"spkA {directory}.ark:1\nspkB {directory}.ark:2\n")
    assert run(["combine", str(tmp_path / "out"), str(tmp_path / "d9"), str(tmp_path / "d1")]) == 0
    made = DataDir.read(tmp_path / "out")
    assert made.spk2utt == {"spkA": ["u1", "xu1"], "spkB": ["v1", "xv1"]}
    assert made.tables["cmvn.scp"] == {"spkA": "d1.ark:1", "spkB": "d1.ark:2"}
    said = capfd.readouterr().err
    assert "cmvn.scp: several lines for spkA, spkB" in said and "compute_cmvn_stats.sh" in said
    assert "not in sorted order when sorted first on speakers" in said


def test_extra_files_are_left_as_they_are(sources: Path) -> None:
    (sources / "a/spk2age").write_text("a 30\n")
    (sources / "b/spk2age").write_text("a 30\n")
    out = sources / "out"
    assert run(["combine", "--extra-files", "spk2age", str(out), str(sources / "a"), str(sources / "b")]) == 0
    assert (out / "spk2age").read_text() == "a 30\na 30\n"


def test_other_frame_shifts_and_features(sources: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Frame shifts are compared as numbers; how features were made goes along where all say the same."""
    FeatureOptions("mfcc", "--num-ceps=40\n").write(sources / "a")
    FeatureOptions("mfcc", "# 40\n--num_ceps=40 # as a has it\n--dither=0\n").write(sources / "b")
    (sources / "b/frame_shift").write_text("0.010\n")
    both = [sources / "a", sources / "b"]
    made = combined(both)
    assert made.feature_options is not None and made.feature_options.text == "--num-ceps=40\n"
    FeatureOptions("mfcc", "--num-ceps=13\n").write(sources / "b")
    made.write(sources / "out")
    assert (sources / "out/conf/mfcc.conf").exists()
    made = combined(both)
    made.write(sources / "out")
    assert made.feature_options is None and not (sources / "out/conf/mfcc.conf").exists()
    assert "num-ceps 40 and 13" in capfd.readouterr().err
    (sources / "b/frame_shift").write_text("0.03\n")
    with pytest.raises(KaldiError, match=r"frame shifts of 0.01 .* and 0.03 .* cannot be combined"):
        combined(both)


def test_what_is_missing(sources: Path) -> None:
    with pytest.raises(KaldiError, match="no such file .*nothing/utt2spk"):
        combined([sources / "nothing"])
    for name in ("utt2dur", "wav.scp"):
        (sources / "a" / name).unlink()
    with pytest.raises(KaldiError, match="needs utt2dur or wav.scp"):
        combined([sources / "a", sources / "c"])
