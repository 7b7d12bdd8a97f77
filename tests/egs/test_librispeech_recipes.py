"""The recipes of LibriSpeech's layout, all stages, on a corpus of synthetic digits that is made here."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.wave import read_wave
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import WAVE
from tests.helpers.places import ROOT

LOCAL = ROOT / "egs/librispeech/local"
TINY = ROOT / "egs/tiny/data"
NETWORK = """input dim=IVECTOR name=ivector
input dim=40 name=input
idct-layer name=idct input=input dim=40 cepstral-lifter=22 affine-transform-file=IDCT
batchnorm-component name=batchnorm0 input=idct
relu-batchnorm-layer name=tdnn1 dim=32 input=Append(-1,0,1,ReplaceIndex(ivector, t, 0))
tdnnf-layer name=tdnnf2 dim=32 bottleneck-dim=16 time-stride=3
prefinal-layer name=prefinal-chain small-dim=16 big-dim=32
output-layer name=output include-log-softmax=false dim=PDFS
prefinal-layer name=prefinal-xent input=tdnnf2 small-dim=16 big-dim=32
output-layer name=output-xent dim=PDFS learning-rate-factor=5.0
"""


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", OMP_NUM_THREADS="1")
    return subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=580)


def rows(path: Path) -> dict[str, str]:
    return dict(line.split(maxsplit=1) for line in path.read_text().splitlines())


def write_utterance(folder: Path, reader: int, number: int, wav: Path, words: str) -> None:
    """<folder>/<reader>/<chapter>/<reader>-<chapter>-<number>.flac at 16 kHz, and a line of its transcripts."""
    chapter = folder / str(reader) / str(100 + reader)
    chapter.mkdir(parents=True, exist_ok=True)
    name = f"{reader}-{100 + reader}"
    with open_input(str(wav)) as stream:
        wave = read_wave(stream)
    samples = soxr.resample(wave.data[0], wave.sample_frequency, 16000)
    soundfile.write(chapter / f"{name}-{number:04}.flac", np.clip(samples, -32768, 32767).astype(np.int16), 16000)
    with open(chapter / f"{name}.trans.txt", "a") as out:
        out.write(f"{name}-{number:04} {words.upper()}\n")


@pytest.fixture(scope="module")
def libri(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with LibriSpeech/train-tiny and dev-tiny, lexicon.txt and lm.arpa."""
    folder = tmp_path_factory.mktemp("libri")
    wavs, text = rows(TINY / "wav.scp"), rows(TINY / "text")
    for number, (utterance, words) in enumerate(sorted(text.items())):
        part = "dev-tiny" if number % 8 >= 6 else "train-tiny"
        write_utterance(folder / "LibriSpeech" / part, 1 + number // 8, number, TINY / wavs[utterance], words)
    lexicon = (ROOT / "egs/fsdd/local/lexicon.txt").read_text().upper().splitlines()
    spoken = [line for line in lexicon if line[0].isalpha()]
    stressed = [line.replace("IY", "IY1").replace("IH", "IH1" if line.startswith("SIX") else "IH0") for line in spoken]
    (folder / "lexicon.txt").write_text("".join(f"{line}\n" for line in stressed))
    (folder / "sentences").write_text("".join(f"{words.upper()}\n" for words in text.values()))
    made = run("nnet-pytorch-train-lm", "--order=2", "--has-keys=false", folder / "sentences", folder / "lm.arpa")
    assert made.returncode == 0, made.stderr
    (folder / "network.xconfig").write_text(NETWORK)
    return folder


def prepare_data(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, LOCAL / "prepare_data.py", *arguments)


def test_data_of_the_layout(libri: Path, tmp_path: Path) -> None:
    """Samples of the archive are those of the FLAC files; what cannot be used is left out and reported."""
    made = prepare_data("--max-utterances", "8", libri, tmp_path / "train", "train-tiny")
    assert made.returncode == 0, made.stderr
    text = rows(tmp_path / "train/text")
    assert list(text) == [f"1-101-{n:04}" for n in range(6)] + ["2-102-0008", "2-102-0009"]
    assert text["1-101-0000"] == "ZERO FOUR ZERO"
    assert rows(tmp_path / "train/utt2spk")["2-102-0009"] == "2-102"
    waves = dict(SequentialReader(f"scp:{tmp_path}/train/wav.scp", WAVE))
    flac, rate = soundfile.read(libri / "LibriSpeech/train-tiny/1/101/1-101-0003.flac", dtype="int16")
    assert waves["1-101-0003"].sample_frequency == rate == 16000
    assert np.array_equal(waves["1-101-0003"].data[0], flac)

    part = tmp_path / "corpus/odd"
    shutil.copytree(libri / "LibriSpeech/dev-tiny", part)
    first, second = sorted(part.rglob("*.flac"))[:2]
    first.write_bytes(b"no flac")
    second.rename(second.with_name("1-101-9999.flac"))
    made = prepare_data(tmp_path / "corpus", tmp_path / "odd", "odd")
    assert made.returncode == 0
    assert f"{first} cannot be read" in made.stderr
    assert "1 recordings have no transcript" in made.stderr
    assert len(rows(tmp_path / "odd/text")) == len(rows(tmp_path / "odd/wav.scp")) == 2

    made = prepare_data(
        "--no-text", "--pipes", "--exclude", tmp_path / "odd/text", tmp_path / "corpus", tmp_path / "u", "odd"
    )
    assert made.returncode == 0
    assert rows(tmp_path / "u/wav.scp")["1-101-9999"].startswith("flac -c -d -s /")
    assert not rows(tmp_path / "u/utt2spk").keys() & rows(tmp_path / "odd/text").keys()

    made = prepare_data(libri, tmp_path / "none", "train-clean-100")
    assert made.returncode == 1
    assert "has neither train-clean-100/ nor LibriSpeech/train-clean-100/" in made.stderr


def test_dictionary_with_stress(libri: Path, tmp_path: Path) -> None:
    made = run(sys.executable, LOCAL / "prepare_dict.py", libri / "lexicon.txt", tmp_path / "dict")
    assert made.returncode == 0, made.stderr
    assert "IH IH0 IH1" in (tmp_path / "dict/nonsilence_phones.txt").read_text().splitlines()
    questions = (tmp_path / "dict/extra_questions.txt").read_text().splitlines()
    assert questions[0] == "SIL SPN" and "IH0" in questions and "IH1 IY1" in questions
    assert run("nnet-pytorch-validate-dict-dir", tmp_path / "dict").returncode == 0


def test_downloads_once_and_whole(libri: Path, tmp_path: Path) -> None:
    archive = tmp_path / "there/dev-tiny.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(libri / "LibriSpeech/dev-tiny", "LibriSpeech/dev-tiny")
    url = f"file://{archive}"
    assert run(LOCAL / "download.sh", tmp_path / "here", url).returncode == 0
    assert len(list((tmp_path / "here/LibriSpeech/dev-tiny").rglob("*.flac"))) == 4
    archive.write_bytes(archive.read_bytes()[:-1000])
    assert "dev-tiny" not in run(LOCAL / "download.sh", tmp_path / "here", url).stdout
    assert run(LOCAL / "download.sh", tmp_path / "broken", url).returncode != 0
    assert run(LOCAL / "download.sh", tmp_path / "here", f"file://{tmp_path}/none.tar.gz").returncode != 0


@pytest.mark.parametrize(
    ("network", "parameters"),
    # Of tdnn_1k as in the log that Kaldi's script has.
    [("tdnn_1k", 5210944), ("cnn_tdnn_1d", 11746076), ("tdnn_1d", 18771008)],
)
def test_networks(network: str, parameters: int, tmp_path: Path) -> None:
    text = (LOCAL.parent / f"conf/{network}.xconfig").read_text()
    (tmp_path / "network.xconfig").write_text(
        text.replace("IDCT", f"{tmp_path}/idct.mat").replace("PDFS", "2336").replace("IVECTOR", "100")
    )
    names = [f"--xconfig-file={tmp_path}/network.xconfig", f"--config-dir={tmp_path}"]
    assert run("nnet-pytorch-xconfig-to-config", *names).returncode == 0
    assert run("nnet-pytorch-init", tmp_path / "final.config", tmp_path / "0.raw").returncode == 0
    assert f"num-parameters: {parameters}\n" in run("nnet-pytorch-info", tmp_path / "0.raw").stdout


@pytest.mark.parametrize("recipe", ["mini_librispeech", "librispeech100", "librispeech", "librilight"])
def test_corpus_without_the_parts(recipe: str, tmp_path: Path) -> None:
    options = [f"--{name}={tmp_path}" for name in ("corpus", "lexicon", "lm", "exp")]
    result = run(ROOT / "egs" / recipe / "run.sh", *options)
    assert result.returncode == 1
    assert f"{tmp_path} has neither" in result.stderr


def test_download_of_the_4_gram_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "curl").write_text("#!/bin/sh\nexit 22\n")
    (tmp_path / "curl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    options = [f"--{name}={tmp_path}" for name in ("corpus", "lexicon", "lm", "exp")]
    result = run(ROOT / "egs/librispeech100/run.sh", *options, "--large-lm=4-gram.arpa.gz")
    assert result.returncode == 22
    assert "https://www.openslr.org/resources/11/4-gram.arpa.gz" in result.stdout


SMALL = {
    "train-parts": "train-tiny",
    "test-parts": "dev-tiny",
    "gmm-opts": "--num-iters 4 --max-iter-inc 3",
    "mono-utterances": "8",
    "mono-gauss": "60",
    "tri1": "40 100",
    "tri2": "50 120",
    "tri3": "50 120",
    "lda-dim": "20",
    "ivector-gauss": "4",
    "ivector-dim": "3",
    "ivector-opts": "--dim 8 --pca-subsample 1 --subsample 1 --num-iters 2 --num-iters-init 2",
    "chain-leaves": "30",
    "num-epochs": "2",
    "minibatch-size": "4",
    "chunk-width": "60,40",
    "use-gpu": "false",
    "scoring-opts": "--min-lmwt 9 --max-lmwt 10 --word-ins-penalty 0.0",
    "nj": "1",
    "unlabeled-parts": "dev-tiny",
    "ebm-epochs": "1",
    "ebm-opts": "--sampler=adam --max-steps=2 --buffer-size=20",
}


@pytest.mark.slow
def test_all_stages(libri: Path, tmp_path: Path) -> None:
    """From FLAC to RESULTS.md, also rescored and semi-supervised. Twelve strings are too few but for GMMs."""
    options = SMALL | {"corpus": libri, "lexicon": libri / "lexicon.txt", "lm": libri / "lm.arpa", "exp": tmp_path}
    options |= {"network": libri / "network.xconfig", "large-lm": libri / "lm.arpa"}
    result = run(ROOT / "egs/librispeech100/run.sh", *(f"--{name}={value}" for name, value in options.items()))
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    rates = [float(line.split()[1]) for line in result.stdout.splitlines() if line.startswith("%WER")]
    assert len(rates) == 5 and rates[1] < 50  # the GMM without and with fMLLR, two networks, one of them rescored
    assert (tmp_path / "data/dict/lexiconp_silprob.txt").is_file()
    report = (tmp_path / "RESULTS.md").read_text()
    assert "## dev-tiny" in report
    for system in ("tri3", "chain_0", "chain_large_0", "semi_supervised"):
        assert f"| {system} |" in report
