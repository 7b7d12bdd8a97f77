"""Kaldi's unmodified scripts that rescore lattices, with our programs: the lattices that they make with Kaldi's.

composing/scripts has these, as text: m1 to m5 of the modes of lmrescore.sh, carpa of lmrescore_const_arpa.sh, undet of
lmrescore_const_arpa_undeterminized.sh, from bi.fst to backoff.fst and G.carpa.
"""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nnet3_compat.machine.links import make_links
from nnet3_compat.machine.programs import find_programs
from tests.helpers.kaldi_recipes import kaldi_checkout, newest_log
from tests.helpers.kaldis_outputs import assert_alike
from tests.helpers.twins import twin

DATA = Path(__file__).parent / "composing"
SCRIPTS = {
    **{f"m{mode}": f"steps/lmrescore.sh --mode {mode}" for mode in (1, 2, 3, 5)},
    "carpa": "steps/lmrescore_const_arpa.sh",
    "undet": "steps/lmrescore_const_arpa_undeterminized.sh",
}


@pytest.fixture()
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of a recipe with two lang directories and a decoding."""
    kaldi = kaldi_checkout()
    for part in ("steps", "utils"):
        shutil.copytree(kaldi / "egs/wsj/s5" / part, tmp_path / part, symlinks=True)
    programs = {p.kaldi_name: Path(sys.executable).parent / p.name for p in find_programs() if p.kaldi_name}
    (tmp_path / "path.sh").write_text(f"export PATH={make_links(tmp_path, programs)}:$PWD/utils:$PATH LC_ALL=C\n")
    for name, grammar in (("old", "bi.fst"), ("new", "backoff.fst")):
        (tmp_path / name).mkdir()
        shutil.copy(DATA / grammar, tmp_path / name / "G.fst")
        shutil.copy(DATA / "words.txt", tmp_path / name)
    shutil.copy(DATA / "G.carpa", tmp_path / "new")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/num_jobs").write_text("1\n")
    (tmp_path / "in/lat.1.gz").write_bytes(gzip.compress((DATA / "a.lats").read_bytes()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_as_with_kaldis_programs(name: str, recipe: Path) -> None:
    if name == "undet":
        copied = ["--write-compact=false", "ark:gunzip -c in/lat.1.gz |", "ark,t:undeterminized"]
        assert twin("lattice-copy").run(copied) == 0
        (recipe / "in/lat.1.gz").write_bytes(gzip.compress((recipe / "undeterminized").read_bytes()))
    command = f"{SCRIPTS[name]} --skip-scoring true old new data in out"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(["bash", *command.split()], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{newest_log(recipe)}"
    assert twin("lattice-copy").run(["ark:gunzip -c out/lat.1.gz |", "ark,t:text"]) == 0
    assert_alike((recipe / "text").read_text(), (DATA / "scripts" / f"{name}.txt").read_text())
