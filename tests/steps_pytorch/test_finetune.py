"""steps_pytorch/finetune.sh: models of Kaldi's and Vosk's, trained on with one's own data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.transforms.global_cmvn import read_stats, write_global_stats
from nnet3_compat.commands.recognition.unpack_model import main as unpack
from nnet3_compat.model.model_file import read_model
from nnet3_compat.recognition.model import Model
from nnet3_compat.recognition.recognizer import Recognizer
from tests.helpers.places import ROOT, STEPS
from tests.helpers.vosk_models import TINY, tiny_folder

FEW = ["--nj", "1", "--num-epochs", "1", "--minibatch-size", "8", "--average-last", "1", "--num-workers", "0"]


def shell(folder: Path, *command: str | Path, status: int = 0) -> str:
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", OMP_NUM_THREADS="1")
    words = list(map(str, command))
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recordings of egs/tiny, found from anywhere."""
    made = tmp_path_factory.mktemp("data") / "mine"
    made.mkdir()
    lines = dict(line.split() for line in (TINY / "data/wav.scp").read_text().splitlines())
    (made / "wav.scp").write_text("".join(f"{key} {TINY}/data/{path}\n" for key, path in lines.items()))
    for name in ("text", "utt2spk"):
        shutil.copy(TINY / "data" / name, made)
    speakers = ("en-us-f3", "en-us-m3")
    (made / "spk2utt").write_text("".join(f"{s} {' '.join(u for u in lines if u.startswith(s))}\n" for s in speakers))
    return made


def with_normalization(folder: Path) -> Path:
    """A folder for Vosk that normalizes online, from statistics that no other has."""
    stats = np.vstack([np.full(41, 300.0), np.full(41, 9000.0)])
    write_global_stats(str(tiny_folder(folder) / "am/global_cmvn.stats"), stats)
    return folder


@pytest.mark.slow
def test_a_folder_for_vosk_becomes_another(data: Path, tmp_path: Path) -> None:
    """Without tree and lexicon. All but the network stays, frozen layers to the last bit."""
    folder, made = with_normalization(tmp_path / "model"), tmp_path / "mine"
    command = [STEPS / "finetune.sh", *FEW, "--frozen", "tdnn1.* tdnn2.*", folder, data, made]
    assert "supervisions of 16 utterances" in shell(tmp_path, *command)
    before, after = (read_model(str(path)) for path in (folder / "am/final.mdl", made / "final.mdl"))
    same = {
        name: np.array_equal(component.linear_params, after.nnet.components[name].linear_params)
        for name, component in before.nnet.components.items()
        if name.endswith("affine")
    }
    assert same == {"tdnn1.affine": True, "tdnn2.affine": True, "tdnn3.affine": False, "output.affine": False}
    stats = [read_stats(str(path)) for path in (folder / "am/global_cmvn.stats", made / "global_cmvn.stats")]
    np.testing.assert_array_equal(*stats)
    vosk = made / "vosk"
    assert (vosk / "am/final.mdl").read_bytes() == (made / "final.mdl").read_bytes()
    for path in ("graph/HCLG.fst", "conf/mfcc.conf", "conf/model.conf", "am/global_cmvn.stats"):
        assert (vosk / path).read_bytes() == (folder / path).read_bytes()
    Recognizer(Model(vosk), 8000.0)
    again = tmp_path / "again"  # what was made is a model to begin with, too
    assert run(unpack, [str(vosk), str(again)]) == 0
    assert (again / "final.mdl").read_bytes() == (made / "final.mdl").read_bytes()


@pytest.mark.slow
def test_new_words_and_a_new_output_layer(reference: Path, corpus: Path, tmp_path: Path) -> None:
    """Kaldi's network with i-vectors gets a tree of other leaves, and a graph with a word that its own one has not."""
    mine, lang, made, dictionary = (tmp_path / name for name in ("data", "lang", "made", "dict"))
    mine.mkdir()
    shutil.copytree(reference / "fsdd/dict", dictionary, copy_function=shutil.copyfile)
    lexicon = (dictionary / "lexicon.txt").read_text().replace("zero ", "nil ")
    (dictionary / "lexicon.txt").write_text("".join(sorted(lexicon.splitlines(keepends=True))))
    (dictionary / "lexiconp.txt").unlink()
    words = {line.split()[0] for line in lexicon.splitlines() if line[0].islower()}
    (dictionary / "words").write_text("".join(f"{word}\n" for word in sorted(words)))
    test = corpus / "fsdd/test"
    for name in ("text", "utt2spk", "wav.scp"):
        rows = dict(line.split(None, 1) for line in (test / name).read_text().splitlines())
        prefix = f"{corpus}/fsdd/" if name == "wav.scp" else ""
        lines = [f"{key} {prefix}{rows[key]}\n".replace("zero", "nil") for key in sorted(rows)[::14]]
        (mine / name).write_text("".join(lines))
    shell(tmp_path, ROOT / "utils/fix_data_dir.sh", mine)
    shell(tmp_path, STEPS / "prepare_lang.sh", dictionary, "<UNK>", tmp_path / "tmp", tmp_path / "words")
    grammar = ["--word-loop=true", tmp_path / "words", dictionary / "words", dictionary / "lexicon.txt"]
    shell(tmp_path, STEPS / "format_lm.sh", *grammar, tmp_path / "words")
    shell(tmp_path, STEPS / "prepare_chain_lang.sh", tmp_path / "words", lang)
    options = ["--lang", lang, "--num-leaves", "30", "--learning-rate-factors", "output*=4 *=0.5"]
    shell(tmp_path, STEPS / "finetune.sh", *FEW, *options, reference / "fsdd/vosk", mine, made)
    model = read_model(str(made / "final.mdl"))
    assert model.num_pdfs == model.transition_model.num_pdfs < 72
    assert model.nnet.components["output.affine"].linear_params.any()
    assert (made / "vosk/ivector/final.ie").is_file()
    assert Model(made / "vosk").find_word("nil") > 0 > Model(reference / "fsdd/vosk").find_word("nil")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model"], "Usage: "),
        (["model", "nothing", "out"], "no such file nothing/text"),
        (["nowhere", "data", "out"], "nowhere: no such file or folder"),
        (["--num-leaves", "30", "model", "data", "out"], "--num-leaves needs --lang"),
        (["--lang", "nolang", "model", "data", "out"], "no such file nolang/L.fst"),
        (
            ["--mfcc-config", "a", "--fbank-config", "b", "model", "data", "out"],
            "one of --mfcc-config and --fbank-config",
        ),
        (["--frozen"], "option --frozen needs a value"),
        (["--objective", "foo", "model", "data", "out"], "no --objective foo: it is one of cross-entropy"),
        (["--num-epoch", "3", "model", "data", "out"], "nnet-pytorch-train-model has an option --num-epoch"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "data").mkdir()
    for name in ("text", "utt2spk"):
        (tmp_path / "data" / name).write_text("u1 x\n")
    status = 255 if "nowhere" in arguments else 1
    assert message in shell(tmp_path, STEPS / "finetune.sh", *arguments, status=status)


@pytest.mark.parametrize(
    ("model", "data", "message"),
    [
        ("out/model", "data", "out/model lies in out/model, which is made anew"),
        ("model", "out/data", "out/data lies in out/data, which is made anew"),
        ("link", "data", "link lies in out/model, which is made anew"),
        ("out", "data", "must be another one than <model> and <data-dir>"),
    ],
)
def test_what_is_given_is_not_lost(tmp_path: Path, model: str, data: str, message: str) -> None:
    for folder in ("data", "out/data", "out/model/am"):
        (tmp_path / folder).mkdir(parents=True)
        for name in ("text", "utt2spk", "final.mdl"):
            (tmp_path / folder / name).write_text("u1 x\n")
    (tmp_path / "link").symlink_to("out/model/am")
    assert message in shell(tmp_path, STEPS / "finetune.sh", model, data, "out", status=1)
    assert (tmp_path / "out/model/am/final.mdl").exists() and (tmp_path / "out/data/text").exists()
