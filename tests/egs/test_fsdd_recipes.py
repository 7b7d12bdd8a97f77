"""The recipes of spoken digits, all stages, also the semi-supervised ones, on what every clone holds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.places import ROOT

TINY = ROOT / "egs/tiny/data"
SMALL = {
    "nj": "1",
    "seeds": "0",
    "num-epochs": "1",
    "gmm-opts": "--num-iters 5 --max-iter-inc 4",
    "scoring-opts": "--min-lmwt 9 --max-lmwt 10 --word-ins-penalty 0.0",
    "share": "0.5",
    "mono-gauss": "60",
    "tri1": "40 100",
    "chain-leaves": "30",
    "ebm-opts": "--sampler=adam --max-steps=2 --buffer-size=20",
    "ebm-epochs": "1",
    "self-training-epochs": "1",
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train, twelve synthetic strings, and test, four."""
    folder = tmp_path_factory.mktemp("digits")
    for name in ("text", "utt2spk", "wav.scp"):
        lines = [line.replace(" wav/", f" {TINY}/wav/") for line in (TINY / name).read_text().splitlines()]
        for part, chosen in (("train", [n % 4 != 3 for n in range(16)]), ("test", [n % 4 == 3 for n in range(16)])):
            (folder / part).mkdir(exist_ok=True)
            kept = [line for line, wanted in zip(lines, chosen, strict=True) if wanted]
            (folder / part / name).write_text("".join(f"{line}\n" for line in kept))
    return folder


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=880)


def test_results_of_seeds_and_the_gap(tmp_path: Path) -> None:
    """Of four words, one seed of a system gets none right, the other two, and so on."""
    said = {"text": "a b", "bad_0": "c c", "bad_1": "a c", "better_0": "a b", "better_1": "a c", "best_0": "a b"}
    for name, words in said.items():
        (tmp_path / name).write_text(f"1 {words}\n2 {words}\n")
    systems = [*(tmp_path / name for name in list(said)[1:]), f"best_1={tmp_path}/text"]
    program = [sys.executable, ROOT / "egs/fsdd/local/results.py"]
    made = run(*program, "--gap", "bad,best", tmp_path / "text", *systems)
    assert made.returncode == 0, made.stderr
    assert "| bad_1 | 50.00 % | 50.0 to 50.0 | 2 / 4, 0 ins, 0 del, 2 sub |" in made.stdout
    assert "| bad | 75.00 % | 75.0 to 75.0 | 50.00 to 100.00, 2 seeds | 0 % |" in made.stdout
    assert "| better | 25.00 % | 25.0 to 25.0 | 0.00 to 50.00, 2 seeds | 67 % |" in made.stdout
    assert "| best | 0.00 % | 0.0 to 0.0 | 0.00 to 0.00, 2 seeds | 100 % |" in made.stdout
    made = run(*program, "--against", "bad,better", tmp_path / "text", *systems)
    assert "| single ones | better than bad, of 100 | better than better, of 100 |" in made.stdout
    assert "| bad | 75.00 % | 75.0 to 75.0 | 50.00 to 100.00, 2 seeds |  | 0 |" in made.stdout
    assert "| better | 25.00 % | 25.0 to 25.0 | 0.00 to 50.00, 2 seeds | 100 |  |" in made.stdout
    made = run(*program, "--against", "best", tmp_path / "text", tmp_path / "best_0", tmp_path / "bad_1")
    assert "| bad | 50.00 % | 50.0 to 50.0 | one | 0 |" in made.stdout
    made = run(*program, "--against", "worst", tmp_path / "text", tmp_path / "best_0")
    assert made.returncode == 1 and "there is no system worst: there are best" in made.stderr


@pytest.mark.slow
def test_all_stages(corpus: Path, tmp_path: Path) -> None:
    """Six strings with transcripts, six without. So few are too few for the networks, but not for GMMs."""
    options = SMALL | {"corpus": corpus, "all": tmp_path / "all", "exp": tmp_path / "semisup"}
    result = run(ROOT / "egs/fsdd/run_semisup.sh", *(f"--{name}={value}" for name, value in options.items()))
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    rates = [float(line.split()[1]) for line in result.stdout.splitlines() if line.startswith("%WER")]
    assert len(rates) == 7 and rates[0] < 50
    labeled = (tmp_path / "semisup/labeled.list").read_text().splitlines()
    assert (tmp_path / "semisup/data/train/text").read_text().count("\n") == len(labeled) == 6
    assert not (tmp_path / "semisup/data/unlabeled/text").exists()
    unlabeled = (tmp_path / "semisup/data/unlabeled/utt2uniq").read_text().splitlines()
    assert len(unlabeled) == 18 and not {line.split()[1] for line in unlabeled} & set(labeled)
    report = (tmp_path / "semisup/RESULTS_semisup.md").read_text()
    for system in ("supervised", "adam", "ebm", "self_training", "all"):
        assert f"| {system}_0 |" in report
    study_of_energies(tmp_path)


def study_of_energies(folder: Path) -> None:
    """One setting and the training beside it, from the systems that are there, also joined to self-training; the test
    speaker is the one held out."""
    study = folder / "study"
    (study / "data").mkdir(parents=True)
    (study / "semisup").symlink_to(folder / "semisup")
    for part in ("held_out", "known", "test"):
        (study / f"data/{part}_hires").symlink_to(folder / "semisup/data/test_hires")
    options = {name: SMALL[name] for name in ("nj", "seeds")} | {"exp": study, "tried": "adam_5 steps_1", "stage": "2"}
    options |= {"network": "conf/network.xconfig", "unlabeled": "minibatch-size=4", "minibatches": "2"}
    options |= {"penalties": "0.0,1.0"}
    words = [f"--{name}={value}" for name, value in options.items()]
    tried = run(ROOT / "egs/fsdd/run_energies.sh", *words, "--last-stage=4")
    assert tried.returncode == 0, tried.stdout[-2000:] + tried.stderr[-4000:]
    (study / "data/held_out_hires").unlink()  # again: nothing is left to do
    reported = run(ROOT / "egs/fsdd/run_energies.sh", *words, "--last-stage=3")
    assert reported.returncode == 0, reported.stderr[-4000:]
    (study / "data/held_out_hires").symlink_to(folder / "semisup/data/test_hires")
    reported = run(ROOT / "egs/fsdd/run_energies.sh", f"--exp={study}", "--seeds=0", "--stage=5")
    assert reported.returncode == 0, reported.stderr[-4000:]
    assert {file.name for file in study.glob("*_0/decode_held_out/wer_*")} == {"wer_10_0.0", "wer_10_1.0"}
    chosen, held_out, known, tested = (study / "RESULTS_energies.md").read_text().split("\n## ")
    assert chosen == "steps_1 was chosen.\n"
    assert "| steps_1_0 |" in held_out and "| adam_5_0 |" in held_out and "| weight_2_0 |" not in held_out
    for report in (known, tested):
        assert all(f"| {system}_0 |" in report for system in ("supervised", "adam_5", "steps_1", "taught_steps_1"))


@pytest.mark.slow
def test_a_flat_start(corpus: Path, tmp_path: Path) -> None:
    names = ("nj", "seeds", "num-epochs", "scoring-opts")
    options = {name: SMALL[name] for name in names} | {"corpus": corpus, "exp": tmp_path / "exp", "flat-start": "true"}
    result = run(ROOT / "egs/fsdd/run.sh", *(f"--{name}={value}" for name, value in options.items()))
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    assert not (tmp_path / "exp/tri1").exists()
    assert "| flat_start_0 |" in (tmp_path / "exp/RESULTS.md").read_text()


@pytest.mark.slow
def test_from_what_kaldi_made(reference: Path, tmp_path: Path) -> None:
    """Three epochs of Kaldi's thirty-six are enough for most words."""
    options = {"kaldi": reference / "fsdd", "exp": tmp_path / "exp", "num-epochs": "3", "nj": "1"}
    result = run(ROOT / "egs/fsdd/run_from_kaldi.sh", *(f"--{name}={value}" for name, value in options.items()))
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    (rate,) = (float(line.split()[1]) for line in result.stdout.splitlines() if line.startswith("%WER"))
    assert rate < 40
