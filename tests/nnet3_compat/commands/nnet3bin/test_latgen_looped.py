"""Lattices are those of Kaldi's nnet3-latgen-faster-looped for the same model, graph and features (kept in looped/)."""

import re
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.model_file import read_nnet, write_model
from tests.helpers.twins import twin

KALDIS = Path(__file__).parent / "looped"
SEARCH = ["--acoustic-scale=1.0", "--frame-subsampling-factor=3", "--beam=11", "--lattice-beam=3"]
FEATURES = "scp:awk 'NR%90==1' data/test_hires/feats.scp|"
IVECTORS = ["--online-ivectors=scp:ivectors_test/ivector_online.scp", "--online-ivector-period=10"]
CHUNKS = {"tdnnf": ["--frames-per-chunk=20", *IVECTORS], "attention": ["--frames-per-chunk=10"]}


@pytest.fixture
def fsdd(reference: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(reference / "fsdd")  # paths in its .scp files begin there
    return reference / "fsdd"


def model_file(name: str, fsdd: Path, folder: Path) -> str:
    """A model of the experiment, or a network of the zoo with the experiment's transition model."""
    if (fsdd / name).is_dir():
        return str(fsdd / name / "final.mdl")
    nnet = read_nnet(str(fsdd.parent / "zoo" / name / "model.raw"))
    transitions = read_transition_model(str(fsdd / "tdnnf/0.trans_mdl"))
    write_model(str(folder / "model.mdl"), AmNnet(transitions, nnet, np.zeros(0, np.float32)))
    return str(folder / "model.mdl")


@pytest.mark.parametrize("name", ["tdnnf", "attention", "opgru"])
def test_as_kaldi(name: str, fsdd: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Words, transition-ids and the arcs of lattices; costs and likelihoods to 1e-3."""
    options = [*SEARCH, "--extra-left-context-initial=4", *CHUNKS.get(name, ["--frames-per-chunk=10"])]
    outputs = [f"ark:{tmp_path}/{kind}" for kind in ("lat", "words", "ali")]
    main = twin("nnet3-latgen-faster-looped")
    assert run(main, [*options, model_file(name, fsdd, tmp_path), "graph/HCLG.fst", FEATURES, *outputs]) == 0
    logged = re.findall(r"^LOG \(.*\.py:\d+\) ((?:Log-like|Done|Overall).*)$", capfd.readouterr().err, re.M)
    for line, kaldis in zip(logged, (KALDIS / f"{name}.log").read_text().splitlines(), strict=True):
        for word, kaldis_word in zip(line.split(), kaldis.split(), strict=True):
            assert word == kaldis_word or float(word) == pytest.approx(float(kaldis_word), rel=1e-4)
    for kind in ("words", "ali"):
        made = dict(SequentialReader(f"ark:{tmp_path}/{kind}", INT32_VECTOR))
        expected = dict(SequentialReader(f"ark:{KALDIS}/{name}.{kind}", INT32_VECTOR))
        assert made.keys() == expected.keys() and all(np.array_equal(made[key], expected[key]) for key in made)
    lattices = dict(SequentialReader(f"ark:{tmp_path}/lat", COMPACT_LATTICE))
    for key, lattice in SequentialReader(f"ark:{KALDIS}/{name}.lat", COMPACT_LATTICE):
        for state, kaldis_state in zip(lattices[key].to_lists()[0], lattice.to_lists()[0], strict=True):
            for arc, kaldis_arc in zip(state, kaldis_state, strict=True):
                assert (arc[0], arc[3], arc[4]) == (kaldis_arc[0], kaldis_arc[3], kaldis_arc[4])
                assert arc[1:3] == pytest.approx(kaldis_arc[1:3], abs=1e-3)


def test_own_graphs_and_what_is_left_out(fsdd: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A graph for each utterance gives the same words; utterances without features or i-vectors are counted."""
    keys = [line.split()[0] for line in (KALDIS / "tdnnf.words").read_text().splitlines()]
    (tmp_path / "graphs").write_text("".join(f"{key} graph/HCLG.fst\n" for key in [*keys, "nobody"]))
    main, model = twin("nnet3-latgen-faster-looped"), "tdnnf/final.mdl"
    options = [*SEARCH, "--extra-left-context-initial=4", *CHUNKS["tdnnf"]]
    features = "scp:data/test_hires/feats.scp"
    outputs = ["ark:/dev/null", f"ark,t:{tmp_path}/words"]
    assert run(main, [*options, model, f"scp:{tmp_path}/graphs", features, *outputs]) == 0
    assert (tmp_path / "words").read_text() == (KALDIS / "tdnnf.words").read_text()
    logged = capfd.readouterr().err
    assert "Not decoding utterance nobody because no features available." in logged and "failed for 1" in logged
    first = Path("ivectors_test/ivector_online.scp").read_text().split("\n")[0]
    (tmp_path / "one").write_text(f"{first}\n")
    wrong = [*options, f"--online-ivectors=scp:{tmp_path}/one"]
    assert run(main, [*wrong, model, "graph/HCLG.fst", FEATURES, "ark:/dev/null"]) == 0
    logged = capfd.readouterr().err
    assert "No online iVector available for utterance" in logged and "Done 1 utterances, failed for 2" in logged
    raw = str(fsdd / "tdnnf/0.raw")
    assert run(main, [*options, raw, "graph/HCLG.fst", FEATURES, f"ark:{tmp_path}/none"]) == 255
    assert "has no transition model" in capfd.readouterr().err and not (tmp_path / "none").exists()
