"""The pipes of Kaldi's utils/mkgraph.sh through our programs: the graph that make-graph makes at once; and tables."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kaldi_bridge.command import run
from kaldi_bridge.fsts.fst import FST, Fst, write_fst
from kaldi_bridge.tables import SequentialReader, TableWriter
from tests.helpers.twins import twin

# As the script calls them, but for what it only tells (fstisstochastic).
MKGRAPH = """
export PATH={programs}:$PATH
p=nnet-pytorch-
${{p}}fsttablecompose {lang}/L_disambig.fst {lang}/G.fst | ${{p}}fstdeterminizestar --use-log=true |
  ${{p}}fstminimizeencoded | ${{p}}fstpushspecial > LG.fst
${{p}}fstcomposecontext --context-size=2 --central-position=1 --read-disambig-syms={lang}/phones/disambig.int \
  --write-disambig-syms=disambig_ilabels.int ilabels LG.fst | ${{p}}fstarcsort --sort_type=ilabel > CLG.fst
${{p}}make-h-transducer --disambig-syms-out=disambig_tid.int --transition-scale=1.0 ilabels {tree} {model} > Ha.fst
${{p}}fsttablecompose Ha.fst "${{p}}fstrmsymbols --remove-arcs=true --apply-to-output=true {lang}/oov.int CLG.fst|" |
  ${{p}}fstdeterminizestar --use-log=true | ${{p}}fstrmsymbols disambig_tid.int | ${{p}}fstrmepslocal |
  ${{p}}fstminimizeencoded > HCLGa.fst
${{p}}add-self-loops --self-loop-scale=1.0 --reorder=true {model} HCLGa.fst |
  ${{p}}fstconvert --fst_type=const > HCLG.fst
"""

# The same of utils/mkgraph_lookahead.sh --compose-graph; and SHA-256 of what it leaves with the programs of Kaldi and
# OpenFst (1.7.9, Debian).
MKGRAPH_LOOKAHEAD = """
export PATH={programs}:$PATH
p=nnet-pytorch-
${{p}}fstdeterminizestar {lang}/L_disambig.fst | ${{p}}fstarcsort --sort_type=ilabel > L_disambig_det.fst
${{p}}fstcomposecontext --context-size=2 --central-position=1 --read-disambig-syms={lang}/phones/disambig.int \
  --write-disambig-syms=disambig_ilabels.int ilabels L_disambig_det.fst | ${{p}}fstarcsort --sort_type=ilabel > CL.fst
${{p}}make-h-transducer --disambig-syms-out=disambig_tid.int --transition-scale=1.0 ilabels {tree} {model} |
  ${{p}}fstarcsort --sort_type=olabel > Ha.fst
${{p}}fstcompose Ha.fst CL.fst | ${{p}}fstdeterminizestar |
  ${{p}}add-self-loops --disambig-syms=disambig_tid.int --self-loop-scale=1.0 --reorder=true {model} |
  ${{p}}fstarcsort --sort_type=olabel |
  ${{p}}fstconvert --fst_type=olabel_lookahead --save_relabel_opairs=relabel > HCLr.fst
${{p}}fstrelabel --relabel_ipairs=relabel {lang}/G.fst | ${{p}}fstarcsort --sort_type=ilabel |
  ${{p}}fstconvert --fst_type=const > Gr.fst
${{p}}fstcompose HCLr.fst Gr.fst | ${{p}}fstrmsymbols disambig_tid.int | ${{p}}fstconvert --fst_type=const > HCLG.fst
"""
LEFT_BY_KALDI = {
    "relabel": "8f25defbb37897571d623cde6ec9d978d21f79259acd9da36c2526f332776dc4",
    "HCLr.fst": "de5908db00f47b7f0e888e01957a7c60cf7d11179584e7bd15855a547682e474",
    "Gr.fst": "dd5a90c4a4dac0495201baf161840967f4d557e199b65a0ece5a1d4217e90222",
    "HCLG.fst": "e72bbb729e62eeda60d3d9e94c26ce5834630c4c4187576729c9282d6c9ea08d",
}


def succeed(name: str, *words: object) -> None:
    assert run(twin(name), [str(word) for word in words]) == 0


@pytest.mark.slow
def test_mkgraph_in_pipes(reference: Path, tmp_path: Path) -> None:
    lang = tmp_path / "lang"
    shutil.copytree(reference / "fsdd/lang", lang, copy_function=shutil.copyfile)
    tree, model = reference / "fsdd/chain_tree/tree", reference / "fsdd/tdnnf_cmvn/final.mdl"
    script = MKGRAPH.format(programs=Path(sys.executable).parent, lang=lang, tree=tree, model=model)
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=tmp_path, check=True)
    compiled = tmp_path / "compiled.fst"
    disambig = f"--read-disambig-syms={lang}/phones/disambig.int"
    succeed("compile-graph", disambig, tree, model, lang / "L_disambig.fst", lang / "G.fst", compiled)
    kaldis = reference / "fsdd/graph/HCLG.fst"
    succeed("fstisomorphic", kaldis, tmp_path / "HCLG.fst")
    succeed("fstisomorphic", kaldis, compiled)


@pytest.mark.slow
def test_mkgraph_lookahead_in_pipes(reference: Path, tmp_path: Path) -> None:
    lang = reference / "fsdd/lang"
    tree, model = reference / "fsdd/chain_tree/tree", reference / "fsdd/tdnnf/final.mdl"
    script = MKGRAPH_LOOKAHEAD.format(programs=Path(sys.executable).parent, lang=lang, tree=tree, model=model)
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=tmp_path, check=True)
    for name, digest in LEFT_BY_KALDI.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest, name


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """left.ark and right.ark, with keys a to c, of which right.ark does not have b; c fits nothing."""
    one = Fst.from_arcs(0, {1: 0.5}, [(0, 1, 7, 0.25, 1), (0, 2, 8, 1.0, 1)])
    other = Fst.from_arcs(0, {1: 0.0}, [(0, 7, 9, 1.0, 1)])
    strange = Fst.from_arcs(0, {1: 0.0}, [(0, 99, 99, 1.0, 1)])
    for name, fsts in (("left", {"a": one, "b": one, "c": one}), ("right", {"a": other, "c": strange})):
        with TableWriter(f"ark:{tmp_path}/{name}.ark", FST) as writer:
            for key, fst in fsts.items():
                writer.write(key, fst)
    write_fst(f"{tmp_path}/left.fst", one)
    return tmp_path


def keys(path: Path) -> list[str]:
    with SequentialReader(f"ark:{path}", FST) as reader:
        return [key for key, _ in reader]


def test_tables_of_fsts(tables: Path, capfd: pytest.CaptureFixture) -> None:
    left, right, out = (f"ark:{tables}/{name}.ark" for name in ("left", "right", "out"))
    succeed("fstcopy", left, out)
    assert keys(tables / "out.ark") == ["a", "b", "c"] and "Copied 3 FSTs." in capfd.readouterr().err
    succeed("fsttablecompose", left, right, out)
    said = capfd.readouterr().err
    assert keys(tables / "out.ark") == ["a"]
    assert "No such key b in second table." in said and "Empty output for key c" in said
    assert "Successfully composed 1 FSTs, errors or empty output on 2" in said
    succeed("fstdeterminizestar", out, f"ark,t:{tables}/determinized.ark")
    assert (tables / "determinized.ark").read_text() == "a \n0\t1\t1\t9\t1.25\n1\t0.5\n\n"
    (tables / "empty.ark").touch()
    assert run(twin("fstcopy"), [f"ark:{tables}/empty.ark", out]) == 1


def test_one_fst_with_a_table(tables: Path, capfd: pytest.CaptureFixture) -> None:
    succeed("fsttablecompose", tables / "left.fst", f"ark:{tables}/right.ark", f"ark:{tables}/out.ark")
    assert "Composed 2 FSTs." in capfd.readouterr().err
    for words in (
        [f"ark:{tables}/left.ark", f"{tables}/left.fst", f"ark:{tables}/out2.ark"],
        [f"{tables}/left.fst", f"ark:{tables}/right.ark", f"{tables}/out2.fst"],
    ):
        assert run(twin("fsttablecompose"), words) == 255
