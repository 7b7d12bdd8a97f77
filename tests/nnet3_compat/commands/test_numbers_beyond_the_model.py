"""Numbers that come from a file and are none of the model's: an error that names file and utterance, as Kaldi stops."""

import re
from pathlib import Path

import pytest

from kaldi_bridge.command import Command, run
from kaldi_bridge.commands.bin import (
    acc_tree_stats,
    ali_to_pdf,
    ali_to_phones,
    compile_train_graphs,
    convert_ali,
    post_to_tacc,
    tree_info,
)
from kaldi_bridge.commands.gmmbin import gmm_init_model
from kaldi_bridge.commands.latbin import lattice_align_phones, lattice_best_path
from kaldi_bridge.fsts.acceptors import Acceptor
from kaldi_bridge.fsts.fst import write_fst
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.topology_making import hmm_topology
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import Constant, ContextDependency, Table, make_transition_model
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.streams import open_output
from nnet3_compat.commands.chainbin import chain_get_supervision, chain_make_num_fst_e2e


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """mdl and tree of two phones, each with one state; normalization.fst."""
    monkeypatch.chdir(tmp_path)
    text = hmm_topology([1], [2], 1, 1).encode()
    topology = Topology.read(InputStream.from_bytes(text), False)
    tree = ContextDependency(1, 0, Table(0, (None, Constant(0), Constant(1))))
    model = make_transition_model(tree, topology)
    with open_output("mdl") as stream:
        model.write(stream, False)
    with open_output("tree") as stream:
        tree.write(stream, False)
    (tmp_path / "feats").write_text("u1 [ 1 2\n 3 4 ]\nu2 [ 1 2\n 3 4 ]\n")
    return tmp_path


def last_id() -> int:
    stream = InputStream.from_bytes(Path("mdl").read_bytes())
    return TransitionModel.read(stream, False).num_transition_ids


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        (ali_to_phones.main, ["mdl", "ark:ali", "ark,t:out"]),
        (ali_to_phones.main, ["--ctm-output=true", "mdl", "ark:ali", "out"]),
        (ali_to_pdf.main, ["mdl", "ark:ali", "ark,t:out"]),
        (convert_ali.main, ["mdl", "mdl", "tree", "ark:ali", "ark,t:out"]),
        (acc_tree_stats.main, ["--context-width=1", "--central-position=0", "mdl", "ark:feats", "ark:ali", "out"]),
    ],
)
@pytest.mark.parametrize("wrong", ["beyond", "0", "-3", "2147483647"])
def test_alignments(
    program: Command, arguments: list[str], wrong: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    last = last_id()
    wrong = str(last + 1) if wrong == "beyond" else wrong
    (folder / "ali").write_text(f"u1 1 {last}\nu2 1 {wrong}\n")
    assert run(program, arguments) == 255
    expected = rf"ark:ali: utterance u2: {wrong} is no transition-id of the model, which has 1 to {last}"
    assert re.search(expected, capfd.readouterr().err)
    assert not (folder / "out").exists()


@pytest.mark.parametrize("wrong", [0, 99])
def test_lattices(wrong: int, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for line, end in ((f"0 1 7 1,2,1_{wrong}", "1"), ("0 1 7 1,2,1", f"1 0,0,{wrong}")):
        (folder / "lat").write_text(f"u1 \n{line}\n{end}\n\n")
        assert run(lattice_align_phones.main, ["mdl", "ark:lat", "ark,t:out"]) == 255
        assert f"ark:lat: lattice u1: {wrong} is no transition-id" in capfd.readouterr().err


def test_a_lattice_with_a_cycle(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "lat").write_text("u1 \n0 1 7 1,2,1\n1 0 7 1,2,1\n1\n\n")
    assert run(lattice_align_phones.main, ["mdl", "ark:lat", "ark,t:out"]) == 255
    assert re.search("lattice u1: .*cycle", capfd.readouterr().err)


def test_graphs_of_another_model(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "graphs").write_text("u1 \n0 1 99 1\n1\n\n")
    write_fst("normalization.fst", Acceptor(0, [[(1, 0.0, 0), (2, 0.0, 0)]], [0.0]).to_fst())
    arguments = ["mdl", "normalization.fst", "ark:graphs", "ark,t:out"]
    assert run(chain_make_num_fst_e2e.main, arguments) == 255
    assert "ark:graphs: graph u1: 99 is no transition-id" in capfd.readouterr().err


def test_posteriors_of_another_model(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "post").write_text("u1 [ 99 1 ]\n")
    assert run(post_to_tacc.main, ["mdl", "ark:post", "out"]) == 255
    assert "Invalid transition-id 99 encountered for utterance u1" in capfd.readouterr().err


@pytest.mark.parametrize("symbol", [0, 1])
def test_disambiguation_symbols_that_are_phones(symbol: int, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_fst("L.fst", Acceptor(0, [[(1, 0.0, 0)]], [0.0]).to_fst())
    (folder / "disambig").write_text(f"{symbol}\n")
    (folder / "text").write_text("u1 1\n")
    arguments = ["--read-disambig-syms=disambig", "tree", "mdl", "L.fst", "ark:text", "ark,t:out"]
    assert run(compile_train_graphs.main, arguments) == 255
    assert f"Disambiguation symbol {symbol} is also a phone" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ContextDependency 1 0 ToPdf CE -1 EndContextDependency", "the tree answers -1, which is no pdf"),
        ("ContextDependency 1 0 ToPdf CE 2147483647 EndContextDependency", "2147483647, which is no pdf"),
        (
            "ContextDependency 1 0 ToPdf " + "SE 0 [ 1 ] { " * 500,
            "more than 400 parts of the tree are within each other",
        ),
    ],
)
def test_trees(text: str, message: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "bad").write_text(text)
    assert run(tree_info.main, ["bad"]) == 255
    assert re.search(f"bad at byte [0-9]+: .*{message}", capfd.readouterr().err)


def test_a_tree_that_asks_beyond_its_window(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "ali").write_text("u1 1 2\nu2 1 2\n")
    of_windows = ["--context-width=1", "--central-position=0"]
    assert run(acc_tree_stats.main, [*of_windows, "mdl", "ark:feats", "ark:ali", "stats"]) == 0
    (folder / "bad").write_text("ContextDependency 1 0 ToPdf SE 7 [ 1 ] { CE 0 CE 1 } EndContextDependency ")
    (folder / "topo").write_text(hmm_topology([1], [2], 1, 1))
    assert run(gmm_init_model.main, ["bad", "stats", "topo", "out"]) == 255
    assert "asks for position 7 in windows of 1 phones" in capfd.readouterr().err


def test_a_pdf_beyond_all_models(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = (folder / "mdl").read_text()
    (folder / "bad").write_text(re.sub(r"(Triples> 2 \n1 0) 0", r"\1 2147483647", text))
    assert run(ali_to_pdf.main, ["bad", "ark:feats", "ark:out"]) == 255
    assert "2147483647 is no pdf of state 0 of phone 1" in capfd.readouterr().err


def test_words_without_a_symbol(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "lat").write_text("u1 \n0 1 7 1,2,1\n1\n\nu2 \n0 1 8 1,2,1\n1\n\n")
    (folder / "words.txt").write_bytes(b"<eps> 0\nsi\xe9\xc2\xa0ge 7\n")
    assert run(lattice_best_path.main, ["--word-symbol-table=words.txt", "ark:lat", "ark,t:out"]) == 255
    assert "words.txt: utterance u2: Word-id 8 not in symbol table" in capfd.readouterr().err
    assert not (folder / "out").exists()


def test_durations_beyond_all_recordings(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "phones").write_text("u1 1 2147483647 ; 2 5\nu2 1 5 ; 2 5\n")
    assert run(chain_get_supervision.main, ["tree", "mdl", "ark:phones", "ark,t:out"]) == 255
    assert "utterance u1: phones of 2147483652 frames in all" in capfd.readouterr().err
    assert not (folder / "out").exists()
