"""Building trees by command: on Kaldi's alignments and features they are Kaldi's trees (reference/fsdd)."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaldi_bridge.command import Command, run
from kaldi_bridge.commands.bin.acc_tree_stats import main as acc_tree_stats
from kaldi_bridge.commands.bin.build_tree import main as build_tree
from kaldi_bridge.commands.bin.cluster_phones import main as cluster_phones
from kaldi_bridge.commands.bin.compile_questions import main as compile_questions
from kaldi_bridge.commands.bin.sum_tree_stats import main as sum_tree_stats
from kaldi_bridge.hmm.tree import read_tree
from kaldi_bridge.io.integer_sets import read_sets, write_sets
from kaldi_bridge.tree_building.build import fit
from kaldi_bridge.tree_building.files import read_statistics
from kaldi_bridge.tree_building.maps import leaves


def succeed(main: Command, *arguments: object) -> None:
    assert run(main, [str(argument) for argument in arguments]) == 0


@pytest.fixture()
def fsdd(reference: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(reference / "fsdd")  # paths in its .scp files begin there
    return reference / "fsdd"


def make_tree(source: str, topology: str, work: Path, context: list[str], leaves: int, subsample: int) -> None:
    """Builds work/tree from work/treeacc, accumulated in two jobs, as Kaldi's scripts call the programs."""
    independent = Path("lang/phones/context_indep.csl").read_text().strip()
    front_end = ["--cmvn=scp:data/train/cmvn.scp", "--utt2spk=ark:data/train/utt2spk", "--delta-order=2"]
    for job in (1, 2):
        options = [*context, f"--ci-phones={independent}", *front_end, f"--subsample={subsample}"]
        alignments = f"ark:gunzip -c {source}/ali.{job}.gz |"
        succeed(
            acc_tree_stats, *options, f"{source}/final.mdl", "scp:data/train/feats.scp", alignments, work / f"{job}.acc"
        )
    succeed(sum_tree_stats, work / "treeacc", work / "1.acc", work / "2.acc")
    succeed(cluster_phones, *context, work / "treeacc", "lang/phones/sets.int", work / "questions.int")
    questions = read_sets(str(work / "questions.int"))
    write_sets(str(work / "questions.int"), [*questions, *read_sets("lang/phones/extra_questions.int")])
    succeed(compile_questions, *context, topology, work / "questions.int", work / "questions.qst")
    succeed(
        build_tree, *context, f"--max-leaves={leaves}", work / "treeacc", "lang/phones/roots.int",
        work / "questions.qst", topology, work / "tree",
    )  # fmt: skip


def test_chain_tree_is_kaldis(fsdd: Path, tmp_path: Path) -> None:
    """The very same file."""
    make_tree("chain_tree", "lang/topo.chain", tmp_path, ["--context-width=2", "--central-position=1"], 600, 3)
    assert (tmp_path / "tree").read_bytes() == (fsdd / "chain_tree" / "tree").read_bytes()


def test_triphone_tree_fits_as_well_as_kaldis(fsdd: Path, tmp_path: Path) -> None:
    """Kaldi's was built on other alignments (of monophones), so that on these ours must be at least as good."""
    make_tree("tri1", "lang/topo", tmp_path, [], 200, 1)
    ours, kaldis = (read_tree(str(path)).to_pdf for path in (tmp_path / "tree", fsdd / "tri1" / "tree"))
    statistics = read_statistics(str(tmp_path / "treeacc"))
    assert len(leaves(ours)) == len(leaves(kaldis)) == 160
    assert fit(ours, statistics) >= fit(kaldis, statistics)


def test_utterances_that_do_not_fit_are_counted(fsdd: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Alignments of frames that are not there (not subsampled), and of other utterances only."""
    feats, alignments = "scp:head -3 data/train/feats.scp |", "ark:gunzip -c chain_tree/ali.1.gz |"
    assert run(acc_tree_stats, ["chain_tree/final.mdl", feats, alignments, str(tmp_path / "acc")]) == 1
    assert not (tmp_path / "acc").exists()
    log = capfd.readouterr().err
    assert "for 0 files, 0 failed due to no alignment, 3 failed for other reasons" in log
    assert "Alignments has wrong size 80 vs. 240" in log
    assert run(acc_tree_stats, ["chain_tree/final.mdl", feats, "ark:/dev/null", str(tmp_path / "acc")]) == 1
    assert "3 failed due to no alignment" in capfd.readouterr().err
