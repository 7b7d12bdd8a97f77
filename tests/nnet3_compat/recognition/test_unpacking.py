"""nnet-pytorch-unpack-model: models as they are handed on, laid out as training keeps them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.options import MfccOptions
from kaldi_bridge.hmm.tree import answer, read_tree
from kaldi_bridge.options import read_options
from kaldi_bridge.transforms.global_cmvn import read_stats, write_global_stats
from nnet3_compat.commands.recognition.unpack_model import main
from nnet3_compat.recognition.unpacking import UnpackOptions, unpack_model
from tests.helpers.kaldi_folders import digits_folder
from tests.helpers.vosk_models import TINY, tiny_folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("what", ["", "am/final.mdl"])
def test_a_folder_for_vosk(tmp_path: Path, what: str) -> None:
    """Or the model in it. Its tree is found in the graph."""
    folder, made = tiny_folder(tmp_path / "model"), tmp_path / "made"
    write_global_stats(str(folder / "am/global_cmvn.stats"), np.array([[1.0] * 40 + [5.0], [2.0] * 40 + [0.0]]))
    assert run(main, [str(folder / what), str(made)]) == 0
    kept = {"final.mdl", "tree", "frame_subsampling_factor", "cmvn_opts", "online_cmvn", "global_cmvn.stats", "conf"}
    assert names(made) == {*kept, "graph", "vosk"}
    assert (made / "frame_subsampling_factor").read_text() == "3\n" and (made / "cmvn_opts").read_text() == "\n"
    assert read_stats(str(made / "global_cmvn.stats"))[0, -1] == 5.0
    features = read_options(str(made / "conf/mfcc.conf"), MfccOptions)
    assert (features.num_ceps, features.sample_frequency, features.high_freq) == (40, 8000.0, -200.0)
    assert features.allow_downsample and features.allow_upsample
    assert (made / "final.mdl").read_bytes() == (folder / "am/final.mdl").read_bytes()
    assert (made / "graph/HCLG.fst").is_file() and (made / "vosk").resolve() == folder.resolve()
    assert answer(read_tree(str(made / "tree")).to_pdf, (1, 5), 0) == answer(
        read_tree(f"{TINY}/model/tree").to_pdf, (5,), 0
    )


def test_with_ivectors(reference: Path, tmp_path: Path) -> None:
    """Vosk's own settings of their extraction."""
    unpack_model(str(reference / "fsdd/vosk"), str(tmp_path / "made"), UnpackOptions())
    extractor = tmp_path / "made/extractor"
    files = {"final.ie", "final.dubm", "final.mat", "global_cmvn.stats", "splice_opts", "online_cmvn.conf"}
    assert names(extractor) == {*files, "ivector_opts"}
    assert "--max-count=100" in (extractor / "ivector_opts").read_text()
    assert (extractor / "splice_opts").read_text() == "--left-context=3 --right-context=3\n"
    assert (tmp_path / "made/cmvn_opts").read_text() == "--norm-means=false --norm-vars=false\n"


def test_a_directory_for_online_decoding(reference: Path, tmp_path: Path) -> None:
    folder = digits_folder(reference, tmp_path / "online")
    unpack_model(str(folder), str(tmp_path / "made"), UnpackOptions(graph=str(reference / "fsdd/graph")))
    made = tmp_path / "made"
    assert (made / "tree").read_bytes() == (folder / "tree").read_bytes()
    assert (made / "cmvn_opts").read_text() == "--norm-vars=true\n" and (made / "online_cmvn").is_file()
    assert "--low-freq=40" in (made / "conf/mfcc.conf").read_text()


def test_a_directory_of_training(tmp_path: Path) -> None:
    """How features were made is told by input.json."""
    made = tmp_path / "made"
    unpack_model(str(TINY / "model"), str(made), UnpackOptions(graph=str(TINY / "graph")))
    kept = {"final.mdl", "tree", "frame_subsampling_factor", "cmvn_opts", "phones.txt", "input.json"}
    assert names(made) == {*kept, "conf", "graph"}
    features = read_options(str(made / "conf/mfcc.conf"), MfccOptions)
    assert (features.num_ceps, features.high_freq, features.use_energy) == (40, 3800.0, False)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("nothing", {}, "nothing: no such file or folder"),
        (".", {}, "holds no model"),
        ("raw", {}, "raw/final.mdl is a raw network, without transition model"),
        ("cut", {}, "cut/final.mdl"),
        ("no_tree", {}, "there is no .*no_tree/tree: give --tree, or --graph"),
        ("no_tree", {"tree": "other_tree"}, "other_tree is the tree of another model"),
        ("no_tree", {"tree": "words.txt"}, "words.txt"),
        ("no_tree", {"graph": "nowhere"}, "nowhere has neither HCLG.fst nor both"),
        ("vosk", {"graph": "graph"}, "has its graph inside"),
    ],
)
def test_bad_models(tmp_path: Path, source: str, options: dict[str, str], message: str) -> None:
    """Nothing is left of the new folder."""
    tiny_folder(tmp_path / "vosk")
    model = (TINY / "model/final.mdl").read_bytes()
    head = model.index(b"<Nnet3>")
    for name, content in (("raw", b"\0B" + model[head:]), ("cut", model[:3000]), ("no_tree", model)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "final.mdl").write_bytes(content)
    (tmp_path / "other_tree").write_text("ContextDependency 1 0 ToPdf CE 3 EndContextDependency ")
    shutil.copy(TINY / "graph/words.txt", tmp_path)
    made = tmp_path / "made"
    with pytest.raises(KaldiError, match=message):
        unpack_model(
            str(tmp_path / source), str(made), UnpackOptions(**{k: f"{tmp_path}/{v}" for k, v in options.items()})
        )
    assert not made.exists() and not [name for name in names(tmp_path) if name.startswith(".made")]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    with pytest.raises(KaldiError, match="made is there already"):
        unpack_model(str(TINY / "model"), str(tmp_path / "made"), UnpackOptions())
