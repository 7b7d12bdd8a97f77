"""Lattices with other language models by a step: those that Kaldi's scripts make of the same with Kaldi's programs."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.kaldis_outputs import assert_alike
from tests.helpers.places import ROOT, STEPS
from tests.helpers.twins import twin

COMPOSING = ROOT / "tests/kaldi_bridge/commands/latbin/composing"
RNNLM = ROOT / "tests/nnet3_compat/rnnlm"
WORDS = ["<eps>", *"abcdef", "#0", "<s>", "</s>"]


def shell(*command: str, status: int = 0) -> str:
    """Runs a step; its output, errors included."""
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", OMP_NUM_THREADS="1")
    words = [str(STEPS / command[0]), *command[1:]]
    result = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """lang directories of two language models, a recurrent one, and a decoding."""
    monkeypatch.chdir(tmp_path)
    for name, grammar in (("old lang", COMPOSING / "bi.fst"), ("backoff", RNNLM / "tiny/backoff.fst")):
        (tmp_path / name).mkdir()
        shutil.copy(COMPOSING / "words.txt", tmp_path / name)
        shutil.copy(grammar, tmp_path / name / "G.fst")
        (tmp_path / name / "oov.int").write_text("5\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/num_jobs").write_text("1\n")
    (tmp_path / "in/lat.1.gz").write_bytes(gzip.compress((COMPOSING / "a.lats").read_bytes()))
    (tmp_path / "rnnlm/config").mkdir(parents=True)
    shutil.copy(RNNLM / "tiny/final.raw", tmp_path / "rnnlm")
    shutil.copy(RNNLM / "tiny/word_embedding.mat", tmp_path / "rnnlm/word_embedding.final.mat")
    (tmp_path / "rnnlm/config/words.txt").write_text((COMPOSING / "words.txt").read_text() + "<brk> 10\n")
    (tmp_path / "rnnlm/special_symbol_opts.txt").write_text("--bos-symbol=8 --eos-symbol=9 --brk-symbol=10\n")
    return tmp_path


def lattices() -> str:
    assert twin("lattice-copy").run(["ark:gunzip -c 'out dir'/lat.1.gz |", "ark,t:text"]) == 0
    return Path("text").read_text()


@pytest.mark.slow
def test_a_larger_model() -> None:
    """Of words that the lang directory has; an n-gram with another one is left out."""
    arpa, order = [], 0
    for line in (COMPOSING / "lm.int").read_text().splitlines():
        order = int(line[1]) if line.endswith("grams:") else order
        fields = line.split() if order and line[:1] == "-" else []
        named = [WORDS[int(field)] if 0 < i <= order else field for i, field in enumerate(fields)]
        arpa.append("\t".join(named) if named else line)
    arpa.insert(arpa.index("\\1-grams:") + 1, "-3.0\tunseen\t-0.1")
    with gzip.open("lm.arpa.gz", "wt") as file:
        file.write("\n".join(arpa).replace("ngram 1=8", "ngram 1=9") + "\n")
    shell("build_const_arpa.sh", "lm.arpa.gz", "old lang", "large")
    assert not Path("large/G.fst").exists()
    shell("rescore.sh", "--skip-scoring", "true", "old lang", "large", "data", "in", "out dir")
    assert_alike(lattices(), (COMPOSING / "scripts/carpa.txt").read_text())


@pytest.mark.slow
def test_a_recurrent_model() -> None:
    options = ["--skip-scoring", "true", "--weight", "0.8", "--acwt", "1.0"]
    shell("rescore.sh", *options, "backoff", "rnnlm", "data", "in", "out dir")
    assert_alike(lattices(), (RNNLM / "scripts/pruned.txt").read_text())


def test_what_does_not_fit() -> None:
    options = ["--skip-scoring", "true"]
    assert "backoff has neither G.carpa nor final.raw" in shell(
        "rescore.sh", *options, "old lang", "backoff", "data", "in", "out dir", status=1
    )
    words = Path("rnnlm/config/words.txt")
    words.write_text(re.sub("f 6", "g 6", words.read_text()))
    assert "backoff and rnnlm have different words" in shell(
        "rescore.sh", *options, "backoff", "rnnlm", "data", "in", "out dir", status=1
    )
    Path("old lang/words.txt").write_text("<eps> 0\n")
    assert "old lang/words.txt has no <s>" in shell(
        "build_const_arpa.sh", str(COMPOSING / "lm.int"), "old lang", "large", status=1
    )
