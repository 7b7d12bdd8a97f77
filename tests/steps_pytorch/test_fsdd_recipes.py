"""The recipes of spoken digits, all stages, also the semi-supervised ones, on what every clone holds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "egs/tiny/data"
SMALL = {
    "nj": "1",
    "seeds": "0",
    "num-epochs": "1",
    "gmm-opts": "--num-iters 5 --max-iter-inc 4",
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


@pytest.mark.slow
def test_all_stages(corpus: Path, tmp_path: Path) -> None:
    """Six strings with transcripts, six without. So few are too few for the networks, but not for GMMs."""
    options = SMALL | {"corpus": corpus, "all": tmp_path / "all", "exp": tmp_path / "semisup"}
    command = [ROOT / "egs/fsdd/run_semisup.sh", *(f"--{name}={value}" for name, value in options.items())]
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    result = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=880)
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
