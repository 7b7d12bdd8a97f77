"""From a dictionary and transcripts to a decoding graph, each step as recipes call it."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import Command, run
from kaldi_bridge.commands.lang import (
    format_lm,
    make_graph,
    prepare_chain_lang,
    prepare_lang,
    train_lm,
    validate_dict_dir,
    validate_lang,
)
from kaldi_bridge.commands.lmbin import arpa2fst
from kaldi_bridge.fsts.fst import Fst, read_fst
from kaldi_bridge.graphs.window_labels import read_labels
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR
from tests.helpers.places import STEPS


def succeed(program: Command, *arguments: object) -> None:
    assert run(program, [str(argument) for argument in arguments]) == 0


@pytest.fixture
def fsdd(reference: Path) -> Path:
    return reference / "fsdd"


@pytest.fixture
def lang(fsdd: Path, tmp_path: Path) -> Path:
    """A copy that can be written."""
    shutil.copytree(fsdd / "lang", tmp_path / "lang", copy_function=shutil.copyfile)
    for folder in (tmp_path / "lang", tmp_path / "lang/phones"):
        folder.chmod(0o755)
    return tmp_path / "lang"


@pytest.fixture
def chain_model(fsdd: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    shutil.copyfile(fsdd / "chain_tree/tree", folder / "tree")
    shutil.copyfile(fsdd / "tdnnf_cmvn/final.mdl", folder / "final.mdl")
    return folder


def test_from_a_dictionary_to_a_graph(fsdd: Path, chain_model: Path, tmp_path: Path) -> None:
    lang, test = tmp_path / "lang", tmp_path / "lang_test"
    succeed(validate_dict_dir.main, fsdd / "dict")
    succeed(prepare_lang.main, "--sil-prob", "0.4", fsdd / "dict", "<UNK>", tmp_path / "tmp", lang)
    assert (tmp_path / "tmp/lexiconp_disambig.txt").exists()
    arguments = ["--order", "2", "--vocabulary", lang / "words.txt", "--oov", "<UNK>"]
    succeed(train_lm.main, *arguments, f"cat {fsdd}/data/train/text |", f"|gzip -c >{tmp_path}/lm.gz")
    assert b"\\2-grams:" in gzip.decompress((tmp_path / "lm.gz").read_bytes())
    shutil.copyfile(tmp_path / "lm.gz", tmp_path / "a 'model'.gz")
    succeed(format_lm.main, lang, tmp_path / "a 'model'.gz", fsdd / "dict/lexicon.txt", test)
    succeed(validate_lang.main, test)
    succeed(make_graph.main, "--self-loop-scale", "1.0", test, chain_model, tmp_path / "graph")
    graph = read_fst(str(tmp_path / "graph/HCLG.fst"))
    assert set(np.unique(graph.arcs["olabel"])) == {0, *Lang(test).words.numbers.values()} - {0, 13, 14, 15} | {0}


def test_graph_directory_is_kaldis(fsdd: Path, lang: Path, chain_model: Path, tmp_path: Path) -> None:
    graph = tmp_path / "graph"
    succeed(make_graph.main, "--self-loop-scale=1.0", lang, chain_model, graph)
    kaldis = {path.relative_to(fsdd / "graph") for path in (fsdd / "graph").rglob("*") if path.is_file()}
    assert {path.relative_to(graph) for path in graph.rglob("*") if path.is_file()} == kaldis
    for name in sorted(kaldis):
        assert (graph / name).read_bytes() == (fsdd / "graph" / name).read_bytes(), name


def test_parts_are_kept_for_the_next_graph(lang: Path, chain_model: Path, tmp_path: Path, capfd) -> None:
    succeed(make_graph.main, lang, chain_model, tmp_path / "a")
    assert len(read_labels(str(lang / "tmp/ilabels_2_1"))) == 114
    succeed(make_graph.main, lang, chain_model, tmp_path / "b")
    assert f"Taking {lang}/tmp/CLG_2_1.fst" in capfd.readouterr().err
    assert (tmp_path / "a/HCLG.fst").read_bytes() == (tmp_path / "b/HCLG.fst").read_bytes()
    succeed(make_graph.main, lang, chain_model, tmp_path / "b")
    assert "is up to date" in capfd.readouterr().err
    os.utime(lang / "G.fst")
    succeed(make_graph.main, lang, chain_model, tmp_path / "b")
    assert "Taking" not in capfd.readouterr().err


def accepts(graph: Fst, alignment: list[int], words: list[int]) -> bool:
    """Whether a path has these transition-ids and words."""
    arcs = [graph.arcs_of(s).tolist() for s in range(graph.num_states)]

    def closed(states: set[tuple[int, int]]) -> set[tuple[int, int]]:
        waiting = list(states)
        while waiting:
            waiting += (new := moves(waiting.pop(), 0) - states)
            states |= new
        return states

    def moves(state: tuple[int, int], label: int) -> set[tuple[int, int]]:
        s, said = state
        found = set()
        for ilabel, olabel, _, target in arcs[s]:
            if ilabel == label and (not olabel or words[said : said + 1] == [olabel]):
                found.add((target, said + (olabel > 0)))
        return found

    states = closed({(graph.start, 0)})
    for tid in alignment:
        states = closed(set().union(*(moves(state, tid) for state in states)))
    return any(np.isfinite(graph.finals[s]) and said == len(words) for s, said in states)


def test_a_triphone_graph_has_the_alignments_of_its_model(fsdd: Path, lang: Path, tmp_path: Path) -> None:
    """Three states, silence of five that may be skipped, contexts of three phones."""
    succeed(make_graph.main, lang, fsdd / "tri1", tmp_path / "graph")
    graph, words = read_fst(str(tmp_path / "graph/HCLG.fst")), Lang(lang).words.numbers
    text = dict(line.split(maxsplit=1) for line in (fsdd / "data/train/text").read_text().splitlines())
    with SequentialReader(f"ark:gunzip -c {fsdd}/tri1/ali.1.gz |", INT32_VECTOR) as reader:
        for (utterance, alignment), _ in zip(reader, range(20), strict=False):
            said = [words[word] for word in text[utterance].split()]
            assert accepts(graph, alignment.tolist(), said), utterance
            assert not accepts(graph, alignment.tolist(), said[:-1])


def test_graphs_without_a_word(lang: Path, chain_model: Path, tmp_path: Path) -> None:
    (lang / "oov.int").write_text("7\n")
    succeed(make_graph.main, "--remove-oov", lang, chain_model, tmp_path / "graph")
    olabels = read_fst(str(tmp_path / "graph/HCLG.fst")).arcs["olabel"]
    assert 7 not in olabels and 8 in olabels


def test_the_loop_of_a_word_list(lang: Path, fsdd: Path, tmp_path: Path) -> None:
    (tmp_path / "digits").write_text("one\ntwo\n")
    succeed(format_lm.main, "--word-loop", lang, tmp_path / "digits", fsdd / "dict/lexicon.txt", tmp_path / "out")
    assert read_fst(str(tmp_path / "out/G.fst")).num_arcs == 2
    (tmp_path / "digits").write_text("one\nmillion\n")
    assert (
        run(format_lm.main, ["--word-loop", *map(str, (lang, tmp_path / "digits", fsdd / "dict/lexicon.txt", lang))])
        == 255
    )


def test_arpa2fst_reads_and_writes_pipes(fsdd: Path, lang: Path, tmp_path: Path) -> None:
    succeed(train_lm.main, "--order=1", fsdd / "data/test/text", tmp_path / "lm")
    options = ["--disambig-symbol=#0", f"--read-symbol-table={lang}/words.txt"]
    succeed(arpa2fst.main, *options, f"cat {tmp_path}/lm |", f"|cat >{tmp_path}/G.fst")
    assert read_fst(str(tmp_path / "G.fst")).num_states > 0
    assert run(arpa2fst.main, [*options, str(tmp_path / "nothing"), str(tmp_path / "H.fst")]) == 255
    assert not (tmp_path / "H.fst").exists()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("phones/silence.int", "1\n2\n", "silence.txt and .int have 10 and 2 lines"),
        ("phones/silence.csl", "1:2\n", "silence.csl does not hold"),
        ("phones/sets.int", "1 2 3\n", "sets"),
        ("phones/optional_silence.int", "11\n", "11 is no silence phone"),
        ("phones/word_boundary.int", "1 nonword\n", "word_boundary"),
        ("phones/wdisambig_words.int", "12\n", "wdisambig_words.int"),
        ("oov.int", "3\n", "oov.int: '3' should be '2'"),
        ("topo", None, "topo"),
        ("words.txt", "<eps> 0\n<UNK> 2\n", "has a word"),
        ("L.fst", None, "L.fst"),
    ],
)
def test_what_is_wrong_with_a_lang_directory(lang: Path, name: str, text: str | None, message: str, capfd) -> None:
    (lang / name).unlink()
    if text is not None:
        (lang / name).write_text(text)
    assert run(validate_lang.main, ["--skip-determinization-check", str(lang)]) == 1
    assert message in capfd.readouterr().err


def test_files_that_are_missing(lang: Path, chain_model: Path, tmp_path: Path, capfd) -> None:
    (lang / "G.fst").unlink()
    assert run(make_graph.main, [str(lang), str(chain_model), str(tmp_path / "graph")]) == 255
    assert f"no such file {lang}/G.fst" in capfd.readouterr().err
    assert not (tmp_path / "graph").exists()


def test_the_topology_of_chain_models(lang: Path, fsdd: Path, tmp_path: Path) -> None:
    succeed(prepare_chain_lang.main, lang, tmp_path / "chain")
    assert (tmp_path / "chain/topo").read_bytes() == (fsdd / "lang/topo.chain").read_bytes()
    assert (tmp_path / "chain/phones/roots.int").read_bytes() == (fsdd / "lang/phones/roots.int").read_bytes()
    succeed(validate_lang.main, tmp_path / "chain")
    assert run(prepare_chain_lang.main, [str(lang), str(lang)]) == 255


def test_vocabulary_is_needed_for_unknown_words(fsdd: Path, tmp_path: Path, capfd) -> None:
    assert run(train_lm.main, ["--oov", "<UNK>", str(fsdd / "data/test/text"), str(tmp_path / "lm")]) == 255
    assert "--oov needs --vocabulary" in capfd.readouterr().err


def test_steps_by_kaldis_names(fsdd: Path, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for step in ("prepare_lang.sh", "format_lm.sh", "mkgraph.sh"):
        done = subprocess.run(
            [STEPS / step, "--help"], env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert "Usage" in done.stderr
