"""Models and objectives by name: what they take, and what they say about what they do not."""

from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.errors import KaldiError
from nnet3_compat.model.model_file import read_nnet, write_model
from steps_pytorch.models.base import Model
from steps_pytorch.models.registry import MODELS, build_model
from steps_pytorch.objectives.base import Objective
from steps_pytorch.objectives.registry import OBJECTIVES, build_objective
from steps_pytorch.registry import Dimensions
from tests.helpers.made_up_training import DIM, FACTOR, PDFS, Affine, make_batch, write_den_fst, write_xconfig

DIMENSIONS = Dimensions(DIM, PDFS, 0, FACTOR, xent=True)


def nnet3(folder: Path, dimensions: Dimensions = DIMENSIONS) -> Model:
    return build_model("nnet3", [f"--network={write_xconfig(folder)}"], dimensions)


def test_names_and_options_are_told() -> None:
    assert "nnet3" in MODELS.names
    assert {"cross-entropy", "lfmmi"} <= set(OBJECTIVES.names)
    assert "--den-fst" in OBJECTIVES.help()
    with pytest.raises(KaldiError, match="no model 'nnet4'; known are .*nnet3"):
        build_model("nnet4", [], DIMENSIONS)
    with pytest.raises(KaldiError, match="nnet3: Invalid option --layers=3; its options are .*--network"):
        build_model("nnet3", ["--layers=3"], DIMENSIONS)
    with pytest.raises(KaldiError, match="--den-fst"):
        build_objective("lfmmi", [], DIMENSIONS)


def test_an_xconfig_a_config_and_a_model_are_the_same_network(tmp_path: Path) -> None:
    torch.manual_seed(3)
    model = nnet3(tmp_path)
    torch.manual_seed(3)
    same = nnet3(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), same.parameters(), strict=True))
    torch.manual_seed(4)
    other = nnet3(tmp_path)
    assert not all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))

    raw = tmp_path / "0.raw"
    write_model(str(raw), model.network.to_nnet())
    read = build_model("nnet3", [f"--network={raw}"], DIMENSIONS)
    features = torch.randn(2, model.frames_in(5), DIM)
    made, again = model(features), read(features)
    assert made.output.shape == made.xent.shape == (2, 5, PDFS)
    assert torch.equal(made.output, again.output)
    config = tmp_path / "final.config"
    config.write_text("\n".join(_config(str(raw))))
    assert build_model("nnet3", [f"--network={config}"], DIMENSIONS).left_context == model.left_context
    model.eval()
    assert model(features).xent is None


def _config(raw: str) -> list[str]:
    nnet = read_nnet(raw)
    lines = [line for line in nnet.config_lines() if not line.startswith(("component-node", "output-node"))]
    name, dim = "output.affine", nnet.node_dim("output")
    return [
        *lines,
        f"component name={name} type=NaturalGradientAffineComponent input-dim={DIM * 5} output-dim={dim}",
        f"component-node name={name} component={name} input=Append(Offset(input, -4), Offset(input, -1), input, "
        "Offset(input, 1), Offset(input, 4))",
        f"output-node name=output input={name}",
        f"output-node name=output-xent input={name}",
    ]


def test_a_network_for_other_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KaldiError, match=r"features of dimension 5, but the data have 40"):
        nnet3(tmp_path, Dimensions(40, PDFS, 0, FACTOR, True))
    with pytest.raises(KaldiError, match=r"pdfs numbering 4, but the data have 7"):
        nnet3(tmp_path, Dimensions(DIM, 7, 0, FACTOR, True))
    (tmp_path / "network.xconfig").write_text("input dim=5 name=input\noutput-layer name=output dim=4\n")
    with pytest.raises(KaldiError, match=r"no output named output-xent.*--xent-regularize=0"):
        build_model("nnet3", [f"--network={tmp_path}/network.xconfig"], DIMENSIONS)


def lfmmi(folder: Path, *words: str) -> Objective:
    return build_objective("lfmmi", [f"--den-fst={write_den_fst(folder)}", *words], DIMENSIONS)


def test_lfmmi_is_the_numerator_over_the_denominator(tmp_path: Path) -> None:
    """One path against one state with any pdf: the cross-entropy of the softmax, but for leaking."""
    model = Affine(xent=True).requires_grad_(False)
    batch = make_batch(model, 0)
    objective = lfmmi(tmp_path, "--leaky-hmm-coefficient=1e-10", "--l2-regularize=0.01")
    assert objective.wants_xent
    made = objective(model, batch)
    assert made.weight == batch.num_frames == 24
    log_probs = model(batch.features).output.log_softmax(-1)
    want = log_probs.gather(2, batch.pdfs.unsqueeze(2)).sum() + 24 * np.log(PDFS)
    assert made.terms["chain"].total == pytest.approx(float(want), rel=1e-5)
    l2 = -0.005 * float(model(batch.features).output.square().sum())
    assert made.terms["l2"].total == pytest.approx(l2, rel=1e-5)
    xent = model(batch.features).xent.gather(2, batch.pdfs.unsqueeze(2)).sum()
    assert made.terms["xent"].total == pytest.approx(float(xent), rel=1e-5)
    assert float(made.loss) == pytest.approx(-float(want + l2 + 0.1 * xent) / 24, rel=1e-5)
    batch.supervision = None
    with pytest.raises(KaldiError, match="data set 'made-up' has no supervision"):
        objective(model, batch)


def test_an_output_that_is_no_number_is_no_loss(tmp_path: Path) -> None:
    model = Affine()
    batch = make_batch(model, 0)
    batch.features[0, 3, 0] = torch.nan
    assert not lfmmi(tmp_path, "--xent-regularize=0")(model, batch).ok
    assert not build_objective("cross-entropy", [], DIMENSIONS)(model, batch).ok


@pytest.mark.parametrize("floor", ["0", "1", "-0.1", "nan"])
def test_a_floor_of_priors_that_cannot_be_divided_by(floor: str) -> None:
    with pytest.raises(KaldiError, match="must be a probability above 0 and below 1"):
        build_objective("cross-entropy", [f"--prior-floor={floor}"], DIMENSIONS)


def test_cross_entropy_of_known_frames_and_its_priors() -> None:
    model = Affine().requires_grad_(False)
    batch = make_batch(model, 0)
    assert batch.pdfs is not None
    batch.pdfs[0, :2] = -1
    objective = build_objective("cross-entropy", ["--priors=targets", "--prior-floor=0.1"], DIMENSIONS)
    with pytest.raises(KaldiError, match="no priors yet"):
        objective.priors()
    made = objective(model, batch)
    known = batch.pdfs.flatten() >= 0
    log_probs = model(batch.features).output.log_softmax(-1).flatten(0, 1)[known]
    want = log_probs.gather(1, batch.pdfs.flatten()[known].unsqueeze(1)).mean()
    assert made.weight == 22
    assert float(made.loss) == pytest.approx(-float(want), rel=1e-6)
    counts = np.bincount(batch.pdfs.flatten()[known], minlength=PDFS)
    want_priors = np.maximum(counts / 22, 0.1)
    assert objective.priors() == pytest.approx(want_priors / want_priors.sum(), rel=1e-6)

    # Of the posteriors, half as sure.
    objective = build_objective("cross-entropy", ["--prior-scale=0.5"], DIMENSIONS)
    objective.estimate_priors(model, [make_batch(model, n) for n in range(3)])
    posteriors = sum(model(make_batch(model, n).features).output.softmax(-1).sum((0, 1)) for n in range(3))
    root = (posteriors / posteriors.sum()).sqrt().detach().numpy()
    assert objective.priors() == pytest.approx(root / root.sum(), rel=1e-5)
    batch.pdfs = None
    with pytest.raises(KaldiError, match="no pdfs"):
        objective(model, batch)
