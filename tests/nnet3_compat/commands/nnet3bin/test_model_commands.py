"""The commands that copy, describe, make, average and edit models."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR, INT32_VECTOR
from nnet3_compat.commands.nnet3bin import nnet3_am_adjust_priors as am_adjust_priors
from nnet3_compat.commands.nnet3bin import nnet3_am_copy as am_copy
from nnet3_compat.commands.nnet3bin import nnet3_am_info as am_info
from nnet3_compat.commands.nnet3bin import nnet3_am_init as am_init
from nnet3_compat.commands.nnet3bin import nnet3_am_train_transitions as am_train_transitions
from nnet3_compat.commands.nnet3bin import nnet3_average as average
from nnet3_compat.commands.nnet3bin import nnet3_copy as copy
from nnet3_compat.commands.nnet3bin import nnet3_info as info
from nnet3_compat.commands.nnet3bin import nnet3_init as init
from nnet3_compat.model.edits import edit
from nnet3_compat.model.model_file import read_model, read_nnet, write_model
from nnet3_compat.structure.nnet import Nnet
from tests.helpers.twins import MODULES

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.])")
CONFIG = [
    "input-node name=input dim=3",
    "component name=a.affine type=NaturalGradientAffineComponent input-dim=6 output-dim=4 learning-rate=0.01",
    "component-node name=a.affine component=a.affine input=Append(input, Offset(input, 1))",
    "component name=a.relu type=RectifiedLinearComponent dim=4",
    "component-node name=a.relu component=a.relu input=a.affine",
    "component name=drop type=DropoutComponent dim=4 dropout-proportion=0.1",
    "component-node name=drop component=drop input=a.relu",
    "component name=b type=LinearComponent input-dim=4 output-dim=5 learning-rate-factor=2.0",
    "component-node name=b component=b input=drop",
    "output-node name=output input=b objective=linear",
    "component name=x type=AffineComponent input-dim=4 output-dim=2",
    "component-node name=x component=x input=a.relu",
    "output-node name=output-xent input=x",
]


def kaldi_files(reference: Path) -> list[Path]:
    files = sorted([*reference.rglob("*.raw"), *reference.glob("fsdd/tdnnf*/final.mdl")])
    assert len(files) >= 19
    return files


@pytest.fixture
def raw(tmp_path: Path) -> str:
    """A small random network in a file."""
    (tmp_path / "config").write_text("\n".join(CONFIG))
    assert run(init.main, ["--srand=3", f"{tmp_path}/config", f"{tmp_path}/0.raw"]) == 0
    return f"{tmp_path}/0.raw"


def edited(*edits: str) -> Nnet:
    nnet = Nnet.from_config(CONFIG)
    edit(nnet, edits)
    return nnet


def component(nnet: Nnet, name: str):
    return nnet.components[name]


def test_every_file_is_copied_byte_for_byte(reference: Path, tmp_path: Path) -> None:
    for path in kaldi_files(reference):
        program = am_copy if path.suffix == ".mdl" else copy
        assert run(program.main, [str(path), f"{tmp_path}/copy"]) == 0
        assert (tmp_path / "copy").read_bytes() == path.read_bytes(), path


def test_text_is_kaldis(reference: Path, tmp_path: Path) -> None:
    """A .mdl in text as Kaldi printed it."""
    fsdd = reference / "fsdd/tdnnf"
    assert run(am_copy.main, ["--binary=false", f"{fsdd}/final.mdl", f"{tmp_path}/text"]) == 0
    kaldis = gzip.decompress((fsdd / "final.txt.mdl.gz").read_bytes()).decode().split()
    ours = (tmp_path / "text").read_text().split()
    assert len(ours) == len(kaldis)
    different = [(a, b) for a, b in zip(ours, kaldis, strict=True) if a != b]
    # Statistics, which are kept as sums and printed as quotients, may differ in their last digits.
    assert len(different) < 1e-3 * len(ours)
    assert all(float(a) == pytest.approx(float(b), rel=1e-5) for a, b in different)


def test_info_is_kaldis(reference: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Contexts, dimensions, counts, nodes and components line by line."""
    cases = [(info, f, f.parent / "nnet3-info.txt") for f in sorted(reference.glob("zoo/*/model.raw"))]
    cases += [(am_info, reference / "fsdd/tdnnf/final.mdl", reference / "fsdd/tdnnf/nnet3-am-info.txt")]
    assert len(cases) == 10
    for program, model, expected in cases:
        capfd.readouterr()
        assert run(program.main, [str(model)]) == 0
        ours, kaldis = capfd.readouterr().out.splitlines(), expected.read_text().splitlines()
        assert len(ours) == len(kaldis), model
        for a, b in zip(ours, kaldis, strict=True):
            if not a.startswith("component name="):
                assert a == b
            assert NUMBER.split(a) == NUMBER.split(b), model
            numbers = [[float(x) for x in NUMBER.findall(line)] for line in (a, b)]
            assert numbers[0] == pytest.approx(numbers[1], rel=2e-2, abs=1e-4), (model, a, b)


def test_init_is_reproducible(raw: str, tmp_path: Path) -> None:
    again, other = f"{tmp_path}/again.raw", f"{tmp_path}/other.raw"
    assert run(init.main, ["--srand=3", f"{tmp_path}/config", again]) == 0
    assert run(init.main, ["--srand=4", f"{tmp_path}/config", other]) == 0
    assert Path(again).read_bytes() == Path(raw).read_bytes()
    assert Path(other).read_bytes() != Path(raw).read_bytes()


def test_init_adds_to_a_network(raw: str, tmp_path: Path) -> None:
    (tmp_path / "more").write_text(
        "component name=c type=AffineComponent input-dim=5 output-dim=7\n"
        "component-node name=c component=c input=b\noutput-node name=output input=c\n"
    )
    assert run(init.main, [raw, f"{tmp_path}/more", f"{tmp_path}/1.raw"]) == 0
    nnet = read_nnet(f"{tmp_path}/1.raw")
    assert nnet.node_dim("output") == 7
    before = component(read_nnet(raw), "b").params
    assert np.array_equal(component(nnet, "b").params, before)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("component name=c type=AfineComponent input-dim=5", "AfineComponent"),
        ("component name=c type=AffineComponent input-dim=5 output-dim=7 outputdim=7", "outputdim"),
        ("component-node name=c component=none input=b", "none"),
        ("component-node name=c component=b input=nowhere", "nowhere"),
        ("component-node name=c component=b input=Append(b, b)", "dim"),
        ("noise name=c", "noise"),
        ("component-node name=c component=b input=c2\ncomponent-node name=c2 component=b input=c", "c"),
    ],
)
def test_bad_configs(raw: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], line: str, what: str) -> None:
    (tmp_path / "more").write_text(line + "\n")
    assert run(init.main, [raw, f"{tmp_path}/more", f"{tmp_path}/1.raw"]) == 255
    assert what in capfd.readouterr().err
    assert not (tmp_path / "1.raw").exists()


def test_average_with_weights(raw: str, tmp_path: Path) -> None:
    assert run(init.main, ["--srand=9", f"{tmp_path}/config", f"{tmp_path}/1.raw"]) == 0
    for weights, (x, y) in (("", (0.5, 0.5)), ("3:1", (0.75, 0.25))):
        assert run(average.main, [f"--weights={weights}", raw, f"{tmp_path}/1.raw", f"{tmp_path}/avg.raw"]) == 0
        first, second, mean = (
            component(read_nnet(f), "b").params for f in (raw, f"{tmp_path}/1.raw", f"{tmp_path}/avg.raw")
        )
        assert np.allclose(mean, x * first + y * second, rtol=1e-5, atol=1e-7)


def test_average_of_different_networks(raw: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_model(f"{tmp_path}/1.raw", edited("remove-output-nodes name=output-xent", "remove-orphans"))
    assert run(average.main, [raw, f"{tmp_path}/1.raw", f"{tmp_path}/avg.raw"]) == 255
    assert "1.raw" in capfd.readouterr().err
    assert run(average.main, ["--weights=1:1:1", raw, raw, f"{tmp_path}/avg.raw"]) != 0
    assert not (tmp_path / "avg.raw").exists()


def test_copy_changes_what_it_is_told(raw: str, tmp_path: Path) -> None:
    out = f"{tmp_path}/1.raw"
    assert run(copy.main, ["--learning-rate=0.5", raw, out]) == 0
    nnet = read_nnet(out)
    assert component(nnet, "a.affine").learning_rate == pytest.approx(0.5)
    assert component(nnet, "b").learning_rate == pytest.approx(1.0)  # its factor is 2
    assert run(copy.main, ["--scale=0.5", raw, out]) == 0
    assert np.allclose(component(read_nnet(out), "b").params, 0.5 * component(read_nnet(raw), "b").params)
    (tmp_path / "edits").write_text("set-learning-rate-factor name=b learning-rate-factor=3\n")
    assert run(copy.main, [f"--edits-config={tmp_path}/edits", raw, out]) == 0
    assert component(read_nnet(out), "b").learning_rate_factor == 3
    assert run(copy.main, ["--edits=rename-node old-name=b new-name=z", raw, out]) == 0
    assert read_nnet(out).node_dim("z") == 5


def test_copy_with_a_config(raw: str, tmp_path: Path) -> None:
    (tmp_path / "more").write_text(
        "component name=c type=AffineComponent input-dim=5 output-dim=7\n"
        "component-node name=c component=c input=b\noutput-node name=output input=c\n"
    )
    assert run(copy.main, [f"--nnet-config={tmp_path}/more", raw, f"{tmp_path}/1.raw"]) == 0
    assert read_nnet(f"{tmp_path}/1.raw").node_dim("output") == 7


def test_am_copy_takes_the_network_out(reference: Path, tmp_path: Path) -> None:
    mdl = f"{reference}/fsdd/tdnnf/final.mdl"
    assert run(am_copy.main, ["--raw=true", mdl, f"{tmp_path}/a.raw"]) == 0
    assert run(copy.main, [mdl, f"{tmp_path}/b.raw"]) == 0
    assert (tmp_path / "a.raw").read_bytes() == (tmp_path / "b.raw").read_bytes()
    assert run(am_copy.main, [f"--set-raw-nnet={tmp_path}/a.raw", mdl, f"{tmp_path}/again.mdl"]) == 0
    assert (tmp_path / "again.mdl").read_bytes() == Path(mdl).read_bytes()


def test_prepared_for_test_computes_the_same(raw: str, tmp_path: Path) -> None:
    import torch

    from nnet3_compat.network.network import Network

    before = Nnet.from_config(
        [
            *(line for line in CONFIG if "output-node name=output " not in line),
            "component name=half type=FixedScaleComponent dim=2 scale=0.5",
            "component-node name=half component=half input=x",
            "output-node name=output input=half",
        ]
    )
    write_model(raw, before)
    assert run(copy.main, ["--prepare-for-test=true", raw, f"{tmp_path}/test.raw"]) == 0
    after = read_nnet(f"{tmp_path}/test.raw")
    assert "half" not in after.components  # joined with the affine before it
    features = torch.randn(1, 60, 3)
    with torch.no_grad():
        first, second = (Network.from_nnet(nnet).eval()(features) for nnet in (before, after))
    assert torch.allclose(first, second, rtol=1e-5, atol=1e-6)


class TestEdits:
    def test_learning_rates(self) -> None:
        nnet = edited(
            "set-learning-rate name=a.* learning-rate=0.25", "set-learning-rate-factor learning-rate-factor=0"
        )
        assert component(nnet, "a.affine").learning_rate == pytest.approx(0.25)
        assert component(nnet, "b").learning_rate_factor == 0

    def test_orphans(self) -> None:
        nnet = edited("remove-output-nodes name=output-xent", "remove-orphans")
        assert [n.name for n in nnet.nodes] == ["input", "a.affine", "a.relu", "drop", "b", "output"]
        assert "x" not in nnet.components
        kept = edited("remove-output-nodes name=output-xent", "remove-orphan-nodes")
        assert "x" in kept.components

    def test_dropout(self) -> None:
        assert component(edited("set-dropout-proportion proportion=0.5"), "drop").dropout_proportion == 0.5

    def test_fixed_affine(self) -> None:
        nnet = edited("convert-to-fixed-affine name=a.affine")
        assert type(component(nnet, "a.affine")).__name__ == "FixedAffineComponent"

    @pytest.mark.parametrize("edits", ["apply-svd name=a.affine bottleneck-dim=2", "reduce-rank name=a.affine rank=2"])
    def test_low_rank_is_the_best_approximation(self, edits: str) -> None:
        nnet = Nnet.from_config(CONFIG)
        weights = np.array(component(nnet, "a.affine").linear_params)
        u, s, v = np.linalg.svd(weights, full_matrices=False)
        best = (u[:, :2] * s[:2]) @ v[:2]
        edit(nnet, [edits])
        if edits.startswith("reduce-rank"):
            found = component(nnet, "a.affine").linear_params
        else:
            first, second = component(nnet, "a.affine_a"), component(nnet, "a.affine_b")
            found = second.linear_params @ first.params
        assert np.allclose(found, best, atol=1e-5)

    @pytest.mark.parametrize(
        ("line", "what"),
        [
            ("remove-everything", "remove-everything"),
            ("set-learning-rate name=b", "learning-rate"),
            ("rename-node old-name=none new-name=z", "none"),
            ("rename-node old-name=b new-name=drop", "drop"),
            ("remove-output-nodes name=output*", "output"),
            ("apply-svd name=a.affine bottleneck-dim=-1", "bottleneck-dim"),
            ("set-learning-rate learning-rate=0.1 name=b speed=3", "speed"),
        ],
    )
    def test_mistakes(self, raw: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], line: str, what: str) -> None:
        assert run(copy.main, [f"--edits={line}", raw, f"{tmp_path}/1.raw"]) == 255
        assert what in capfd.readouterr().err
        assert not (tmp_path / "1.raw").exists()


class TestAcousticModel:
    def test_made_of_parts(self, reference: Path, tmp_path: Path) -> None:
        """From a transition model or from tree and topology, with the raw network of another model."""
        fsdd = reference / "fsdd"
        parts = [[f"{fsdd}/tdnnf/0.trans_mdl"], [f"{fsdd}/chain_tree/tree", f"{fsdd}/lang/topo.chain"]]
        for first in parts:
            assert run(am_init.main, [*first, f"{fsdd}/tdnnf/0.raw", f"{tmp_path}/0.mdl"]) == 0
            model = read_model(f"{tmp_path}/0.mdl")
            assert model.transition_model.num_pdfs == 72
            assert model.left_context == 13
            assert len(model.priors) == 0

    def test_priors_from_posteriors(self, reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        mdl = f"{reference}/fsdd/tdnnf/final.mdl"
        posteriors = np.random.default_rng(1).random(72).astype(np.float32)
        with TableWriter(f"ark:{tmp_path}/post", FLOAT_VECTOR) as writer:
            writer.write("1", posteriors)
            writer.write("2", 3 * posteriors)
        from kaldi_bridge.io.matrix_io import write_vector

        with open_output(f"{tmp_path}/vec") as stream:
            stream.write(b"\0B")
            write_vector(stream, True, posteriors)
        assert run(am_adjust_priors.main, [mdl, f"{tmp_path}/vec", f"{tmp_path}/1.mdl"]) == 0
        priors = read_model(f"{tmp_path}/1.mdl").priors
        assert np.allclose(priors / priors.sum(), posteriors / posteriors.sum(), rtol=1e-5)
        with open_output(f"{tmp_path}/short") as stream:
            stream.write(b"\0B")
            write_vector(stream, True, posteriors[:-1])
        assert run(am_adjust_priors.main, [mdl, f"{tmp_path}/short", f"{tmp_path}/2.mdl"]) == 255
        assert "71" in capfd.readouterr().err

    def test_transitions_from_alignments(self, reference: Path, tmp_path: Path) -> None:
        mdl = f"{reference}/fsdd/tdnnf/final.mdl"
        alignments = f"ark:gunzip -c {reference}/fsdd/chain_tree/ali.1.gz |"
        assert run(am_train_transitions.main, [mdl, alignments, f"{tmp_path}/1.mdl"]) == 0
        model, before = read_model(f"{tmp_path}/1.mdl"), read_model(mdl)
        assert model.priors.sum() == pytest.approx(1.0, abs=1e-4)
        assert len(model.priors) == 72
        tm = model.transition_model
        for state in range(1, tm.num_transition_states + 1):
            assert np.exp(tm.log_probs[list(tm.transition_ids(state))]).sum() == pytest.approx(1.0, abs=1e-4)
        assert not np.array_equal(tm.log_probs, before.transition_model.log_probs)

    def test_alignments_of_another_model(self, reference: Path, tmp_path: Path) -> None:
        with TableWriter(f"ark:{tmp_path}/ali", INT32_VECTOR) as writer:
            writer.write("1", np.array([1, 2, 99999], dtype=np.int32))
        mdl = f"{reference}/fsdd/tdnnf/final.mdl"
        assert run(am_train_transitions.main, [mdl, f"ark:{tmp_path}/ali", f"{tmp_path}/1.mdl"]) == 255
        assert not (tmp_path / "1.mdl").exists()


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.9999])
def test_truncated_models_are_errors(
    reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], share: float
) -> None:
    data = (reference / "fsdd/tdnnf/final.mdl").read_bytes()
    (tmp_path / "cut.mdl").write_bytes(data[: int(share * len(data))])
    for program in (copy, am_copy, info):
        arguments = [f"{tmp_path}/cut.mdl"] if program is info else [f"{tmp_path}/cut.mdl", f"{tmp_path}/out"]
        assert run(program.main, arguments) == 255
        assert "cut.mdl" in capfd.readouterr().err
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [
        "nnet3-info raw",
        "nnet3-copy --prepare-for-test=true raw out",
        "nnet3-average raw raw out",
        "nnet3-am-info mdl",
        "nnet3-am-copy --binary=false mdl out",
        "nnet3-am-init trans_mdl raw out",
        "nnet3-am-train-transitions mdl alignments out",
        "nnet3-compute mdl feats ark:out",
        "nnet3-latgen-faster --frame-subsampling-factor=3 mdl graph feats ark:out",
        pytest.param("latgen-faster-mapped mdl graph scores ark:out", marks=pytest.mark.slow),
    ],
)
def test_commands_that_need_no_torch(reference: Path, tmp_path: Path, words: str) -> None:
    """In a process where importing torch fails: also where a network is computed that can be folded."""
    fsdd = reference / "fsdd"
    files = {
        "feats": "ark:feats.ark",
        "raw": f"{fsdd}/tdnnf/0.raw",
        "mdl": f"{fsdd}/tdnnf/final.mdl",
        "trans_mdl": f"{fsdd}/tdnnf/0.trans_mdl",
        "graph": f"{fsdd}/graph/HCLG.fst",
        "scores": f"ark:{fsdd}/tdnnf/output.sub3.chunk140.ark",
        "alignments": f"ark:gunzip -c {fsdd}/chain_tree/ali.1.gz |",
    }
    if " feats" in words:
        files["mdl"] = f"{fsdd}/tdnnf_cmvn/final.mdl"  # without i-vectors
        with TableWriter(f"ark:{tmp_path}/feats.ark", FLOAT_MATRIX) as writer:
            writer.write("a", np.random.default_rng(1).normal(size=(50, 40)).astype(np.float32))
    program, *arguments = [files.get(word, word) for word in words.split()]
    code = (
        "import sys; sys.modules['torch'] = None\n"
        f"from {MODULES[program]} import main\nsys.exit(main.run({arguments!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
