"""Energy-based and semi-supervised objectives: their energies, gradients, weights, and a density that they recover."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.acceptors import Acceptor
from kaldi_bridge.fsts.fst import read_fst, write_fst
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.training.updates import AffineUpdate
from steps_pytorch.data.batch import Batch
from steps_pytorch.group import Group
from steps_pytorch.models.base import Model, ModelOutput
from steps_pytorch.models.registry import build_model
from steps_pytorch.objectives.energies import SequenceEnergy, TargetEnergy, frame_energy
from steps_pytorch.objectives.energy_based import EnergyBased, EnergyBasedOptions
from steps_pytorch.objectives.registry import build_objective
from steps_pytorch.objectives.semi_supervised import SemiSupervised
from steps_pytorch.objectives.target_sequences import TargetSequences
from steps_pytorch.registry import Dimensions
from steps_pytorch.training.optimizers.base import OPTIMIZERS, Setting
from tests.helpers.made_up_training import DIM, FACTOR, PDFS, Affine, make_batch, write_den_fst, write_xconfig

DIMENSIONS = Dimensions(DIM, PDFS, 0, FACTOR)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(3)


def unlabeled(batch: Batch) -> Batch:
    batch.pdfs = batch.supervision = None
    return batch


def options(**changes: Any) -> EnergyBasedOptions:
    usual: dict[str, Any] = {"buffer_size": 20, "step_size": 0.05, "noise": 0.1, "min_steps": 2, "max_steps": 2}
    return EnergyBasedOptions(**(usual | changes))


# Energies.


def test_energies_are_sums_over_labels(tmp_path: Path) -> None:
    """Over pdfs of each frame; over paths of the graph; with one state and no leaking the two are the same."""
    output = torch.randn(3, 5, PDFS)
    free = frame_energy(output)
    every = sum(math.exp(float(output[0, :, list(path)].diagonal().sum())) for path in np.ndindex(*[PDFS] * 5))
    assert float(free[0]) == pytest.approx(-math.log(every), rel=1e-5)
    graph = DenominatorGraph.from_fst(read_fst(write_den_fst(tmp_path)), PDFS)
    over_paths = SequenceEnergy(graph, 1e-10)(output)
    torch.testing.assert_close(over_paths, free + 5 * math.log(PDFS), rtol=1e-5, atol=1e-4)
    pdfs = torch.randint(PDFS, (3, 5))
    torch.testing.assert_close(TargetEnergy(pdfs)(output), -output.gather(2, pdfs.unsqueeze(2)).sum((1, 2)))


def test_gradient_of_the_sequence_energy(reference: Path) -> None:
    """Of Kaldi's denominator graph, against differences (double precision, within 1e-5)."""
    graph = DenominatorGraph.from_fst(read_fst(str(reference / "fsdd" / "tdnnf" / "den.fst")), 72)
    energy = SequenceEnergy(graph, 0.1)
    output = torch.randn(2, 6, 72, requires_grad=True)
    weights = torch.tensor([1.0, -2.0])
    (gradient,) = torch.autograd.grad((weights * energy(output)).sum(), output)
    direction = torch.randn_like(output)
    with torch.no_grad():
        change = [float((weights * energy(output + sign * 0.02 * direction)).sum()) for sign in (1, -1)]
    assert float((gradient * direction).sum()) == pytest.approx((change[0] - change[1]) / 0.04, rel=2e-3)


# The energy-based loss.


def test_loss_is_energy_of_data_minus_that_of_samples() -> None:
    model = Affine()
    objective = EnergyBased(frame_energy, options(ebm_weight=0.5, energy_l2=0.01))
    batch = unlabeled(make_batch(model, 0))
    made = objective(model, batch)
    slots = objective.buffer.num_steps.nonzero().flatten()
    assert len(slots) == 4 and set(objective.buffer.num_steps[slots].tolist()) == {2}
    samples = objective.buffer.samples[slots]
    of_data, of_samples = (frame_energy(model(x).output) / 6 for x in (batch.features, samples))
    want = 0.5 * (of_data.mean() - of_samples.mean()) + 0.01 * (of_data.square().mean() + of_samples.square().mean())
    assert float(made.loss.detach()) == pytest.approx(float(want.detach()), rel=1e-5)
    assert made.weight == batch.num_frames
    assert made.terms["ebm"].total == pytest.approx(24 * float((of_samples.mean() - of_data.mean()).detach()), rel=1e-5)
    assert made.terms["log-density"].total == pytest.approx(-24 * float(of_data.detach().mean()), rel=1e-5)
    assert made.terms["steps"].total == 2
    gradients = torch.autograd.grad(want, list(model.parameters()))
    made.loss.backward()
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-6)


class Regularized(Affine):
    """With dropout and batch normalization."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(DIM)

    def forward(self, features: Tensor, ivectors: Tensor | None = None) -> ModelOutput:
        normalized = self.norm(features.transpose(1, 2)).transpose(1, 2)
        return super().forward(nn.functional.dropout(normalized, 0.5, self.training))


def test_energies_do_not_depend_on_the_mode_of_the_model() -> None:
    model = Regularized().train()
    objective = EnergyBased(frame_energy, options())
    batch = unlabeled(make_batch(model, 0))
    made = objective(model, batch)
    assert model.training and model.norm.training and all(p.requires_grad for p in model.parameters())
    assert not model.norm.num_batches_tracked  # samples leave no trace in statistics
    made.loss.backward()
    want = frame_energy(model.eval()(batch.features).output).sum()
    assert made.terms["log-density"].total == pytest.approx(-float(want.detach()), rel=1e-5)


def test_validation_takes_no_samples() -> None:
    model = Affine().eval()
    objective = EnergyBased(frame_energy, options()).eval()
    with torch.no_grad():
        made = objective(model, unlabeled(make_batch(model, 0)))
    assert list(made.terms) == ["log-density"]
    assert not objective.buffer.samples.numel() and not objective.minibatches


def test_weight_warms_up_and_decays() -> None:
    model = Affine()
    objective = EnergyBased(frame_energy, options(ebm_weight=2.0, ebm_warmup=4, ebm_decay=0.1))
    weights = []
    for number in range(7):
        weights.append(objective.weight())
        objective(model, unlabeled(make_batch(model, number)))
    assert weights == pytest.approx([0, 0.5, 1, 1.5, 2, 2 * math.exp(-0.1), 2 * math.exp(-0.2)])
    resumed = EnergyBased(frame_energy, objective.options)
    resumed.load_state_dict(objective.state_dict())
    assert resumed.weight() == objective.weight()
    assert torch.equal(resumed.buffer.samples, objective.buffer.samples)
    for wrong in ({"ebm_decay": -1.0}, {"ebm_weight": 0.0}):
        with pytest.raises(KaldiError, match="--ebm-(decay|weight)"):
            EnergyBased(frame_energy, options(**wrong))


def test_infinite_energies_are_no_loss() -> None:
    model = Affine()
    batch = unlabeled(make_batch(model, 0))
    batch.features[0, 0, 0] = torch.inf
    assert not EnergyBased(frame_energy, options())(model, batch).ok


# The loss beside that of m-wiesner/nnet_pytorch.


def sum_of_energies(output: Tensor, graph: DenominatorGraph, leak: float) -> Tensor:
    """Minus the log-probability of the graph's paths, of all sequences together, in double precision by autograd
    through the leaky recursion. As in PyChain, outputs are limited to +-30 and gradients are not."""
    output = output.double()
    likelihoods = (output + (output.clamp(-30, 30) - output).detach()).exp()
    initial = torch.from_numpy(graph.initial).double()
    alpha = (1 + leak) * initial.expand(len(output), -1)
    for frame in likelihoods.unbind(1):
        flow = alpha[:, graph.source] * torch.from_numpy(graph.probability) * frame[:, graph.pdf]
        alpha = torch.zeros_like(alpha).index_add(1, torch.from_numpy(graph.target), flow)
        alpha = alpha + leak * alpha.sum(1, keepdim=True) * initial
    return -alpha.sum(1).log().sum()


@pytest.mark.parametrize(
    ("sequences", "energy_l2", "scale"), [(4, 0.0, 1.0), (1, 0.3, 1.0), (4, 0.0, 40.0)], ids=["", "l2", "limited"]
)
def test_the_loss_is_that_of_nnet_pytorch(sequences: int, energy_l2: float, scale: float, tmp_path: Path) -> None:
    """Its energies are sums over B sequences of T frames: --ebm-weight (E(data) - E(samples)) / (B T), --l2-energy (for
    one sequence ours / T^2) times the squares of both sums, and --lfmmi-weight (E(data, labels) - E(data)) / (B T).
    The loss and the gradients of all parameters within 1e-4."""
    arcs = [[(1, 0.7, 0), (2, 0.9, 1)], [(3, 0.2, 1), (4, 1.8, 0)]]
    write_fst(str(tmp_path / "den.fst"), Acceptor(0, arcs, [0.0, 0.0]).to_fst())
    words = [f"--den-fst={tmp_path}/den.fst", "--leaky-hmm-coefficient=0.2", "--xent-regularize=0", "--joint"]
    words += ["--ebm-weight=0.7", "--supervised-weight=0.5", f"--energy-l2={energy_l2}", "--out-of-range-regularize=0"]
    objective = build_objective("lfmmi-ebm", [*words, "--buffer-size=8", "--max-steps=2"], DIMENSIONS)
    assert isinstance(objective, SemiSupervised)
    model = Affine()
    with torch.no_grad():
        model.output.weight.mul_(scale)
    batch = make_batch(model, 0, sequences)
    made = objective(model, batch)
    made.loss.backward()

    buffer, graph = objective.energy_based.buffer, objective.supervised.graph
    output = model(batch.features).output
    frames = sequences * output.shape[1]
    of_data = sum_of_energies(output, graph, 0.2)
    of_samples = sum_of_energies(model(buffer.samples[buffer.num_steps > 0]).output, graph, 0.2)
    of_labels = -output.gather(2, batch.pdfs.unsqueeze(2)).sum()  # there limited too; not in Kaldi, nor here
    want = 0.7 * (of_data - of_samples) / frames + 0.5 * (of_labels - of_data) / frames
    want = want + energy_l2 / frames**2 * (of_data.square() + of_samples.square())
    assert float(made.loss.detach()) == pytest.approx(float(want.detach()), rel=1e-4)
    assert (float(output.detach().abs().max()) > 30) == (scale > 1)
    gradients = torch.autograd.grad(want, list(model.parameters()))
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-4)


# Conditional samples.


def write_targets(folder: Path, *sequences: list[int]) -> str:
    with TableWriter(f"ark:{folder}/targets.ark", INT32_VECTOR) as writer:
        for number, sequence in enumerate(sequences):
            writer.write(f"utt{number}", np.array(sequence, np.int32))
    return f"ark:{folder}/targets.ark"


def test_pieces_of_sequences(tmp_path: Path) -> None:
    targets = TargetSequences(write_targets(tmp_path, [0, 1, 2, 3], [], [3, 3], [2, 1, 0]), PDFS)
    found = {tuple(row) for row in targets.draw(200, 3).tolist()}
    assert found == {(0, 1, 2), (1, 2, 3), (2, 1, 0)}
    with pytest.raises(KaldiError, match="no sequence has 5"):
        targets.draw(1, 5)
    with pytest.raises(KaldiError, match=r"utt0 has a pdf"):
        TargetSequences(write_targets(tmp_path, [0, PDFS]), PDFS)


def test_conditional_samples_get_the_pdfs_that_they_are_for(tmp_path: Path) -> None:
    """Each sample keeps its pdfs, and moves to where the model gives them."""
    rspecifier = write_targets(tmp_path, [0, 1, 2, 3, 0, 1, 2, 3, 3, 2])
    words = [f"--targets={rspecifier}", "--buffer-size=8", "--reinit-probability=0", "--max-steps=40", "--noise=0"]
    objective = build_objective("cross-entropy-ebm", [*words, "--step-size=0.3", "--min-steps=40"], DIMENSIONS)
    assert isinstance(objective, SemiSupervised)
    model = Affine()
    labeled = make_batch(model, 0)
    objective(model, labeled)
    part = objective.energy_based
    log_scores = model(labeled.features).output.gather(2, labeled.pdfs.unsqueeze(2))
    for supervision in (labeled.supervision, None):  # of one path each, the pdfs'
        labeled.supervision = supervision
        part.target_energy.zero_()
        part.observe(model(labeled.features).output, labeled)
        assert float(part.target_energy) == pytest.approx(-float(log_scores.detach().mean()), rel=1e-4)
    buffer = part.buffer
    objective(model, unlabeled(make_batch(model, 1, sequences=8)))
    first = buffer.condition.clone()
    assert first.shape == (8, 6) and first.min() >= 0
    given = -TargetEnergy(first)(model(buffer.samples).output)
    other = -TargetEnergy(first.flip(0).roll(1, 1))(model(buffer.samples).output)
    assert (given > other + 1).all()
    objective(model, unlabeled(make_batch(model, 2, sequences=8)))
    assert torch.equal(buffer.condition, first)


# Labeled and unlabeled data.


def test_l2_of_any_data() -> None:
    model = Affine()
    batch = unlabeled(make_batch(model, 0))
    made = build_objective("l2", [], DIMENSIONS)(model, batch)
    want = 0.5 * model(batch.features).output.square().sum(2).mean()
    torch.testing.assert_close(made.loss, want)
    assert made.terms["l2"].total == pytest.approx(-24 * float(want.detach()), rel=1e-5)


@pytest.mark.parametrize("name", ["cross-entropy-ebm", "lfmmi-ebm"])
def test_labeled_and_unlabeled_data(name: str, tmp_path: Path) -> None:
    words = ["--buffer-size=20", "--max-steps=3", "--step-size=0.1", "--supervised-weight=0.5"]
    if name == "lfmmi-ebm":
        words += [f"--den-fst={write_den_fst(tmp_path)}", "--xent-regularize=0.2", "--l2-regularize=0.01"]
    objective = build_objective(name, words, DIMENSIONS)
    assert isinstance(objective, SemiSupervised)
    model = Affine(xent=name == "lfmmi-ebm")
    assert objective.wants_xent == (name == "lfmmi-ebm")
    batch = make_batch(model, 0)
    made = objective(model, batch)
    alone = objective.supervised(model, batch)
    assert float(made.loss.detach()) == pytest.approx(0.5 * float(alone.loss.detach()), rel=1e-5)
    assert made.terms == alone.terms
    density = objective(model, unlabeled(make_batch(model, 1)))
    assert next(iter(density.terms)) == "ebm"
    objective.estimate_priors(model, [batch])
    assert (objective.priors() is None) == (name == "lfmmi-ebm")

    joint = build_objective(name, [*words, "--joint", "--ebm-weight=0.25"], DIMENSIONS)
    both = joint(model, batch)
    assert set(both.terms) == set(alone.terms) | {"ebm", "log-density", "steps"}
    contrast = both.terms["ebm"].total / both.terms["ebm"].weight
    assert float(both.loss.detach()) == pytest.approx(0.5 * float(alone.loss.detach()) - 0.25 * contrast, rel=1e-5)
    both.loss.backward()
    joint.eval()
    assert set(joint(model.eval(), batch).terms) <= set(alone.terms)


def test_nnet3_networks_are_densities_too(tmp_path: Path) -> None:
    """With batch norm, whose statistics samples leave alone; gradients reach all parameters of the main branch."""
    dimensions = Dimensions(DIM, PDFS, 0, FACTOR, xent=True)
    model = build_model("nnet3", [f"--network={write_xconfig(tmp_path)}"], dimensions)
    for parameter in model.parameters():  # output layers begin with zeros
        nn.init.normal_(parameter, std=0.3)
    words = [f"--den-fst={write_den_fst(tmp_path)}", "--joint", "--max-steps=2", "--buffer-size=8"]
    objective = build_objective("lfmmi-ebm", words, dimensions)
    batch = make_batch(model, 0)
    objective(model, batch)
    counts = {name: float(value) for name, value in model.state_dict().items() if name.endswith("batchnorm.count")}
    assert counts
    made = objective(model, batch)
    frames = batch.features.shape[0] * batch.features.shape[1]
    for name, value in model.state_dict().items():
        if name in counts:
            assert 0 < float(value) - counts[name] <= frames  # of the supervised part alone
    made.loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_natural_gradient_sees_energies(tmp_path: Path) -> None:
    """What it watches tells the gradients of test mode that PyTorch's optimizers get, of data and of samples, and not
    those of the sampler's steps. Then both labeled and unlabeled data change the network."""
    dimensions = Dimensions(DIM, PDFS, 0, FACTOR, xent=True)
    network = Path(write_xconfig(tmp_path))
    network.write_text(
        network.read_text().replace("relu-batchnorm-layer", "relu-batchnorm-dropout-layer dropout-proportion=0.5")
    )
    words = [f"--den-fst={write_den_fst(tmp_path)}", "--max-steps=2", "--buffer-size=8", "--ebm-weight=2"]
    found = []
    for watched in (False, True):
        torch.manual_seed(5)
        model = build_model("nnet3", [f"--network={network}"], dimensions)
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.3)
        objective = build_objective("lfmmi-ebm", words, dimensions)
        model(make_batch(model, 1).features)  # statistics of batch norm
        model.train()
        optimizer = OPTIMIZERS.build("natural-gradient", [], Setting(model, objective, Group())) if watched else None
        torch.manual_seed(7)
        made = objective(model, unlabeled(make_batch(model, 0)))
        (-made.loss).backward()
        gradients = {}
        for name, module in model.network.modules_by_name().items():
            if not watched and hasattr(module, "linear_params") and module.linear_params.grad is not None:
                gradients[name] = module.linear_params.grad
        if optimizer is not None:
            for name, updates in optimizer._rules._updates.items():
                for update in updates:
                    seen = update.seen() if isinstance(update, AffineUpdate) else None
                    if seen is not None:
                        inputs = torch.cat([x.reshape(-1, x.shape[-1]) for x in seen[0]], 1)
                        gradients[name] = seen[1].reshape(-1, seen[1].shape[-1]).t() @ inputs
        found.append(gradients)
    assert found[0].keys() == found[1].keys() and len(found[0]) >= 4
    for name, gradient in found[0].items():
        torch.testing.assert_close(
            found[1][name], gradient, rtol=1e-3, atol=1e-5, msg=lambda m, name=name: f"{name}: {m}"
        )
    assert optimizer is not None
    for batch in (unlabeled(make_batch(model, 0)), make_batch(model, 0)):
        before = {name: value.clone() for name, value in model.named_parameters()}
        optimizer.before_minibatch()
        made = objective(model, batch)
        optimizer.backward(made.loss * made.weight)
        assert optimizer.step(0.01, made.weight, len(batch.features))
        changed = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
        assert any(name.startswith("network.components.tdnn1") for name in changed)
        assert model.training and all(module.training for module in model.modules())


class Potential(Model):
    """A density over one number: outputs of a small network, one frame, two pdfs."""

    feature_dim, num_pdfs, left_context, right_context = 1, 2, 0, 0

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(1, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 2))

    def forward(self, features: Tensor, ivectors: Tensor | None = None) -> ModelOutput:
        return ModelOutput(self.layers(features))


@pytest.mark.parametrize("sampler", ["sgld", "adam"])
def test_training_recovers_a_density(sampler: str) -> None:
    """Two modes with weights 0.3 and 0.7: total variation from the truth above 0.35 at first, then below 0.2 (0.09 to
    0.15, most of it in the weights, when this was written)."""
    step = 0.1 if sampler == "sgld" else 0.2
    objective = EnergyBased(
        frame_energy,
        EnergyBasedOptions(
            sampler=sampler,
            buffer_size=2000,
            step_size=step,
            noise=math.sqrt(2 * step),
            min_steps=15,
            max_steps=15,
            init_value=3.0,
            sample_l2=0.0,
        ),
    )
    grid = torch.linspace(-4, 4, 401).view(-1, 1, 1)
    means, weights = torch.tensor([-1.5, 1.5]), torch.tensor([0.3, 0.7])
    truth = torch.logsumexp(weights.log() - (grid.flatten(1) - means).square() / 0.72, 1).softmax(0)
    model = Potential()

    @torch.no_grad()
    def distance() -> float:
        found = (-frame_energy(model(grid).output)).softmax(0)
        return float(0.5 * (found - truth).abs().sum())

    assert distance() > 0.35
    optimizer = torch.optim.Adam(model.parameters())
    for number in range(150):
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (1 - number / 150)
        modes = torch.where(torch.rand(500) < 0.3, -1.5, 1.5)
        batch = Batch((modes + 0.6 * torch.randn(500)).view(-1, 1, 1), 1)
        optimizer.zero_grad()
        objective(model, batch).loss.backward()
        optimizer.step()
    assert distance() < 0.2
