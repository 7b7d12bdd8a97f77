"""Kaldi's unmodified rnnlm/lmrescore*.sh with our programs: the lattices of Kaldi's (scripts/*.txt)."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kaldi_bridge.io.matrix_files import read_matrix_file, write_matrix_file
from nnet3_compat.machine.links import make_links
from nnet3_compat.machine.programs import find_programs
from tests.helpers.kaldi_recipes import kaldi_checkout, newest_log
from tests.helpers.kaldis_outputs import assert_alike
from tests.helpers.places import ROOT
from tests.helpers.twins import twin

HERE = Path(__file__).parent
WORDS = ROOT / "tests/kaldi_bridge/commands/latbin/composing/words.txt"
SCRIPTS = {
    "whole": "lmrescore.sh --max-ngram-order 3 fst",
    "carpa": "lmrescore.sh --max-ngram-order 3 --normalize true carpa",
    "pruned": "lmrescore_pruned.sh --weight 0.8 --acwt 1.0 fst",
    "back": "lmrescore_back.sh --max-ngram-order 2 fst",
    "nbest": "lmrescore_nbest.sh --N 5 0.5 fst",
}


@pytest.fixture()
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of a recipe: lang directories, a language model whose words have one feature each, a decoding."""
    kaldi = kaldi_checkout()
    for part in ("steps", "utils"):
        shutil.copytree(kaldi / "egs/wsj/s5" / part, tmp_path / part, symlinks=True)
    shutil.copytree(kaldi / "scripts/rnnlm", tmp_path / "rnnlm")
    programs = {p.kaldi_name: Path(sys.executable).parent / p.name for p in find_programs() if p.kaldi_name}
    (tmp_path / "path.sh").write_text(f"export PATH={make_links(tmp_path, programs)}:$PWD/utils:$PATH LC_ALL=C\n")
    for kind, source in (("fst", "backoff.fst"), ("carpa", "bi.carpa")):
        (tmp_path / kind).mkdir()
        shutil.copy(HERE / "tiny" / source, tmp_path / kind / f"G.{kind}")
        shutil.copy(WORDS, tmp_path / kind)
    model = tmp_path / "model"
    (model / "config").mkdir(parents=True)
    shutil.copy(HERE / "tiny/final.raw", model)
    (model / "config/words.txt").write_text(WORDS.read_text() + "<brk> 10\n")
    (model / "special_symbol_opts.txt").write_text("--bos-symbol=8 --eos-symbol=9 --brk-symbol=10\n")
    embedding = read_matrix_file(str(HERE / "tiny/word_embedding.mat"))
    write_matrix_file(str(model / "feat_embedding.final.mat"), True, embedding[1:])
    (model / "word_feats.txt").write_text("0\n" + "".join(f"{word} {word - 1} 1\n" for word in range(1, 10)) + "10\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/num_jobs").write_text("1\n")
    (tmp_path / "in/lat.1.gz").write_bytes(gzip.compress((HERE / "tiny/a.lats").read_bytes()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_as_with_kaldis_programs(name: str, recipe: Path) -> None:
    command = f"rnnlm/{SCRIPTS[name]} model data in out"
    command = command.replace(".sh", ".sh --skip-scoring true", 1)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(["bash", *command.split()], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{newest_log(recipe)}"
    assert twin("lattice-copy").run(["ark:gunzip -c out/lat.1.gz |", "ark,t:text"]) == 0
    assert_alike((recipe / "text").read_text(), (HERE / "scripts" / f"{name}.txt").read_text())
