"""Aligning, decoding and converting with Kaldi's GMM: the results are Kaldi's (reference/fsdd)."""

from __future__ import annotations

import re
from pathlib import Path

import kaldi_hmm_gmm
import kaldifst
import numpy as np
import pytest

from kaldi_bridge.command import Command, run
from kaldi_bridge.commands.bin.compile_train_graphs import main as compile_train_graphs
from kaldi_bridge.commands.bin.convert_ali import main as convert_ali
from kaldi_bridge.commands.featbin.subset_feats import main as subset_feats
from kaldi_bridge.commands.gmmbin.gmm_align_compiled import main as gmm_align_compiled
from kaldi_bridge.commands.gmmbin.gmm_init_biphone import main as gmm_init_biphone
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.graphs.training_graphs import TrainingGraphOptions, TrainingGraphs
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.hmm.tree import make_transition_model, read_tree
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.transcript_phones import TranscriptPhones, count_lines
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, FLOAT_MATRIX, FLOAT_VECTOR, INT32_VECTOR
from kaldi_bridge.tree_building.alignment_conversion import AlignmentConverter
from kaldi_bridge.tree_building.files import write_object
from kaldi_bridge.tree_building.flat_trees import PhoneCounts, biphone_tree, monophone_tree
from kaldi_bridge.tree_building.maps import leaves

FRONT_END = ["--cmvn=scp:data/train/cmvn.scp", "--utt2spk=ark:data/train/utt2spk", "--delta-order=2"]
FRONT_END_TEST = [option.replace("train", "test") for option in FRONT_END]
ALIGNED = Path(__file__).parent / "aligned"  # what Kaldi's gmm-align-compiled gave


def succeed(main: Command, *arguments: object) -> None:
    assert run(main, [str(argument) for argument in arguments]) == 0


@pytest.fixture()
def fsdd(reference: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(reference / "fsdd")  # paths in its .scp files begin there
    return reference / "fsdd"


@pytest.fixture()
def lang(fsdd: Path) -> Lang:
    return Lang(fsdd / "lang")


def alignments(source: str) -> dict[str, np.ndarray]:
    with SequentialReader(source, INT32_VECTOR) as table:
        return dict(table)


def transcripts(lang: Lang, wspecifier: str, every: int) -> list[str]:
    """Writes every n-th training transcript in numbers; the utterances."""
    lines = [line.split() for line in Path("data/train/text").read_text().splitlines()][::every]
    with TableWriter(wspecifier, INT32_VECTOR) as writer:
        for utterance, *words in lines:
            writer.write(utterance, lang.word_numbers(words))
    return [line[0] for line in lines]


def test_alignments_are_kaldis(lang: Lang, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """All frames of every tenth utterance; of one without features nothing, and it is counted."""
    utterances = transcripts(lang, f"ark:{tmp_path}/text", 10)
    with TableWriter(f"ark:{tmp_path}/more", INT32_VECTOR) as writer:
        for key, words in [*SequentialReader(f"ark:{tmp_path}/text", INT32_VECTOR), ("nobody", [3]), ("oov", [99])]:
            writer.write(key, words)
    disambig = "--read-disambig-syms=lang/phones/disambig.int"
    succeed(
        compile_train_graphs, disambig, "tri1/tree", "tri1/final.mdl", "lang/L.fst", f"ark:{tmp_path}/more",
        f"ark:{tmp_path}/fsts",
    )  # fmt: skip
    assert "succeeded for 42 graphs, failed for 1" in capfd.readouterr().err
    scales = ["--transition-scale=1.0", "--acoustic-scale=0.1", "--self-loop-scale=0.1"]
    succeed(
        gmm_align_compiled, *scales, "--beam=10", "--retry-beam=40", *FRONT_END, "tri1/final.mdl",
        f"ark:{tmp_path}/fsts", "scp:data/train/feats.scp", f"ark:{tmp_path}/ali",
    )  # fmt: skip
    assert "Done 41, errors on 1" in capfd.readouterr().err
    made, kaldis = alignments(f"ark:{tmp_path}/ali"), alignments("ark:gunzip -c tri1/ali.*.gz |")
    assert list(made) == utterances
    same = [(made[u] == kaldis[u]).mean() for u in utterances]
    assert np.mean(same) > 0.999


def test_no_way_through(lang: Lang, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A transcript that is too long for its recording: retried, then counted."""
    with TableWriter(f"ark:{tmp_path}/text", INT32_VECTOR) as writer:
        writer.write("george-001", [5] * 60)
    succeed(
        compile_train_graphs, "tri1/tree", "tri1/final.mdl", "lang/L.fst", f"ark:{tmp_path}/text",
        f"ark:{tmp_path}/fsts",
    )  # fmt: skip
    arguments = [*FRONT_END, "tri1/final.mdl", f"ark:{tmp_path}/fsts", "scp:data/train/feats.scp", "ark:/dev/null"]
    assert run(gmm_align_compiled, ["--beam=10", "--retry-beam=40", *arguments]) == 1
    log = capfd.readouterr().err
    assert "Retrying utterance george-001 with beam 40" in log and "Retried 1 out of 1" in log
    assert "Did not successfully decode file george-001, len = 94" in log and "Done 0, errors on 1" in log
    assert run(gmm_align_compiled, ["--beam=10", "--retry-beam=4", *arguments]) == 255


def test_careful_alignment_is_kaldis(lang: Lang, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Transcripts lack words: two of three are refused. Also scores and likelihoods by frame (float32)."""
    text = f"ark:{ALIGNED}/shortened"
    disambig = "--read-disambig-syms=lang/phones/disambig.int"
    succeed(compile_train_graphs, disambig, "tri1/tree", "tri1/final.mdl", "lang/L.fst", text, f"ark:{tmp_path}/g")
    capfd.readouterr()
    succeed(
        gmm_align_compiled, "--acoustic-scale=0.1", "--self-loop-scale=0.1", "--beam=13", "--retry-beam=14",
        "--careful=true", f"--write-per-frame-acoustic-loglikes=ark:{tmp_path}/per_frame", *FRONT_END_TEST,
        "tri1/final.mdl", f"ark:{tmp_path}/g", "scp:data/test/feats.scp", f"ark:{tmp_path}/ali",
        f"ark:{tmp_path}/scores",
    )  # fmt: skip
    logged = re.findall(r"^(?:LOG|WARNING) \(.*\.py:\d+\) (.*)$", capfd.readouterr().err, re.M)
    assert logged == (ALIGNED / "true.log").read_text().splitlines()
    for kind, holder in (("ali", INT32_VECTOR), ("scores", FLOAT), ("per_frame", FLOAT_VECTOR)):
        made, kaldis = (dict(SequentialReader(f"ark:{f}", holder)) for f in (tmp_path / kind, ALIGNED / f"true.{kind}"))
        assert made.keys() == kaldis.keys()
        for key, value in kaldis.items():
            np.testing.assert_allclose(made[key], value, rtol=0 if kind == "ali" else 1e-4)


def test_converted_alignments_are_kaldis(fsdd: Path, tmp_path: Path) -> None:
    """From triphones to the chain tree's topology, and to a third of the frames: all of them."""
    succeed(
        convert_ali, "--frame-subsampling-factor=3", "tri1/final.mdl", "chain_tree/final.mdl", "chain_tree/tree",
        "ark:gunzip -c tri1/ali.*.gz |", f"ark:{tmp_path}/ali",
    )  # fmt: skip
    made, kaldis = alignments(f"ark:{tmp_path}/ali"), alignments("ark:gunzip -c chain_tree/ali.*.gz |")
    assert made.keys() == kaldis.keys()
    for utterance, alignment in kaldis.items():
        np.testing.assert_array_equal(made[utterance], alignment)


def test_conversions(fsdd: Path) -> None:
    """There and back the order of self-loops is the same again; repeated frames keep the length."""
    triphones, chain = read_transition_model("tri1/final.mdl"), read_transition_model("chain_tree/final.mdl")
    tree, chain_tree = read_tree("tri1/tree"), read_tree("chain_tree/tree")
    alignment = alignments("ark:gunzip -c tri1/ali.1.gz |")["george-000"]
    there = AlignmentConverter(triphones, triphones, tree, reorder=False)(alignment)
    assert not np.array_equal(there, alignment)
    np.testing.assert_array_equal(AlignmentConverter(triphones, triphones, tree)(there), alignment)
    repeated = AlignmentConverter(triphones, chain, chain_tree, 3, repeat_frames=True)(alignment)
    assert len(repeated) == len(alignment)
    with pytest.raises(KaldiError, match="whole phones"):
        AlignmentConverter(triphones, triphones, tree)(alignment[:-30])
    with pytest.raises(KaldiError, match="too many"):
        AlignmentConverter(triphones, triphones, tree, 30)(alignment)


def test_training_graphs_are_kaldis(fsdd: Path, lang: Lang, tmp_path: Path) -> None:
    """The same states, arcs and costs as kaldi_hmm_gmm's, which knows trees of monophones only."""
    topology = kaldi_hmm_gmm.HmmTopology()
    topology.read((fsdd / "lang/topo").read_text())
    native_tree = kaldi_hmm_gmm.monophone_context_dependency_shared(
        lang.phone_sets, topology.get_phone_to_num_pdf_classes()
    )
    native_tree.write(True, str(tmp_path / "tree"))
    tree = monophone_tree(lang.phone_sets, lang.topology)
    write_object(str(tmp_path / "ours"), tree)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "tree").read_bytes()

    native_model = kaldi_hmm_gmm.TransitionModel(native_tree, topology)  # must live as long as the compiler
    native = kaldi_hmm_gmm.TrainingGraphCompiler(
        native_model,
        native_tree,
        kaldifst.StdVectorFst.read(str(fsdd / "lang/L.fst")),
        lang.disambig,
        kaldi_hmm_gmm.TrainingGraphCompilerOptions(1.0, 0.1),
    )
    ours = TrainingGraphs(
        lang.lexicon, tree, make_transition_model(tree, lang.topology), lang.disambig, TrainingGraphOptions(1.0, 0.1)
    )
    for words in (["zero", "four", "three"], ["two"], ["seven"] * 5):
        numbers = lang.word_numbers(words)
        native.compile_graph_from_text(numbers).write(str(tmp_path / "fst"))
        theirs, graph = read_fst(str(tmp_path / "fst")), ours.of_words(numbers)
        np.testing.assert_array_equal(graph.offsets, theirs.offsets)
        for field in ("ilabel", "olabel", "nextstate"):
            np.testing.assert_array_equal(graph.arcs[field], theirs.arcs[field])
        np.testing.assert_allclose(graph.arcs["weight"], theirs.arcs["weight"], atol=1e-4)
    with pytest.raises(KaldiError, match="without a pronunciation"):
        ours.of_words([99])


def test_trees_of_pairs(fsdd: Path, lang: Lang, tmp_path: Path) -> None:
    """Two pdfs for each of 21 sets of phones after each other one or none; rare ones share theirs."""
    with open_input("lang/topo.chain") as stream:
        topology = Topology.read(stream, read_header(stream))
    assert biphone_tree(lang.phone_sets, topology).num_pdfs == 2 * 21 * 22
    independent = biphone_tree(lang.phone_sets, topology, lang.context_independent)
    assert independent.num_pdfs == 2 * (10 + 19 * 20)
    lines = Path("data/train/text").read_text().splitlines()
    phones = [TranscriptPhones(lang, 0.0, 0.0)(line.split()[1:]) for line in lines]
    rows = count_lines(phones, lang.phone_sets)
    assert sum(row[2] for row in rows if len(row) == 3 and row[0] == 0 and row[1] % 4 == 3) == 406  # 11, 15, ...
    (tmp_path / "counts").write_text("".join(" ".join(map(str, row)) + "\n" for row in rows))
    counts = PhoneCounts.read(str(tmp_path / "counts"), 100, 20)
    tied = biphone_tree(lang.phone_sets, topology, (), counts)
    assert leaves(tied.to_pdf) == list(range(tied.num_pdfs)) and 100 < tied.num_pdfs < 2 * 21 * 10
    succeed(
        gmm_init_biphone, "--shared-phones=lang/phones/sets.int", f"--phone-counts={tmp_path}/counts",
        "lang/topo.chain", 10, tmp_path / "0.mdl", tmp_path / "tree",
    )  # fmt: skip
    assert read_tree(str(tmp_path / "tree")).to_pdf == tied.to_pdf
    assert read_transition_model(str(tmp_path / "0.mdl")).num_pdfs == tied.num_pdfs
    with pytest.raises(KaldiError, match="one or two pdf classes"):
        biphone_tree(lang.phone_sets, lang.topology)


def test_transcripts_as_phones(lang: Lang) -> None:
    """Every pronunciation occurs; words that are not known are the one of oov.int; silences as often as wanted."""
    silence = lang.optional_silence
    one, unknown = [79, 13, 48], [10]
    zero = {(83, 37, 57, 52), (83, 41, 57, 52)}
    always, never, some = (TranscriptPhones(lang, edge, between) for edge, between in ((1, 1), (0, 0), (0.5, 0)))
    assert always(["one", "nonsense"]) == [silence, *one, silence, *unknown, silence]
    assert {tuple(never(["zero"])) for _ in range(20)} == zero
    assert 300 < sum(some(["one"])[0] == silence for _ in range(1000)) < 700


def test_first_features(fsdd: Path, tmp_path: Path) -> None:
    for options, wanted in (
        (["--n=2"], ["george-000", "george-001"]),
        ([f"--include={tmp_path}/list"], ["george-002"]),
        ([f"--exclude={tmp_path}/list"], ["george-000", "george-001"]),
    ):
        (tmp_path / "list").write_text("george-002 x\n")
        succeed(subset_feats, *options, "scp:head -3 data/train/feats.scp |", f"ark:{tmp_path}/feats")
        assert [key for key, _ in SequentialReader(f"ark:{tmp_path}/feats", FLOAT_MATRIX)] == wanted
    for options in (["--n=0"], [f"--exclude={tmp_path}/list", "--n=3"]):
        assert run(subset_feats, [*options, "scp:head -3 data/train/feats.scp |", "ark:/dev/null"]) == 255
