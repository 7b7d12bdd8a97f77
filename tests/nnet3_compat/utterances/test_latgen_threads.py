"""Lattices do not depend on how many threads make them: with one graph for all, and with one for each."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.bin import latgen_faster_mapped_parallel
from kaldi_bridge.fsts.fst import FST, read_fst
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.commands.nnet3bin import (
    nnet3_latgen_faster_batch,
    nnet3_latgen_faster_looped,
    nnet3_latgen_faster_looped_parallel,
    nnet3_latgen_faster_parallel,
)

COUNT = 12
Main = Callable[..., None]


def assert_the_same(main: Main, arguments: list[str], folder: Path) -> None:
    """The lattices of no, one and three threads, to the last byte."""
    written = []
    for num_threads in (0, 1, 3):
        output = folder / f"lattices-{num_threads}"
        assert run(main, [f"--num-threads={num_threads}", *arguments, f"ark:{output}"]) == 0
        written.append(output.read_bytes())
    assert written[0] == written[1] == written[2] != b""


@pytest.mark.parametrize("own_graphs", [False, True])
@pytest.mark.parametrize("main", [nnet3_latgen_faster_batch.main, nnet3_latgen_faster_parallel.main])
def test_networks(main: Main, own_graphs: bool, reference: Path, tmp_path: Path) -> None:
    fsdd = reference / "fsdd"
    keys, graph = [], f"{fsdd}/graph/HCLG.fst"
    with (
        SequentialReader(f"ark:{fsdd}/data/test_hires/feats.ark", FLOAT_MATRIX) as table,
        TableWriter(f"ark:{tmp_path}/feats", FLOAT_MATRIX) as writer,
    ):
        for key, feats in itertools.islice(table, COUNT):
            writer.write(key, feats)
            keys.append(key)
    if own_graphs:
        with TableWriter(f"ark:{tmp_path}/graphs", FST) as graphs:
            for key in [*reversed(keys), "absent"]:
                graphs.write(key, read_fst(graph))
        graph = f"ark:{tmp_path}/graphs"
    options = ["--frame-subsampling-factor=3", "--acoustic-scale=1.0", "--beam=12", "--lattice-beam=6"]
    files = [f"{fsdd}/tdnnf_cmvn/final.mdl", graph, f"ark:{tmp_path}/feats"]
    assert_the_same(main, [*options, *files], tmp_path)


def test_looped(reference: Path, tmp_path: Path) -> None:
    """Those of nnet3-latgen-faster-looped."""
    fsdd = reference / "fsdd"
    options = ["--frame-subsampling-factor=3", "--acoustic-scale=1.0", "--beam=12", "--lattice-beam=6"]
    feats = f"scp:head -n {COUNT} {fsdd}/data/test_hires/feats.scp | sed 's# .*/# {fsdd}/data/test_hires/#' |"
    files = [*options, f"{fsdd}/tdnnf_cmvn/final.mdl", f"{fsdd}/graph/HCLG.fst", feats]
    assert_the_same(nnet3_latgen_faster_looped_parallel.main, files, tmp_path)
    arguments = ["--frames-per-chunk=20", *files, f"ark:{tmp_path}/looped"]
    assert run(nnet3_latgen_faster_looped.main, arguments) == 0
    assert (tmp_path / "looped").read_bytes() == (tmp_path / "lattices-3").read_bytes()


def test_scores(reference: Path, tmp_path: Path) -> None:
    fsdd = reference / "fsdd"
    files = [f"{fsdd}/tdnnf/final.mdl", f"{fsdd}/graph/HCLG.fst", f"ark:{fsdd}/tdnnf/output.sub3.chunk140.ark"]
    options = ["--acoustic-scale=1.0", "--beam=8", "--lattice-beam=4"]
    assert_the_same(latgen_faster_mapped_parallel.main, [*options, *files], tmp_path)
