"""Components from config lines: every type, Kaldi's defaults, errors that name the key."""

import gzip

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from nnet3_compat.components import COMPONENTS, UpdatableComponent, set_seed
from nnet3_compat.components.config_line import ConfigLine
from tests.helpers.component_files import assert_same, dump, load, read_components
from tests.helpers.component_lines import LINES, make


def test_lines_cover_every_type():
    assert len(COMPONENTS) == 46
    assert {ConfigLine(line).get_value("type") for line in LINES} == set(COMPONENTS)


@pytest.mark.parametrize("line", LINES)
def test_round_trips(line):
    component = make(line)
    assert component.input_dim > 0 and component.output_dim > 0
    data = dump(component, True)
    assert_same(load(data, True), component, rtol=1e-6)
    assert dump(load(data, True), True) == data
    text = dump(component, False)
    assert_same(load(text, False), component, rtol=1e-6)
    assert dump(load(text, False), False) == text
    assert component.info().startswith(component.TYPE)
    assert component.info() == load(data, True).info()


@pytest.mark.parametrize("line", LINES)
def test_arithmetic(line):
    component = make(line)
    other = component.copy()
    assert_same(other, component)
    if isinstance(component, UpdatableComponent) and component.is_updatable:
        vector = component.vectorize()
        assert vector.shape == (component.num_parameters,) and vector.dtype == np.float32
        other.unvectorize(vector[::-1])
        np.testing.assert_array_equal(other.vectorize(), vector[::-1])
        np.testing.assert_allclose(component.dot(other), np.dot(vector.astype(float), vector[::-1]), rtol=1e-6)
        other.scale(2.0)
        other.add(-1.0, component)
        np.testing.assert_allclose(other.vectorize(), 2 * vector[::-1] - vector, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(component.vectorize(), vector)
        other.perturb_params(0.1)
        component.set_underlying_learning_rate(0.5)
        assert component.learning_rate == 0.5 * component.learning_rate_factor
        component.set_actual_learning_rate(0.25)
        assert component.learning_rate == 0.25
        with pytest.raises(KaldiError):
            component.unvectorize(vector[:-1])
    component.zero_stats()
    component.scale(0.0)
    if isinstance(component, UpdatableComponent) and component.is_updatable:
        assert not component.vectorize().any()
    with pytest.raises(KaldiError, match="differ"):
        component.add(1.0, make("type=NoOpComponent dim=3") if component.TYPE != "NoOpComponent" else make(LINES[0]))


@pytest.mark.parametrize("line", LINES)
def test_unknown_keys_are_named(line):
    with pytest.raises(KaldiError, match=r"Could not process these elements in initializer: bogus=1"):
        make(f"{line} bogus=1")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("type=AffineComponent input-dim=3", "output-dim"),
        ("type=AffineComponent input-dim=3 output-dim=0", "output-dim"),
        ("type=AffineComponent input-dim=3 output-dim=x", "output-dim=x"),
        ("type=AffineComponent input-dim=2000000000 output-dim=2000000000", "too"),
        ("type=AffineComponent input-dim=10000000 output-dim=10000000", "too many"),
        ("type=AffineComponent input-dim=3 output-dim=3 learning-rate=-1", "learning-rate"),
        ("type=AffineComponent matrix=/nowhere/at/all", "/nowhere/at/all"),
        ("type=NormalizeComponent dim=12 block-dim=5", "block-dim"),
        ("type=PermuteComponent column-map=0,0,1", "permutation"),
        ("type=PermuteComponent column-map=0,b", "column-map"),
        ("type=TdnnComponent input-dim=3 output-dim=3 time-offsets=0,0", "time-offsets"),
        ("type=DropoutComponent dim=3 dropout-proportion=1.5", "dropout-proportion"),
        ("type=DropoutComponent dim=3 dropout-proportion=nan", "dropout-proportion"),
        ("type=CompositeComponent num-components=1 component1='type=DropoutMaskComponent output-dim=2'", "DropoutMask"),
        ("type=CompositeComponent num-components=2 component1='type=NoOpComponent dim=2'", "component2"),
        ("type=CompositeComponent num-components=1 component1='type=NoSuchComponent dim=2'", "component1"),
        (
            "type=TimeHeightConvolutionComponent num-filters-in=2 num-filters-out=3 height-in=6 height-out=8 "
            "height-offsets=-1,0,1 time-offsets=0",
            "output height",
        ),
        (
            "type=TimeHeightConvolutionComponent num-filters-in=2 num-filters-out=3 height-in=6 height-out=6 "
            "height-offsets=0,7 time-offsets=0",
            "height offset 7",
        ),
        ("type=NoSuchComponent dim=3", "NoSuchComponent"),
    ],
)
def test_errors_name_the_trouble(line, named):
    with pytest.raises(KaldiError, match=named):
        make(line)


def test_defaults():
    affine = make("type=NaturalGradientAffineComponent input-dim=400 output-dim=900")
    assert (affine.rank_in, affine.rank_out, affine.update_period, affine.alpha) == (20, 80, 4, 4.0)
    assert affine.num_samples_history == 2000.0
    assert affine.linear_params.std() == pytest.approx(1 / 20, rel=0.02)
    assert affine.bias_params.std() == pytest.approx(1.0, rel=0.1)
    small = make("type=TdnnComponent input-dim=3 output-dim=6 time-offsets=-1,0,1")
    assert (small.rank_in, small.rank_out) == (5, 3)
    assert small.input_dim == 3 and small.linear_params.shape == (6, 9)
    assert make("type=BatchNormComponent dim=3").epsilon == np.float32(0.001)


def test_seed_fixes_parameters():
    line = "type=LinearComponent input-dim=4 output-dim=5"
    set_seed(7)
    first = make(line)
    second = make(line)
    set_seed(7)
    assert_same(make(line), first)
    assert not np.array_equal(first.params, second.params)


def test_matrix_and_vector_files(tmp_path):
    matrix = tmp_path / "m"
    matrix.write_text(" [\n 1 2 3\n 4 5 6 ]\n")
    affine = make(f"type=NaturalGradientAffineComponent matrix={matrix} input-dim=2")
    np.testing.assert_array_equal(affine.linear_params, [[1, 2], [4, 5]])
    np.testing.assert_array_equal(affine.bias_params, [3, 6])
    with pytest.raises(KaldiError, match="output-dim"):
        make(f"type=AffineComponent matrix={matrix} output-dim=7")
    assert make(f"type=FixedAffineComponent matrix={matrix}").output_dim == 2
    assert make(f"type=LinearComponent matrix={matrix}").params.shape == (2, 3)
    vector = tmp_path / "v"
    vector.write_text(" [ 1 2 3 ]\n")
    assert make(f"type=FixedScaleComponent scales={vector}").scales.tolist() == [1, 2, 3]
    assert make(f"type=FixedBiasComponent bias={vector}").bias.tolist() == [1, 2, 3]
    assert make(f"type=PerElementScaleComponent vector={vector}").scales.tolist() == [1, 2, 3]
    assert make(f"type=PerElementOffsetComponent vector={vector} dim=6").input_dim == 6


@pytest.mark.parametrize(
    "name",
    [
        "attention",
        "blstmp",
        "cnn-tdnnf",
        "misc-components",
        "opgru",
        "stats",
        "tdnn-batchnorm-ivector",
        "tdnn-lstmp-fast",
        "tdnn-renorm",
    ],
)
def test_final_configs(reference, name, monkeypatch):
    """A network's config gives components like those that Kaldi made of it and trained."""
    folder = reference / "zoo" / name
    monkeypatch.chdir(reference / "zoo" / "inputs")
    trained = dict(read_components((folder / "model.raw").read_bytes(), True))
    seen = set()
    for line in gzip.decompress((folder / "final.config.gz").read_bytes()).decode().splitlines():
        line = line.partition("#")[0].strip()
        parsed = ConfigLine(line) if line.startswith("component ") else None
        if parsed is None or parsed.get_value("name") not in trained:
            continue
        component, kaldis = make(line), trained[parsed.get_value("name")]
        seen.add(parsed.get_value("name"))
        assert (component.TYPE, component.input_dim, component.output_dim) == (
            kaldis.TYPE,
            kaldis.input_dim,
            kaldis.output_dim,
        )
        same = set(vars(component)) - {"learning_rate", "test_mode", "components", *component.STATS}
        for attribute in same:
            mine, theirs = getattr(component, attribute), getattr(kaldis, attribute)
            if isinstance(mine, np.ndarray):
                assert mine.shape == theirs.shape
            else:
                assert mine == theirs, attribute
    assert len(seen) == len(trained)
