"""steps_pytorch/decode.sh on recorded speech with Kaldi's model and graph: Kaldi's own lattices' word error rates."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.places import ROOT


def shell(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=500)


@pytest.fixture(scope="module")
def experiment(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A writable experiment folder: Kaldi's model, graph and features."""
    folder = tmp_path_factory.mktemp("experiment")
    fsdd = reference / "fsdd"
    for name in ("tdnnf_cmvn/final.mdl", "tdnnf_cmvn/cmvn_opts", "tdnnf_cmvn/frame_subsampling_factor"):
        target = folder / "exp" / Path(name).name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(fsdd / name, target)
    (folder / "graph").symlink_to(fsdd / "graph")
    data = folder / "data/test_hires"
    data.mkdir(parents=True)
    for path in (fsdd / "data/test_hires").iterdir():
        (data / path.name).symlink_to(path)
    return folder


def lattices(decode: Path) -> bytes:
    return b"".join(
        gzip.decompress(p.read_bytes()) for p in sorted(decode.glob("lat.*.gz"), key=lambda p: int(p.suffixes[0][1:]))
    )


@pytest.mark.slow
def test_word_error_rates_are_kaldis(experiment: Path, reference: Path) -> None:
    """Every wer_<lmwt>_<penalty> of Kaldi's decode, and the same lattices from one job as from four."""
    found = {}
    for jobs in (1, 4):
        decode = f"exp/decode{jobs}"
        command = [f"{ROOT}/steps_pytorch/decode.sh", "--nj", str(jobs), "--acwt", "1.0", "--post-decode-acwt", "10.0"]
        if jobs == 1:
            command += ["--skip-scoring", "true"]
        result = shell([*command, "graph", "data/test_hires", decode], experiment)
        assert result.returncode == 0, result.stderr
        found[jobs] = lattices(experiment / decode)
    assert found[1] == found[4]
    kaldis = sorted((reference / "fsdd/decode_test_cmvn").glob("wer_*"))
    assert len(kaldis) == 33
    for path in kaldis:
        ours = (experiment / "exp/decode4" / path.name).read_text().splitlines()
        assert [line for line in ours if line[:4] in ("%WER", "%SER", "Scor")] == path.read_text().splitlines()[-3:], (
            path.name
        )
    best = (experiment / "exp/decode4/scoring_kaldi/best_wer").read_text()
    assert best.split()[:13] == (reference / "fsdd/decode_test_cmvn/best_wer").read_text().split()[:13]


def test_a_missing_file_is_named(experiment: Path) -> None:
    result = shell([f"{ROOT}/steps_pytorch/decode.sh", "nowhere", "data/test_hires", "exp/decode"], experiment)
    assert result.returncode == 1
    assert "no such file nowhere/HCLG.fst" in result.stderr


def test_a_failing_job_names_its_log(experiment: Path) -> None:
    (experiment / "bad").mkdir(exist_ok=True)
    (experiment / "bad/final.mdl").write_bytes(b"not a model")
    result = shell(
        [f"{ROOT}/steps_pytorch/decode.sh", "--nj", "1", "graph", "data/test_hires", "bad/decode"], experiment
    )
    assert result.returncode == 1
    assert "log is in bad/decode/log/decode.1.log" in result.stderr
    assert "final.mdl" in (experiment / "bad/decode/log/decode.1.log").read_text()
