"""Lattices are those of Kaldi's nnet3-latgen-faster-lookahead for the same files.

In lookahead/: what Kaldi's mkgraph_lookahead.sh made of the reference's lang directory (HCLr.fst, Gr.fst and
disambig_tid.int), with OpenFst's programs, and what Kaldi's program wrote.
"""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.fsts.fst import Fst, read_fst, write_fst
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR
from tests.helpers.twins import twin

KALDIS = Path(__file__).parent / "lookahead"
GRAPH = [str(KALDIS / name) for name in ("HCLr.fst", "Gr.fst", "disambig_tid.int")]
OPTIONS = ["--acoustic-scale=1.0", "--frame-subsampling-factor=3", "--beam=11", "--lattice-beam=3"]
OPTIONS += ["--frames-per-chunk=20", "--online-ivectors=scp:ivectors_test/ivector_online.scp"]
OPTIONS += ["--online-ivector-period=10"]
MODEL, FEATURES = "tdnnf/final.mdl", "scp:awk 'NR%90==1' data/test_hires/feats.scp|"


@pytest.fixture(autouse=True)
def fsdd(reference: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(reference / "fsdd")  # paths in its .scp files begin there
    return reference / "fsdd"


def lookahead(*words: str) -> int:
    return run(twin("nnet3-latgen-faster-lookahead"), [*OPTIONS, *words])


def test_as_kaldi(tmp_path: Path) -> None:
    """Words, transition-ids and the arcs of lattices; costs to 0.03, since OpenFst rounds those that go forward."""
    outputs = [f"ark:{tmp_path}/{kind}" for kind in ("lat", "words", "ali")]
    assert lookahead(MODEL, *GRAPH, FEATURES, *outputs) == 0
    for kind in ("words", "ali"):
        made = dict(SequentialReader(f"ark:{tmp_path}/{kind}", INT32_VECTOR))
        expected = dict(SequentialReader(f"ark:{KALDIS}/{kind}", INT32_VECTOR))
        assert made.keys() == expected.keys() and all(np.array_equal(made[key], expected[key]) for key in made)
    lattices = dict(SequentialReader(f"ark:{tmp_path}/lat", COMPACT_LATTICE))
    arcs = 0
    for key, lattice in SequentialReader(f"ark:{KALDIS}/lat", COMPACT_LATTICE):
        for state, kaldis_state in zip(lattices[key].to_lists()[0], lattice.to_lists()[0], strict=True):
            for arc, kaldis_arc in zip(state, kaldis_state, strict=True):
                assert (arc[0], arc[3], arc[4]) == (kaldis_arc[0], kaldis_arc[3], kaldis_arc[4])
                assert arc[1:3] == pytest.approx(kaldis_arc[1:3], abs=0.03)
                arcs += 1
    assert arcs > 10


def test_a_graph_directory_in_the_place_of_a_graph(tmp_path: Path) -> None:
    options = [*OPTIONS, MODEL, str(KALDIS), FEATURES, "ark:/dev/null", f"ark:{tmp_path}/words"]
    assert run(twin("nnet3-latgen-faster"), options) == 0
    assert (tmp_path / "words").read_bytes() == (KALDIS / "words").read_bytes()


def test_files_that_do_not_fit(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def fails(message: str, *graph: str) -> None:
        assert lookahead(MODEL, *graph, FEATURES, f"ark:{tmp_path}/lat") == 255
        said = capfd.readouterr().err
        assert message in said and not (tmp_path / "lat").exists()

    hcl, g, disambig = GRAPH
    (tmp_path / "none.int").write_text("")
    fails("which is no transition-id of the model", hcl, g, f"{tmp_path}/none.int")
    fails("Not supported for lookahead", f"scp:{tmp_path}/graphs", g, disambig)
    (tmp_path / "cut.fst").write_bytes(Path(hcl).read_bytes()[:-20])
    fails("cut.fst", f"{tmp_path}/cut.fst", g, disambig)
    write_fst(f"{tmp_path}/unsorted.fst", Fst.from_arcs(0, {0: 0.0}, [(0, 2, 2, 0.0, 0), (0, 1, 1, 0.0, 0)]))
    fails("unsorted.fst with", hcl, f"{tmp_path}/unsorted.fst", disambig)
    # The label of the disambiguation symbol, which HCLr.fst has on loops, on a loop of the grammar.
    loops = read_fst(hcl).arcs
    symbol = int(loops["olabel"][np.isin(loops["ilabel"], [int(i) for i in Path(disambig).read_text().split()])].max())
    write_fst(f"{tmp_path}/circle.fst", Fst.from_arcs(0, {0: 0.0}, [(0, symbol, 0, 1.0, 0)]))
    fails("a cycle of arcs without input labels", hcl, f"{tmp_path}/circle.fst", disambig)
    write_fst(f"{tmp_path}/empty.fst", Fst.from_arcs(0, {0: 0.0}, []))
    assert lookahead(MODEL, hcl, f"{tmp_path}/empty.fst", disambig, FEATURES, f"ark:{tmp_path}/lat") in (0, 1)
