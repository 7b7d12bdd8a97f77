"""Decoding online by the step: Kaldi's model and extractor, two speakers, scores."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.places import STEPS


@pytest.fixture
def experiment(reference: Path, corpus: Path, tmp_path: Path) -> Path:
    """exp/ with the model, data/ with the first two utterances of each of two speakers, conf/."""
    fsdd, data = reference / "fsdd", tmp_path / "data"
    for folder in ("exp", "data", "conf"):
        (tmp_path / folder).mkdir()
    for name in ("final.mdl", "frame_subsampling_factor", "cmvn_opts"):
        shutil.copy(fsdd / "tdnnf" / name, tmp_path / "exp")
    (tmp_path / "conf/mfcc.conf").write_text((fsdd / "conf/mfcc_hires.conf").read_text() + "--dither=0\n")
    chosen: dict[str, list[str]] = {}
    for line in (fsdd / "data/test/utt2spk").read_text().splitlines():
        utterance, speaker = line.split()
        if len(chosen.setdefault(speaker, [])) < 2:
            chosen[speaker].append(utterance)
    text = dict(line.split(maxsplit=1) for line in (fsdd / "data/test/text").read_text().splitlines())
    pairs = [(utterance, speaker) for speaker, utterances in chosen.items() for utterance in utterances]
    (data / "wav.scp").write_text("".join(f"{u} {corpus}/fsdd/test/wav/{u}.wav\n" for u, _ in pairs))
    (data / "utt2spk").write_text("".join(f"{u} {s}\n" for u, s in pairs))
    (data / "spk2utt").write_text("".join(f"{s} {' '.join(us)}\n" for s, us in chosen.items()))
    (data / "text").write_text("".join(f"{u} {text[u]}\n" for u, _ in pairs))
    return tmp_path


def decode(experiment: Path, reference: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", OMP_NUM_THREADS="1")
    features = ["--mfcc-config", "conf/mfcc.conf", "--acwt", "1.0", "--post-decode-acwt", "10.0"]
    command = [
        str(STEPS / "decode_online.sh"),
        *features,
        *options,
        str(reference / "fsdd/graph"),
        "data",
        "exp/decode",
    ]
    return subprocess.run(command, cwd=experiment, env=environment, capture_output=True, text=True, timeout=500)


@pytest.mark.slow
def test_decode_online(experiment: Path, reference: Path) -> None:
    scoring = ["--scoring-opts", "--min-lmwt 9 --max-lmwt 9 --word-ins-penalty 0.0"]
    extractor = ["--ivector-extractor", str(reference / "fsdd/ivector_extractor")]
    result = decode(experiment, reference, "--nj", "2", *extractor, *scoring)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "%WER" in (experiment / "exp/decode/wer_9_0.0").read_text()
    log = (experiment / "exp/decode/log/decode.2.log").read_text()
    assert "Decoded 2 utterances, 0 with errors." in log and "Timing stats: real-time factor was" in log
    assert gzip.decompress((experiment / "exp/decode/lat.1.gz").read_bytes())


def test_models_that_cannot_be_decoded_online(experiment: Path, reference: Path) -> None:
    (experiment / "exp/cmvn_opts").write_text("--norm-means=true --norm-vars=true\n")
    result = decode(experiment, reference)
    assert result.returncode == 1 and "which cannot be had online" in result.stderr
