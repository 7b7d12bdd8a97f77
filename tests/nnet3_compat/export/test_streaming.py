"""Models that compute chunk by chunk give what Kaldi's looped computation gives, to 1e-5 (network/looped.py is tested
against it), and where nothing depends on later chunks, what the network gives for a whole utterance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from kaldi_bridge.command import run
from kaldi_bridge.errors import KaldiError
from nnet3_compat.commands.models.export import main
from nnet3_compat.commands.nnet3bin.nnet3_compute import main as compute
from nnet3_compat.export.onnx import streaming_to_onnx
from nnet3_compat.export.streaming import Chunk, chunk_kinds
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.folded.looped import LoopedPlan
from nnet3_compat.model.model_file import Archive, read_any, read_nnet, write_model
from nnet3_compat.network.looped import LoopedNetwork
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.utterances.looped_options import LoopedOptions
from nnet3_compat.utterances.online_computation import OnlineComputer
from nnet3_compat.xconfig.nnet import nnet_of_xconfig
from tests.helpers.redescribed import redescribed

SIZE, SMALL_SIZE, FACTOR, CHUNKS = 21, 3, 3, 4
SMALL = [
    "input dim=5 name=ivector",
    "input dim=10 name=input",
    "relu-layer name=tdnn input=Append(-1,0,2,ReplaceIndex(ivector, t, 0)) dim=12",
    "fast-lstmp-layer name=lstm cell-dim=8 recurrent-projection-dim=4 non-recurrent-projection-dim=4 delay=-3",
    "output-layer name=output dim=7 include-log-softmax=false param-stddev=0.3",
]

Step = Callable[[int, Tensor, Tensor | None, list[Tensor]], tuple[Tensor, list[Tensor]]]


def check(nnet: Nnet, step: Step, size: int = SIZE, streams: int = 2, as_a_whole: bool = True) -> None:
    """Some utterances side by side."""
    plan = LoopedPlan.of(nnet, size, FACTOR, 0)
    looped, request, states = LoopedNetwork(plan), plan.request, list[Tensor]()
    carried = looped.begin()
    torch.manual_seed(1)
    features = torch.randn(streams, request.left + CHUNKS * request.size + request.right, plan.input_dim)
    ivector = torch.randn(streams, plan.ivector_dim) if plan.ivector_dim else None
    outputs = []
    for chunk in range(CHUNKS):
        first = request.left + request.first_input(chunk)
        part = features[:, first : first + request.num_inputs(chunk)]
        want, carried = looped.compute(part, ivector, chunk, carried)
        with torch.no_grad():
            got, states = step(chunk, part, ivector, states)
        torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)
        outputs.append(got)
    if as_a_whole:
        with torch.no_grad():
            whole = Network.from_nnet(nnet).eval()(features, ivector, factor=FACTOR)
        assert isinstance(whole, Tensor)
        torch.testing.assert_close(torch.cat(outputs, 1), whole[:, : CHUNKS * size // FACTOR], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["cnn-tdnnf", "opgru", "stats", "tdnn-lstmp-fast"])
def test_what_is_traced_equals_the_looped_network(reference: Path, name: str) -> None:
    nnet = read_nnet(str(reference / "zoo" / name / "model.raw"))
    plan = LoopedPlan.of(nnet, SIZE, FACTOR, 0)
    network = Network.from_nnet(plan.nnet)
    chunks = [Chunk(plan, network, kind, layout, k == 0).eval() for k, (kind, layout) in enumerate(chunk_kinds(plan))]
    assert len(chunks) == (3 if name == "stats" else 2)

    def step(chunk: int, features: Tensor, ivector: Tensor | None, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        module = chunks[min(chunk, len(chunks) - 1)]
        output, *after = module(features, *([] if ivector is None else [ivector]), *states)
        return output, after

    check(nnet, step, as_a_whole=name != "stats")  # whose window reaches into later chunks


@pytest.mark.slow
def test_files(tmp_path: Path) -> None:
    """A .pt2, and an ONNX file of its programs: by themselves, for any number of streams, and by an OnlineComputer."""
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    nnet, source, path = nnet_of_xconfig(SMALL), str(tmp_path / "raw"), str(tmp_path / "model")
    write_model(source, nnet)
    arguments = ["--format=pt2", "--streaming", f"--frames-per-chunk={SMALL_SIZE}"]
    assert run(main, [*arguments, f"--frame-subsampling-factor={FACTOR}", source, path]) == 0
    archive = read_any(path)
    assert isinstance(archive, Archive)
    onnx = Archive(streaming_to_onnx(TorchModel.from_archive(archive, path).module))
    assert run(compute, ["--use-gpu=no", path, "ark:/dev/null", f"ark:{tmp_path}/out"]) == 255

    features = np.random.default_rng(1).normal(size=(100, 10)).astype(np.float32)
    options = LoopedOptions(frames_per_chunk=SMALL_SIZE, frame_subsampling_factor=FACTOR)

    def online(given: Archive | Nnet) -> np.ndarray:
        started = OnlineComputer(given, options, "model").start()
        parts = (started.extend(features[k : k + 50], k > 0, lambda: np.ones(5, np.float32)) for k in (0, 50))
        return np.concatenate(list(parts))

    for given in (archive, onnx):
        model = TorchModel.from_archive(given, "model")
        for streams in (2, 1, 3):
            check(nnet, model.module.compute, SMALL_SIZE, streams)
        with pytest.raises(KaldiError, match="one after the other"):
            model(torch.zeros(1, 100, 10))
        np.testing.assert_allclose(online(given), online(nnet), rtol=1e-4, atol=1e-4)
        for name, other in (("left_context", 3), ("chunk_frames", 6)):
            with pytest.raises(KaldiError, match=r"description|INVALID_ARGUMENT"):
                TorchModel.from_archive(Archive(redescribed(given.data, **{name: other})), "model")
    program = TorchModel.from_archive(archive, "model").module
    for features, ivector in ((torch.zeros(1, 2, 10), torch.zeros(1, 5)), (torch.zeros(1, 5, 10), None)):
        with pytest.raises(KaldiError, match="does not go with its description"):
            program.compute(0, features, ivector, [])


def test_backward_recurrences_are_refused(reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Which component it is, before anything is traced."""
    out = tmp_path / "stream.onnx"
    source = str(reference / "zoo/blstmp/model.raw")
    assert run(main, ["--streaming", "--frames-per-chunk=21", source, str(out)]) == 255
    assert "b1.W_f.xr belongs to a recurrence that reads later frames without end" in capfd.readouterr().err
    assert not out.exists()


def test_options_that_do_not_go_together(reference: Path, tmp_path: Path) -> None:
    source, out = str(reference / "zoo/tdnn-renorm/model.raw"), str(tmp_path / "out")
    for options in (["--streaming"], ["--streaming", "--format=pt2"], ["--format=pt2", "--frames-per-chunk=21"]):
        assert run(main, [*options, source, out]) == 255
    assert not Path(out).exists()
