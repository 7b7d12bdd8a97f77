"""torch.export programs: they compute what the network computes, and nothing in their files is executed."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kaldi_bridge.command import run
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, write_fst
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, INT32_VECTOR
from nnet3_compat.commands.models.export import main
from nnet3_compat.commands.nnet3bin.nnet3_compute import main as compute
from nnet3_compat.commands.nnet3bin.nnet3_latgen_faster import main as latgen_faster
from nnet3_compat.export import any_length
from nnet3_compat.export.any_length import AnyLength
from nnet3_compat.export.program_check import EXPRESSION, check_target
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.export.torchscript import describe, export_network, wrap
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.model_file import Archive, read_any, read_nnet, write_archive, write_model
from nnet3_compat.network.network import Network
from nnet3_compat.xconfig.nnet import nnet_of_xconfig
from tests.helpers.tiny_model import tiny_model

FAST = ["cnn-tdnnf", "stats", "tdnn-lstmp-fast"]
SLOW = ["attention", "blstmp", "misc-components", "opgru", "tdnn-batchnorm-ivector", "tdnn-renorm"]


def zoo(reference: Path, name: str) -> Network:
    return Network.from_nnet(read_nnet(str(reference / "zoo" / name / "model.raw")))


def scan_in_a_loop(
    step: Callable[..., Any], carried: Any, blocks: list[Tensor], reverse: bool = False
) -> tuple[Any, list[Tensor]]:
    """What torch's scan does, without compiling its step first."""
    every = range(len(blocks[0]))
    made = []
    for b in reversed(every) if reverse else every:
        carried, outputs = step(carried, [x[b] for x in blocks])
        made.append(outputs)
    made = made[::-1] if reverse else made
    return carried, [torch.stack(each) for each in zip(*made, strict=True)]


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        *((name, 3) for name in FAST),
        *(pytest.param(name, 3, marks=pytest.mark.slow) for name in SLOW),
        *(pytest.param(name, 1, marks=pytest.mark.slow) for name in ("blstmp", "stats", "tdnn-lstmp-fast")),
    ],
)
def test_what_is_traced_equals_the_network(
    reference: Path, monkeypatch: pytest.MonkeyPatch, name: str, factor: int
) -> None:
    """For every length, short ones above all. To 1e-5, relative and absolute."""
    monkeypatch.setattr(any_length, "scan", scan_in_a_loop)
    torch.manual_seed(1)
    network = zoo(reference, name)
    d = describe(network, factor)
    core = AnyLength(network, d).eval()
    for n in (1, 2, 3, 4, 8, 31):
        features = torch.randn(2, d.frames_in(n), d.input_dim)
        ivector = torch.randn(2, d.ivector_dim) if d.ivector_dim else None
        with torch.no_grad():
            want = network(features, ivector, factor=factor)
            torch.testing.assert_close(core(features, ivector), want, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["attention", "stats", "tdnn-lstmp-fast"])
def test_compute_with_a_program_equals_kaldi(reference: Path, tmp_path: Path, name: str) -> None:
    """nnet3-compute's own outputs, to 1e-4, relative and absolute, by file and by torch alone."""
    folder, model = reference / "zoo", str(tmp_path / "model")
    source = str(folder / name / "model.raw")
    assert run(main, ["--format=pt2", "--frame-subsampling-factor=3", source, model]) == 0
    options = ["--use-gpu=no", "--frame-subsampling-factor=3", "--frames-per-chunk=21"]
    if TorchModel.from_archive(read_archive(model), name).ivector_dim:
        options += [f"--online-ivectors=ark:{folder}/inputs/ivectors.ark", "--online-ivector-period=10"]
    assert run(compute, [*options, model, f"ark:{folder}/inputs/feats.ark", f"ark:{tmp_path}/out"]) == 0
    want = dict(SequentialReader(f"ark:{folder}/{name}/output.sub3.ark", FLOAT_MATRIX))
    got = dict(SequentialReader(f"ark:{tmp_path}/out", FLOAT_MATRIX))
    assert got.keys() == want.keys()
    for key in want:
        np.testing.assert_allclose(got[key], want[key], rtol=1e-4, atol=1e-4)


def read_archive(path: str) -> Archive:
    found = read_any(path)
    assert isinstance(found, Archive)
    return found


# Files. One small module of a user's own serves them all.


class Own(nn.Module):
    """Two convolutions over time, the second one strided."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(10, 16, 3)
        self.second = nn.Conv1d(16, 7, 3, stride=3)

    def forward(self, features: Tensor) -> Tensor:
        return self.second(self.first(features.transpose(1, 2)).relu()).transpose(1, 2)


OWN: dict[str, Any] = dict(input_dim=10, output_dim=7, left_context=2, right_context=2, frame_subsampling_factor=3)


@pytest.fixture(scope="module")
def own() -> tuple[Own, bytes]:
    module = Own()
    return module, wrap(module, **OWN, kind="pt2").archive()


def test_own_module(own: tuple[Own, bytes]) -> None:
    module, data = own
    loaded = TorchModel.from_archive(Archive(data), "own")
    alone = torch.export.load(io.BytesIO(data)).module()
    for n in (1, 2, 9):
        features = torch.randn(3, loaded.description.frames_in(n), 10)
        with torch.no_grad():
            torch.testing.assert_close(loaded(features), module(features))
            torch.testing.assert_close(alone(features), module(features))
    for bad, what in ((torch.randn(1, 30, 9), "features must be"), (torch.randn(1, 4, 10), "too few frames")):
        with pytest.raises(KaldiError, match=what):
            loaded(bad)
    with pytest.raises(KaldiError, match="no nnet3 network"):
        loaded.network()


def test_no_path_of_this_machine(own: tuple[Own, bytes]) -> None:
    assert b"test_program.py" not in own[1] and b"/work" not in own[1]


def changed(data: bytes, change: Callable[[str, bytes], bytes | None], more: dict[str, bytes] | None = None) -> bytes:
    """The archive with other contents of members; None: without it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        root = old.namelist()[0].partition("/")[0]
        for member in old.namelist():
            content = change(member, old.read(member))
            if content is not None:
                new.writestr(member, content)
        for member, content in (more or {}).items():
            new.writestr(f"{root}/{member}", content)
    return out.getvalue()


def in_program(old: str, new: str) -> Callable[[str, bytes], bytes]:
    def change(member: str, content: bytes) -> bytes:
        if "models/" not in member:
            return content
        assert old in content.decode()
        return content.decode().replace(old, new, 1).encode()

    return change


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("/tmp/nnet-pytorch-was-here"),))


def refuses(data: bytes, what: str) -> None:
    with pytest.raises(KaldiError, match=what):
        TorchModel.from_archive(Archive(data), "evil.pt2")


def test_what_could_be_executed_is_refused(own: tuple[Own, bytes]) -> None:
    data = own[1]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (program,) = (json.loads(archive.read(m)) for m in archive.namelist() if "models/" in m)
    operation = next(node["target"] for node in program["graph_module"]["graph"]["nodes"] if "conv" in node["target"])
    for target in (
        "torch.hub.load",
        "torch.load",
        "torch.ops.aten.from_file.default",
        "torch.ops.aten.save.default",
        "x",
    ):
        refuses(changed(data, in_program(operation, target)), "no plain operation")
    refuses(changed(data, in_program("Symbol('s", "__import__('os').system('s")), "no arithmetic")
    refuses(changed(data, in_program('"guards_code": []', '"guards_code": ["print(1)"]')), "guards")
    refuses(changed(data, in_program('"metadata": {}', '"metadata": {"stack_trace": "x"}')), "metadata")
    refuses(changed(data, in_program('"name": "features"', '"name": "features=print(1)"')), "strange name")
    refuses(changed(data, in_program("builtins.tuple", "os.system")), "more than tensors")
    evil = pickle.dumps(Evil())

    def sample(member: str, content: bytes) -> bytes:
        return evil if "sample_inputs" in member else content

    def weights(member: str, content: bytes) -> bytes:
        return (
            content.replace(b'"use_pickle": false', b'"use_pickle": true', 1) if "weights_config" in member else content
        )

    refuses(changed(data, sample), "sample inputs")
    refuses(changed(data, weights), "pickled")

    def same(member: str, content: bytes) -> bytes:
        return content

    for member in ("data/weights/model.pt", "data/constants/opaque_obj_0", "data/aotinductor/model/x.so", "x.py"):
        refuses(changed(data, same, {member: evil}), "has no place")
    assert not Path("/tmp/nnet-pytorch-was-here").exists()


def test_bad_archives(own: tuple[Own, bytes], tmp_path: Path) -> None:
    data = own[1]
    for broken in (data[: len(data) // 2], data[:-30], data[:500] + bytes(500) + data[1000:]):
        refuses(broken, "zip archive|evil.pt2")
    foreign = io.BytesIO()
    torch.export.save(torch.export.export(nn.ReLU(), (torch.zeros(2),)), foreign)
    refuses(foreign.getvalue(), "does not say what it takes")
    torch.save({"a": torch.zeros(3)}, tmp_path / "tensors.pt")
    refuses((tmp_path / "tensors.pt").read_bytes(), "does not say what it takes")

    def without_weights(member: str, content: bytes) -> bytes | None:
        return None if member.endswith("weight_0") else content

    def huge(member: str, content: bytes) -> bytes:
        return content.replace(b'"as_int": 16', b'"as_int": 1600000000000') if "weights_config" in member else content

    refuses(changed(data, without_weights), "cannot load")
    refuses(changed(data, huge), "cannot load")


RECURRENT = [
    "input dim=10 name=input",
    "fast-lstmp-layer name=lstm cell-dim=8 recurrent-projection-dim=4 non-recurrent-projection-dim=4 delay=-3",
    "output-layer name=output dim=2 include-log-softmax=false param-stddev=0.3",
]


@pytest.mark.slow
def test_compiled_library(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a recurrence over any number of frames; with the transition model inside it is decoded with as the .mdl is."""
    if shutil.which(os.environ.get("CXX", "g++")) is None:
        pytest.skip("no C++ compiler")
    nnet, transition_model = nnet_of_xconfig(RECURRENT), tiny_model(tmp_path)
    network = Network.from_nnet(nnet)
    model = export_network(network, frame_subsampling_factor=3, transition_model=transition_model, kind="aot")
    write_archive(str(tmp_path / "model"), Archive(model.archive()))
    loaded = TorchModel.from_archive(read_archive(str(tmp_path / "model")), "model")
    assert loaded.description == model.description
    assert "native code" in capsys.readouterr().err
    for sequences, n in ((1, 1), (3, 2), (2, 40)):
        features = torch.randn(sequences, loaded.description.frames_in(n), 10)
        with torch.no_grad():
            torch.testing.assert_close(loaded(features), network(features, factor=3))
    with pytest.raises(KaldiError, match="features must be"):
        loaded(torch.randn(1, 30, 9))
    write_model(str(tmp_path / "mdl"), AmNnet(transition_model, nnet))
    assert decoded("model", tmp_path) == decoded("mdl", tmp_path)

    data = (tmp_path / "model").read_bytes()
    refuses(data[: len(data) // 2], "zip archive")
    refuses(changed(data, lambda member, content: content, {"data/aotinductor/model/../x.so": b"x"}), "has no place")
    refuses(changed(data, lambda member, content: None if member.endswith(".so") else content), "cannot load")


def decoded(model: str, folder: Path) -> dict[str, list[int]]:
    """The transition-ids of random features, one chunk each, in any order of the two phones."""
    loops = [(0, 1 + k, 1 + k, 0.7, 0) for k in range(4)]
    write_fst(str(folder / "HCLG.fst"), Fst.from_arcs(0, {0: 0.0}, loops))
    random = np.random.default_rng(1)
    with TableWriter(f"ark:{folder}/feats", FLOAT_MATRIX) as writer:
        for key, frames in (("a", 50), ("b", 31)):
            writer.write(key, random.normal(size=(frames, 10)).astype(np.float32))
    options = ["--frame-subsampling-factor=3", "--frames-per-chunk=60", "--acoustic-scale=1.0"]
    names = [str(folder / model), f"{folder}/HCLG.fst", f"ark:{folder}/feats"]
    tables = ["ark:/dev/null", f"ark:{folder}/words", f"ark:{folder}/ali"]
    assert run(latgen_faster, [*options, *names, *tables]) == 0
    return {key: list(ids) for key, ids in SequentialReader(f"ark:{folder}/ali", INT32_VECTOR)}


def test_targets() -> None:
    for target in ("torch.ops.aten.linear.default", "_operator.floordiv", "torch.ops.higher_order.scan"):
        check_target(target, "program")
    for target in (
        "torch.ops.aten.set_.source_Storage",
        "torch.ops.aten.add.out",
        "torch.ops.prim.device.default",
        "torch.ops.aten._nested_view_from_buffer.default",
    ):
        with pytest.raises(KaldiError):
            check_target(target, "program")


# Back to Kaldi.


@pytest.mark.slow
@pytest.mark.parametrize("format", ["mdl", "pt2"])
def test_archives_go_back_to_nnet3(reference: Path, tmp_path: Path, format: str) -> None:
    """To the last bit; what is made of the archive's network has the archive's factor."""
    source, archive, back = str(reference / "fsdd/tdnnf_cmvn/final.mdl"), str(tmp_path / "a"), str(tmp_path / "b")
    assert run(main, [f"--format={format}", "--frame-subsampling-factor=3", source, archive]) == 0
    assert run(main, ["--format=nnet3", archive, back]) == 0
    assert run(main, ["--format=nnet3", source, str(tmp_path / "c")]) == 0
    assert Path(back).read_bytes() == (tmp_path / "c").read_bytes()
    assert run(main, [archive, str(tmp_path / "d")]) == 0
    assert TorchModel.from_archive(read_archive(str(tmp_path / "d")), "d").frame_subsampling_factor == 3


def test_recurrent_archive_goes_back(reference: Path, tmp_path: Path) -> None:
    network = zoo(reference, "tdnn-lstmp-fast")
    data = export_network(network).archive()
    back = TorchModel.from_archive(Archive(data), "lstm").network()
    for key, value in network.state_dict().items():
        assert torch.equal(back.state_dict()[key], value), key


def test_own_modules_do_not_go_back(tmp_path: Path) -> None:
    wrap(Own(), **OWN).save(str(tmp_path / "own.pt"))
    assert run(main, ["--format=nnet3", str(tmp_path / "own.pt"), str(tmp_path / "out")]) == 255
    assert not (tmp_path / "out").exists()


def test_sizes_are_looked_at_quickly() -> None:
    """Digits have one way to be numbers: no expression takes long."""
    assert EXPRESSION.fullmatch("Add(Symbol('s1', positive=True, integer=True), Integer(-3))")
    assert not EXPRESSION.fullmatch("1" * 10000 + "x")
