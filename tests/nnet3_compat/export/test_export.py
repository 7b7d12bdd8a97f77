"""Archives, ONNX files, our .mdl, wrapped modules: they compute what the network computes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from kaldi_bridge.command import run
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.archive_extras import DESCRIPTION
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.commands.models.export import main
from nnet3_compat.export.conversion import format_of
from nnet3_compat.export.description import Description
from nnet3_compat.export.onnx import export_onnx
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.export.torchscript import export_network, wrap
from nnet3_compat.model.model_file import AmNnet, Archive, read_any, read_nnet, write_archive, write_model
from nnet3_compat.network.network import Network
from tests.helpers.places import ROOT
from tests.helpers.redescribed import redescribed

TINY_MDL = str(ROOT / "egs/tiny/model/final.mdl")
ZOO = [
    "attention",
    pytest.param("blstmp", marks=pytest.mark.slow),
    "cnn-tdnnf",
    "misc-components",
    "opgru",
    "stats",
    "tdnn-batchnorm-ivector",
    "tdnn-lstmp-fast",
    "tdnn-renorm",
]


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(1)


def zoo(reference: Path, name: str) -> Network:
    return Network.from_nnet(read_nnet(str(reference / "zoo" / name / "model.raw")))


def random_input(d: Description, sequences: int, num_outputs: int) -> tuple[Tensor, Tensor | None]:
    ivector = torch.randn(sequences, d.ivector_dim) if d.ivector_dim else None
    return torch.randn(sequences, d.frames_in(num_outputs), d.input_dim), ivector


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("factor", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_archive_equals_network(reference: Path, name: str, factor: int) -> None:
    network = zoo(reference, name)
    model = export_network(network, frame_subsampling_factor=factor)
    loaded = TorchModel.from_archive(Archive(model.archive()), name)
    assert loaded.description == model.description
    with torch.no_grad():
        for sequences, n in ((1, 1), (2, 2), (1, 7), (3, 40)):
            features, ivector = random_input(model.description, sequences, n)
            got = loaded(features, ivector)
            assert got.shape == (sequences, n, network.output_dim)
            torch.testing.assert_close(got, network(features, ivector, factor=factor), rtol=1e-5, atol=1e-6)


ALONE = """
import sys
sys.modules["nnet3_compat"] = sys.modules["kaldi_bridge"] = None  # importing them fails
import json, torch
extra = {"nnet_pytorch.json": ""}
archive = torch.jit.load(sys.argv[1], _extra_files=extra)
about = json.loads(extra["nnet_pytorch.json"])
assert about["left_context"] == archive.left_context
given = torch.load(sys.argv[2], weights_only=True)
with torch.no_grad():
    valid = archive(given["features"], given["ivector"])
    torch.save([valid, archive.compute(given["features"][0], given["ivector"][0])], sys.argv[3])
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tdnn-lstmp-fast", "cnn-tdnnf"])
def test_archive_runs_without_this_package(reference: Path, tmp_path: Path, name: str) -> None:
    network = zoo(reference, name)
    model = export_network(network, frame_subsampling_factor=3)
    model.save(str(tmp_path / "model"))
    features, ivector = random_input(model.description, 2, 30)
    torch.save({"features": features, "ivector": ivector}, tmp_path / "in")
    command = [sys.executable, "-I", "-c", ALONE, *(str(tmp_path / name) for name in ("model", "in", "out"))]
    subprocess.run(command, check=True, cwd=tmp_path)
    valid, whole = torch.load(tmp_path / "out", weights_only=True)
    with torch.no_grad():
        torch.testing.assert_close(valid, model(features, ivector))
    assert whole.shape == (-(-features.shape[1] // 3), network.output_dim)


@pytest.mark.parametrize("factor", [1, 3])
def test_compute_pads_as_kaldi_does(reference: Path, factor: int) -> None:
    """To 1e-4, relative and absolute."""
    archive = export_network(zoo(reference, "tdnn-renorm"), frame_subsampling_factor=factor).module
    want = dict(SequentialReader(f"ark:{reference}/zoo/tdnn-renorm/output.sub{factor}.ark", FLOAT_MATRIX))
    for key, features in SequentialReader(f"ark:{reference}/zoo/inputs/feats.ark", FLOAT_MATRIX):
        with torch.no_grad():
            got = archive.compute(torch.from_numpy(features.copy())).numpy()
        np.testing.assert_allclose(got, want[key], rtol=1e-4, atol=1e-4)


def test_extra_context_warms_up(reference: Path) -> None:
    network = zoo(reference, "tdnn-lstmp-fast")
    plain = export_network(network, frame_subsampling_factor=3)
    more = export_network(network, frame_subsampling_factor=3, extra_left_context=12, extra_right_context=6)
    assert more.left_context == plain.left_context + 12 and more.right_context == plain.right_context + 6
    features, ivector = random_input(more.description, 2, 10)
    with torch.no_grad():
        want = network(features, ivector, factor=3, left=more.left_context, num_outputs=10)
        torch.testing.assert_close(more(features, ivector), want, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(plain(features, ivector, more.left_context, 10), want, rtol=1e-5, atol=1e-6)


def test_archive_names_what_is_wrong(reference: Path) -> None:
    model = export_network(zoo(reference, "tdnn-batchnorm-ivector"))
    features, ivector = random_input(model.description, 2, 3)
    assert ivector is not None
    for bad, what in (
        ((features[..., :-1], ivector), "features must be"),
        ((features[:, :4], ivector), "too few frames"),
        ((features, None), "needs an i-vector"),
        ((features, ivector[:, 1:]), "i-vectors must be"),
        ((features, ivector, 2, 1), "left context"),
        ((features, ivector, None, 100), "too few frames"),
    ):
        with pytest.raises(KaldiError, match=what):
            model(*bad)


# ONNX: 1e-4 absolute and relative.

FREE = [
    ("tdnn-renorm", 3),
    *(pytest.param(name, 3, marks=pytest.mark.slow) for name in ("cnn-tdnnf", "attention", "stats", "opgru")),
    *(pytest.param("tdnn-lstmp-fast", f, marks=pytest.mark.slow) for f in (1, 3)),
]


def run_onnx(data: bytes, features: Tensor, ivector: Tensor | None) -> np.ndarray:
    runtime = pytest.importorskip("onnxruntime")
    inputs = {"features": features.numpy()} | ({} if ivector is None else {"ivector": ivector.numpy()})
    return runtime.InferenceSession(data).run(["output"], inputs)[0]


@pytest.mark.parametrize(("name", "factor"), FREE)
def test_onnx_with_any_number_of_frames(reference: Path, name: str, factor: int) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    network = zoo(reference, name)
    data = export_onnx(network, frame_subsampling_factor=factor)
    about = describe_onnx(data)
    for sequences, n in ((1, 1), (3, 2), (2, 31), (1, 200)):
        features, ivector = random_input(about, sequences, n)
        with torch.no_grad():
            want = network(features, ivector, factor=factor)
        assert isinstance(want, Tensor)
        np.testing.assert_allclose(run_onnx(data, features, ivector), want.numpy(), rtol=1e-4, atol=1e-4)


def describe_onnx(data: bytes) -> Description:
    import onnx

    properties = {p.key: p.value for p in onnx.load_from_string(data).metadata_props}
    assert properties["left_context"] == str(json.loads(properties[DESCRIPTION])["left_context"])
    return Description.from_json(properties[DESCRIPTION])


ABOUT = Description(
    input_dim=10, output_dim=7, left_context=8, right_context=8, frame_subsampling_factor=3, chunk_invariant=True
)


def small_onnx() -> bytes:
    """A convolution over 17 frames, every third time, which says of itself what ABOUT is."""
    onnx = pytest.importorskip("onnx")
    helper, single = onnx.helper, onnx.TensorProto.FLOAT
    weights = helper.make_tensor("weights", single, (7, 10, 17), np.ones(7 * 10 * 17))
    nodes = [
        helper.make_node("Transpose", ["features"], ["columns"], perm=[0, 2, 1]),
        helper.make_node("Conv", ["columns", "weights"], ["made"], strides=[3]),
        helper.make_node("Transpose", ["made"], ["output"], perm=[0, 2, 1]),
    ]
    given = [helper.make_tensor_value_info("features", single, ["N", "T", 10])]
    output = [helper.make_tensor_value_info("output", single, ["N", "T_out", 7])]
    model = helper.make_model(
        helper.make_graph(nodes, "graph", given, output, [weights]), opset_imports=[helper.make_opsetid("", 21)]
    )
    model.ir_version = 10
    helper.set_model_props(model, {DESCRIPTION: ABOUT.to_json()})
    return model.SerializeToString()


def test_descriptions_of_other_graphs() -> None:
    """What it takes and gives is tried when an ONNX file is loaded, within limits."""
    pytest.importorskip("onnxruntime")
    data = small_onnx()
    assert TorchModel.from_archive(Archive(data), "final.onnx").description == ABOUT
    for name, other in (
        ("left_context", 9),
        ("left_context", 7),
        ("left_context", 2**20),
        ("right_context", 38),
        ("frame_subsampling_factor", 1),
        ("output_dim", 8),
        ("input_dim", 11),
        ("ivector_dim", 2**31 - 1),
        ("num_outputs", 2**20),
    ):
        with pytest.raises(KaldiError, match=r"^final.onnx: its description"):
            TorchModel.from_archive(Archive(redescribed(data, **{name: other})), "final.onnx")


@pytest.mark.slow
def test_onnx_with_a_fixed_number_of_frames(reference: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    network = zoo(reference, "misc-components")
    data = export_onnx(network, num_outputs=6)
    about = describe_onnx(data)
    assert about.num_outputs == 6
    features, ivector = random_input(about, 3, 6)
    with torch.no_grad():
        want = network(features, ivector)
    assert isinstance(want, Tensor)
    np.testing.assert_allclose(run_onnx(data, features, ivector), want.numpy(), rtol=1e-4, atol=1e-4)


# Files.


def final_mdl(reference: Path) -> str:
    return str(reference / "fsdd" / "tdnnf" / "final.mdl")


def test_our_mdl(reference: Path, tmp_path: Path) -> None:
    original = read_any(final_mdl(reference))
    assert isinstance(original, AmNnet)
    network = Network.from_nnet(original.nnet)
    model = export_network(network, frame_subsampling_factor=3, transition_model=final_mdl(reference))
    path = str(tmp_path / "our.mdl")
    model.save(path)
    head = (tmp_path / "our.mdl").read_bytes()
    assert head.startswith(b"\0B<TransitionModel> ")
    assert read_transition_model(path).num_pdfs == original.transition_model.num_pdfs
    found = read_any(path)
    assert isinstance(found, Archive) and found.transition_model is not None
    loaded = TorchModel.from_archive(found, path)
    features, ivector = random_input(loaded.description, 2, 5)
    with torch.no_grad():
        want = network(features, ivector, factor=3)
        torch.testing.assert_close(loaded(features, ivector), want, rtol=1e-5, atol=1e-5)


def test_archive_holds_transition_model_and_priors(reference: Path) -> None:
    original = read_any(final_mdl(reference))
    assert isinstance(original, AmNnet)
    priors = np.linspace(0.1, 0.9, original.num_pdfs).astype(np.float32)
    network = Network.from_nnet(original.nnet)
    data = export_network(network, transition_model=original.transition_model, priors=priors).archive()
    loaded = TorchModel.from_archive(Archive(data), "archive")
    assert loaded.transition_model is not None and loaded.priors is not None
    np.testing.assert_array_equal(loaded.priors, priors)


def test_broken_archives(reference: Path, tmp_path: Path) -> None:
    model = export_network(zoo(reference, "tdnn-renorm"))
    data = model.archive()
    for broken in (data[: len(data) // 2], b"PK\x03\x04", data[:-30], data[:500] + bytes(500) + data[1000:]):
        with pytest.raises(KaldiError):
            TorchModel.from_archive(Archive(broken), "broken")
    torch.jit.save(model.module, str(tmp_path / "bare.pt"))
    with pytest.raises(KaldiError, match="nnet-pytorch-export"):
        TorchModel.from_archive(Archive((tmp_path / "bare.pt").read_bytes()), "bare")
    write_archive(str(tmp_path / "whole"), Archive(data, read_transition_model(final_mdl(reference))))
    whole = (tmp_path / "whole").read_bytes()
    (tmp_path / "cut").write_bytes(whole[:-100])
    with pytest.raises(KaldiError):
        read_any(str(tmp_path / "cut"))


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=10))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_archives(small_archive: bytes, changes: list[tuple[float, int]]) -> None:
    """They load or are refused with a message: nothing else."""
    data = bytearray(small_archive)
    for where, value in changes:
        data[int(where * len(data))] = value
    with contextlib.suppress(KaldiError):
        TorchModel.from_archive(Archive(bytes(data)), "damaged")


@pytest.fixture(scope="module")
def small_archive() -> bytes:
    return wrap(Own(), **OWN).archive()


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"format": "x"}, {"input_dim": 0}, {"input_dim": "40"}, {"left_context": -1}, {"priors": [1.0]},
     {"priors": [float("nan")] * 72}, {"priors": [0.0] * 72}, {"priors": [-1.0] * 72}, {"priors": [1e-50] * 72},
     {"priors": [True] * 72}, {"priors": ["1"] * 72}, {"priors": [10**400] * 72}, {"priors": [1e39] * 72},
     {"chunk_invariant": 1}, {"output_name": 3}, {"left_context": 2**31 - 1}, {"num_outputs": 2**31 - 1},
     {"right_context": True}],
)  # fmt: skip
def test_bad_descriptions(change: dict) -> None:
    good = json.loads(Description(input_dim=40, output_dim=72).to_json())
    with pytest.raises(KaldiError):
        Description.from_json(json.dumps({**good, **change}))
    for text in ("", "[]", "{", json.dumps({"format": "nnet-pytorch", "version": 1})):
        with pytest.raises(KaldiError):
            Description.from_json(text)


# Users' own modules.


class Own(nn.Module):
    """Two convolutions over time, the second one strided."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(10, 16, 3)
        self.second = nn.Conv1d(16, 7, 3, stride=3)

    def forward(self, features: Tensor) -> Tensor:
        return self.second(self.first(features.transpose(1, 2)).relu()).transpose(1, 2)


class OwnWithIvector(Own):
    def forward(self, features: Tensor, ivector: Tensor) -> Tensor:
        return super().forward(features) + ivector.mean(1)[:, None, None]


class Bad(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return sorted([features], key=lambda x: x)[0]


OWN: dict[str, Any] = dict(input_dim=10, output_dim=7, left_context=2, right_context=2, frame_subsampling_factor=3)


@pytest.mark.parametrize("scripted", [False, True])
def test_wrap(reference: Path, tmp_path: Path, scripted: bool) -> None:
    module = Own()
    wrapped: nn.Module = torch.jit.script(module) if scripted else module
    wrap(wrapped, **OWN, chunk_invariant=True).save(str(tmp_path / "own.pt"))
    found = read_any(str(tmp_path / "own.pt"))
    assert isinstance(found, Archive)
    loaded = TorchModel.from_archive(found, "own")
    features = torch.randn(2, 40, 10)
    with torch.no_grad():
        torch.testing.assert_close(loaded(features), module(features))


def test_wrap_with_ivector() -> None:
    class Sum(nn.Module):
        def forward(self, features: Tensor, ivector: Tensor) -> Tensor:
            return features[:, 1:-1] + ivector[:, None, :1]

    model = wrap(Sum(), input_dim=4, output_dim=4, ivector_dim=3, left_context=1, right_context=1)
    assert isinstance(model, TorchModel)
    assert model(torch.ones(1, 5, 4), torch.ones(1, 3)).unique().tolist() == [2.0]


def test_wrap_checks() -> None:
    with pytest.raises(KaldiError, match="would fit"):
        wrap(Own(), **{**OWN, "right_context": 5})
    with pytest.raises(KaldiError, match="cannot be scripted"):
        wrap(Bad(), input_dim=4, output_dim=4)


def test_wrap_with_a_transition_model_of_another_size(reference: Path) -> None:
    with pytest.raises(KaldiError, match=f"^{final_mdl(reference)} has [0-9]+ pdfs, the network 7 outputs"):
        wrap(Own(), **OWN, transition_model=final_mdl(reference))


# Back to Kaldi.


@pytest.mark.parametrize("name", ZOO)
def test_trained_parameters_go_back(reference: Path, tmp_path: Path, name: str) -> None:
    """After a step of SGD in training mode, the file that is written computes what the module computes."""
    network = zoo(reference, name)
    same = tmp_path / "same.raw"
    write_model(str(same), network.to_nnet())
    assert same.read_bytes() == (reference / "zoo" / name / "model.raw").read_bytes()

    torch.manual_seed(0)
    d = export_network(network).description
    features, ivector = random_input(d, 2, 12)
    network.train()
    before = [p.detach().clone() for p in network.parameters()]
    output = network(features, ivector)
    assert isinstance(output, Tensor)
    output.square().mean().backward()
    torch.optim.SGD(network.parameters(), lr=0.01).step()
    network.eval()
    assert any(not torch.equal(p, q) for p, q in zip(before, network.parameters(), strict=True))

    write_model(str(tmp_path / "stepped.raw"), network.to_nnet())
    again = Network.from_nnet(read_nnet(str(tmp_path / "stepped.raw")))
    with torch.no_grad():
        # Kaldi's files hold means and variances in single precision: not the sums to the last bit.
        torch.testing.assert_close(again(features, ivector), network(features, ivector), rtol=1e-4, atol=1e-5)


# The command.


def test_command(reference: Path, tmp_path: Path) -> None:
    mdl = final_mdl(reference)
    assert run(main, ["--frame-subsampling-factor=3", mdl, str(tmp_path / "x.pt")]) == 0
    assert run(main, ["--frame-subsampling-factor=3", "--format=mdl", mdl, str(tmp_path / "x.mdl")]) == 0
    for name in ("x.pt", "x.mdl"):
        assert isinstance(read_any(str(tmp_path / name)), Archive)
    assert run(main, ["--format=nnet3", mdl, str(tmp_path / "back.mdl")]) == 0
    assert (tmp_path / "back.mdl").read_bytes() == Path(mdl).read_bytes()


def test_format_by_name(reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Unless --format says another. As Python shows warnings, none tells the user that TorchScript is deprecated."""
    names = {"x.onnx": "onnx", "a/x.pt2": "pt2", "x.mdl": "mdl", "x.pt": "torchscript", "onnx": "torchscript"}
    assert {name: format_of(name) for name in names} == names
    with warnings.catch_warnings(record=True) as found:
        warnings.resetwarnings()
        warnings.simplefilter("ignore", DeprecationWarning)  # but of what calls it from a program
        warnings.filterwarnings("default", category=DeprecationWarning, module=r"__main__|nnet3_compat")
        for name, options, begin in (
            ("x.pt", [], b"PK"),
            ("x.mdl", [], b"\0B<TransitionModel>"),
            ("x.onnx", ["--format=torchscript"], b"PK"),
        ):
            out = str(tmp_path / name)
            assert run(main, ["--frame-subsampling-factor=3", *options, TINY_MDL, out]) == 0
            assert (tmp_path / name).read_bytes().startswith(begin)
            archive = read_any(out)
            assert isinstance(archive, Archive)
            TorchModel.from_archive(archive, name)
    assert [str(each.message) for each in found] == []
    assert "warn" not in capfd.readouterr().err.lower()
    assert run(main, [str(reference / "zoo/tdnn-renorm/model.raw"), str(tmp_path / "raw.mdl")]) == 255
    assert "has no transition model; give --transition-model" in capfd.readouterr().err


def test_command_loads_a_state(reference: Path, tmp_path: Path) -> None:
    raw = str(reference / "zoo" / "tdnn-renorm" / "model.raw")
    network = zoo(reference, "tdnn-renorm")
    for p in network.parameters():
        p.data.mul_(0.5)
    torch.save(network.state_dict(), tmp_path / "state.pt")
    assert run(main, ["--format=nnet3", f"--state={tmp_path}/state.pt", raw, str(tmp_path / "half.raw")]) == 0
    half = Network.from_nnet(read_nnet(str(tmp_path / "half.raw")))
    for p, q in zip(half.parameters(), network.parameters(), strict=True):
        assert torch.equal(p, q)
    other = str(reference / "zoo" / "stats" / "model.raw")
    assert run(main, ["--format=nnet3", f"--state={tmp_path}/state.pt", other, str(tmp_path / "no")]) != 0
    assert run(main, ["--format=nnet3", f"--state={raw}", raw, str(tmp_path / "no")]) != 0
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--format=pickle"],
        ["--frames-per-chunk=30"],
        ["--format=mdl"],  # a raw network has no transition model
        ["--format=onnx", "--frames-per-chunk=31", "--frame-subsampling-factor=3"],
        ["--format=nnet3", "--frame-subsampling-factor=3"],
        ["--frame-subsampling-factor=0"],
        ["--extra-left-context=-1"],
    ],
)
def test_command_refuses(reference: Path, tmp_path: Path, options: list[str]) -> None:
    raw = str(reference / "zoo" / "tdnn-renorm" / "model.raw")
    assert run(main, [*options, raw, str(tmp_path / "out")]) not in (0, None)
    assert not (tmp_path / "out").exists()


def test_untrained_batch_norm_is_not_exported(reference: Path) -> None:
    nnet = read_nnet(str(reference / "zoo" / "tdnn-batchnorm-ivector" / "model.raw"))
    for component in nnet.components.values():
        component.zero_stats()
    with pytest.raises(KaldiError, match="without statistics"):
        export_network(Network.from_nnet(nnet))
