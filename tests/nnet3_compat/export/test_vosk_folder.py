"""nnet-pytorch-export --vosk: what is in the folder, and that Vosk finds the words in it that our decoder finds."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.command import run
from kaldi_bridge.commands.featbin.apply_cmvn import main as apply_cmvn
from kaldi_bridge.commands.featbin.compute_cmvn_stats import main as compute_cmvn_stats
from kaldi_bridge.commands.featbin.compute_mfcc_feats import main as compute_mfcc_feats
from kaldi_bridge.commands.online2bin.apply_cmvn_online import main as apply_cmvn_online
from kaldi_bridge.transforms import cmvn
from kaldi_bridge.transforms.global_cmvn import read_global_stats
from nnet3_compat.commands.models.export import main as export
from nnet3_compat.commands.nnet3bin.nnet3_latgen_faster import main as latgen_faster
from nnet3_compat.model.input_transform import transform_input
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.network.network import Network
from tests.helpers.vosk_runtime import decode


def made_folder(model: Path, reference: Path, folder: Path, *options: str) -> int:
    fsdd = reference / "fsdd"
    words = [f"--graph={fsdd}/graph", f"--mfcc-config={fsdd}/conf/mfcc_hires.conf", *options]
    return run(export, ["--vosk", *words, str(model), str(folder)])


def test_normalization_becomes_a_part_of_the_network(reference: Path) -> None:
    nnet = read_nnet(str(reference / "fsdd/tdnnf_cmvn/final.mdl"))
    network = Network.from_nnet(nnet)
    random = np.random.default_rng(0)
    stats = np.zeros((2, 41))
    stats[0], stats[1] = random.normal(size=41) * 100, 3000.0 + random.uniform(size=41) * 1000
    stats[0, 40] = 100.0
    features = random.normal(size=(60, 40)).astype(np.float32) * 5
    expected = network(torch.from_numpy(cmvn.apply_cmvn(stats, features, True))[None])
    mean = stats[0, :40] / 100
    deviation = np.sqrt(stats[1, :40] / 100 - mean**2)
    transform_input(nnet, 1 / deviation, -mean / deviation)
    assert torch.allclose(Network.from_nnet(nnet)(torch.from_numpy(features)[None]), expected, atol=1e-4)


def test_a_folder_of_a_network_with_ivectors_is_kaldis(reference: Path, tmp_path: Path) -> None:
    fsdd = reference / "fsdd"
    assert made_folder(
        fsdd / "tdnnf/final.mdl", reference, tmp_path / "vosk", f"--ivector-extractor={fsdd}/ivector_extractor"
    ) == 0  # fmt: skip
    ours = {str(p.relative_to(tmp_path / "vosk")) for p in (tmp_path / "vosk").rglob("*") if p.is_file()}
    theirs = {str(p.relative_to(fsdd / "vosk")) for p in (fsdd / "vosk").rglob("*") if p.is_file()}
    assert ours == theirs - {"transcripts.txt"}
    for name in ours - {"conf/model.conf"}:
        assert (tmp_path / "vosk" / name).read_bytes() == (fsdd / "vosk" / name).read_bytes(), name
    ours, theirs = (
        dict(line.split("=", 1) for line in (folder / "conf/model.conf").read_text().split())
        for folder in (tmp_path / "vosk", fsdd / "vosk")
    )
    assert ours.keys() == theirs.keys()
    assert ours["--endpoint.silence-phones"] == theirs["--endpoint.silence-phones"]
    assert ours["--frame-subsampling-factor"] == "3"


def test_what_is_missing_is_named(reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    fsdd = reference / "fsdd"
    normalized, ivectors = fsdd / "tdnnf_cmvn/final.mdl", fsdd / "tdnnf/final.mdl"
    cases: list[tuple[Path, list[str], str]] = [
        (normalized, [], "trained with normalized features (.*): give --cmvn-stats"),
        (ivectors, [], "takes i-vectors: give --ivector-extractor"),
        (ivectors, [f"--mfcc-config={fsdd}/conf/mfcc.conf"], "makes 13 features, the network takes 40"),
        (ivectors, ["--graph="], "needs --graph"),
        (ivectors, ["--graph=nowhere"], "nowhere/HCLG.fst: No such file"),
    ]
    for model, options, message in cases:
        assert made_folder(model, reference, tmp_path / "vosk", *options) != 0
        assert re.search(message, capfd.readouterr().err), message
        assert not list(tmp_path.iterdir())
    assert made_folder(ivectors, reference, tmp_path) != 0
    assert "is there already" in capfd.readouterr().err


def trained_online(reference: Path, folder: Path, stats: Path, cmvn_opts: str = "") -> Path:
    """A model directory as training with --online-cmvn leaves it."""
    folder.mkdir()
    for name in ("final.mdl", "frame_subsampling_factor"):
        shutil.copyfile(reference / "fsdd/tdnnf_cmvn" / name, folder / name)
    shutil.copyfile(stats, folder / "global_cmvn.stats")
    (folder / "online_cmvn").touch()
    (folder / "cmvn_opts").write_text(f"{cmvn_opts}\n")
    return folder / "final.mdl"


def test_options_of_online_normalization_that_vosk_has_not(
    reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    stats = reference / "fsdd/ivector_extractor/global_cmvn.stats"
    model = trained_online(reference, tmp_path / "exp", stats, "--norm-vars=true")
    assert made_folder(model, reference, tmp_path / "vosk") != 0
    assert "exp/cmvn_opts: Vosk has Kaldi's default options of online normalization only" in capfd.readouterr().err
    (tmp_path / "exp/cmvn_opts").write_text("\n")
    assert made_folder(model, reference, tmp_path / "vosk") == 0
    written = [read_global_stats(str(file)) for file in (tmp_path / "vosk/am/global_cmvn.stats", stats)]
    np.testing.assert_array_equal(*written)


@pytest.mark.slow
@pytest.mark.parametrize("online", [False, True])
def test_vosk_finds_the_words_of_our_decoder(reference: Path, corpus: Path, tmp_path: Path, online: bool) -> None:
    """With a model that was trained on normalized features, and the statistics of the speaker that is tested.

    At most one utterance in a hundred may differ: Vosk computes as the audio comes in, and ends at long silences.
    """
    pytest.importorskip("vosk")
    fsdd = reference / "fsdd"
    config = tmp_path / "mfcc.conf"
    config.write_text((fsdd / "conf/mfcc_hires.conf").read_text() + "--dither=0\n")
    waves = [line.split() for line in (corpus / "fsdd/test/wav.scp").read_text().splitlines()]
    waves = [(key, name) for key, name in waves if key.startswith("theo")]
    theo, scp = tmp_path / "corpus/fsdd/test", tmp_path / "wav.scp"
    theo.mkdir(parents=True)
    (theo / "wav").symlink_to(corpus / "fsdd/test/wav")
    (theo / "wav.scp").write_text("".join(f"{key} {name}\n" for key, name in waves))
    scp.write_text("".join(f"{key} {corpus}/fsdd/{name}\n" for key, name in waves))
    feats, stats = tmp_path / "feats.ark", tmp_path / "stats"
    assert run(compute_mfcc_feats, [f"--config={config}", f"scp:{scp}", f"ark:{feats}"]) == 0
    assert run(compute_cmvn_stats, [f"ark:{feats}", str(stats)]) == 0
    normalized = f"ark:{tmp_path}/normalized.ark"
    program, opts = (apply_cmvn_online, []) if online else (apply_cmvn, ["--norm-means=true", "--norm-vars=true"])
    assert run(program, [*opts, str(stats), f"ark:{feats}", normalized]) == 0
    model, graph = fsdd / "tdnnf_cmvn/final.mdl", fsdd / "graph"
    search = ["--beam=15", "--lattice-beam=8", "--max-active=7000", "--acoustic-scale=1.0", "--frames-per-chunk=51"]
    lattices = [f"ark:{tmp_path}/lat.ark", f"ark,t:{tmp_path}/words"]
    options = [*search, "--frame-subsampling-factor=3", f"--word-symbol-table={graph}/words.txt"]
    assert run(latgen_faster, [*options, str(model), f"{graph}/HCLG.fst", normalized, *lattices]) == 0
    symbols = dict(line.split()[::-1] for line in (graph / "words.txt").read_text().splitlines())
    found = {}
    for line in (tmp_path / "words").read_text().splitlines():
        key, *ids = line.split()
        found[key] = " ".join(symbols[number] for number in ids)

    options = [f"--mfcc-config={config}", *([] if online else [f"--cmvn-stats={stats}", "--fixed-cmvn"])]
    model = trained_online(reference, tmp_path / "exp", stats) if online else model
    assert made_folder(model, reference, tmp_path / "vosk", *options) == 0
    in_vosk = decode(tmp_path / "vosk", tmp_path / "corpus")
    assert in_vosk.keys() == found.keys()
    assert len(found) > 90
    different = [key for key, text in found.items() if in_vosk[key] != text]
    assert len(different) <= len(found) // 100, different
