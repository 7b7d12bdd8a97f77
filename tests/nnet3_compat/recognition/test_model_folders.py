"""Folders that are not as they should be, and Kaldi's directories."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kaldi_bridge.errors import KaldiError
from nnet3_compat import Model, Recognizer
from tests.helpers.vosk_models import samples_of, tiny_folder


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def cut(name: str, size: int) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


def with_text(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text) and None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("am/final.mdl"), "holds no model"),
        (without("conf/model.conf"), "holds no model"),
        (without("conf/mfcc.conf"), r"no such file .*conf/mfcc\.conf"),
        (without("graph/HCLG.fst"), r"neither HCLG\.fst nor both HCLr\.fst and Gr\.fst"),
        (without("graph/words.txt"), r"no words\.txt"),
        (cut("am/final.mdl", 0), r"am/final\.mdl is empty"),
        (cut("am/final.mdl", 3000), r"am/final\.mdl"),
        (cut("graph/HCLG.fst", 500), r"HCLG\.fst"),
        (cut("graph/words.txt", 0), r"words\.txt.*empty"),
        (with_text("graph/words.txt", "one 1\ntwo\n"), r"words\.txt.*not a line of a symbol table"),
        (with_text("conf/model.conf", "--beam=ten\n"), "Invalid floating-point option"),
        (with_text("conf/model.conf", "--beams=10\n"), r"Invalid option --beams=10 in config file .*model\.conf"),
        (with_text("conf/model.conf", "--beam=-1\n"), "must be greater than zero"),
        (with_text("conf/model.conf", "--endpoint.silence-phones=a\n"), "colon-separated list of phones"),
        (with_text("conf/mfcc.conf", "--num-ceps=13\n"), "features of dimension 13 .* takes 40"),
        (with_text("conf/pitch.conf", "--frame-shift=10\n"), "features of dimension 43 .* takes 40"),
        (with_text("graph/phones.txt", "x\n"), r"phones\.txt"),
    ],
)
def test_bad_folders(change: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "model")
    change(folder)
    with pytest.raises(KaldiError, match=message):
        Model(folder)


def test_a_graph_of_another_model(reference: Path, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "model")
    shutil.copy(reference / "fsdd/graph/HCLG.fst", folder / "graph/HCLG.fst")
    with pytest.raises(KaldiError, match="no transition-id of the model: they do not belong together"):
        Model(folder)


def test_an_extractor_that_is_missing(reference: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("am", "conf", "graph"):
        (folder / name).symlink_to(reference / "fsdd/vosk" / name)
    with pytest.raises(KaldiError, match=r"takes i-vectors, but there is no such file .*splice\.conf"):
        Model(folder)
    with pytest.raises(KaldiError, match="no such folder"):
        Model(tmp_path / "nothing")


@pytest.fixture
def kaldi_folder(reference: Path, tmp_path: Path) -> Path:
    """As prepare_online_decoding.sh leaves it, but moved from where its configuration says."""
    fsdd, folder = reference / "fsdd", tmp_path / "tdnnf_online"
    (folder / "conf").mkdir(parents=True)
    (folder / "final.mdl").symlink_to(fsdd / "tdnnf/final.mdl")
    (folder / "frame_subsampling_factor").write_text("3\n")
    (folder / "ivector_extractor").symlink_to(fsdd / "ivector_extractor")
    (folder / "graph").symlink_to(fsdd / "graph")
    (folder / "conf/mfcc.conf").write_text((fsdd / "conf/mfcc_hires.conf").read_text() + "--dither=0\n")
    (folder / "conf/online_cmvn.conf").write_text("")
    (folder / "conf/splice.conf").write_text((fsdd / "ivector_extractor/splice_opts").read_text().replace(" ", "\n"))
    was = "/home/someone/exp/chain/tdnnf_online"
    lines = [
        "--feature-type=mfcc",
        f"--mfcc-config={was}/conf/mfcc.conf",
        f"--ivector-extraction-config={was}/conf/ivector_extractor.conf",
    ]
    (folder / "conf/online.conf").write_text("\n".join(lines) + "\n")
    files = {
        "splice-config": "conf/splice.conf", "cmvn-config": "conf/online_cmvn.conf",
        "lda-matrix": "ivector_extractor/final.mat", "global-cmvn-stats": "ivector_extractor/global_cmvn.stats",
        "diag-ubm": "ivector_extractor/final.dubm", "ivector-extractor": "ivector_extractor/final.ie",
    }  # fmt: skip
    text = "".join(f"--{name}={was}/{file}\n" for name, file in files.items())
    (folder / "conf/ivector_extractor.conf").write_text(text + "--num-gselect=5\n--max-count=0\n--ivector-period=10\n")
    return folder


def test_kaldis_directories(kaldi_folder: Path, reference: Path, corpus: Path) -> None:
    """What was said, but for the last word, which the little model takes for another; and the phones."""
    model = Model(kaldi_folder)
    assert (model.options.acoustic_scale, model.options.frames_per_chunk, model.options.beam) == (1.0, 20, 15.0)
    assert model.options.silence_phones == "1:2:3:4:5:6:7:8:9:10"
    recognizer = Recognizer(model, 8000, words=True, phones=True)
    recognizer.accept(samples_of(corpus / "fsdd/test/wav/theo-003.wav"))
    result = recognizer.final()
    assert result["text"].split()[:6] == ["three", "nine", "seven", "eight", "five", "eight"]
    phones = result["phones"]
    assert all(one["end"] == pytest.approx(other["start"]) for one, other in zip(phones, phones[1:], strict=False))
    names = [phone["phone"] for phone in phones if not phone["phone"].startswith("SIL")]
    assert [name.rpartition("_")[2] for name in names][0] == "B" and len(names) > 8
    (kaldi_folder / "other").symlink_to(reference / "fsdd/graph")
    with pytest.raises(KaldiError, match=r"has graph, other: say which graph to take \(--graph\)"):
        Model(kaldi_folder)
    Model(kaldi_folder, str(reference / "fsdd/graph"))
    (kaldi_folder / "conf/splice.conf").unlink()
    with pytest.raises(KaldiError, match=r"there is no /home/someone/.*/conf/splice\.conf"):
        Model(kaldi_folder, str(reference / "fsdd/graph"))
