"""nnet-pytorch-compute and -compute-batch as a person or a script meets them."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from kaldi_bridge.command import run  # noqa: E402
from kaldi_bridge.errors import KaldiError  # noqa: E402
from kaldi_bridge.tables import SequentialReader, TableWriter  # noqa: E402
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR  # noqa: E402
from nnet3_compat.commands.nnet3bin.nnet3_compute import main as compute  # noqa: E402
from nnet3_compat.commands.nnet3bin.nnet3_compute_batch import main as compute_batch  # noqa: E402
from nnet3_compat.model.model_file import read_model, read_nnet, write_model  # noqa: E402
from nnet3_compat.model.priors import PriorOptions  # noqa: E402
from nnet3_compat.network.network import Network  # noqa: E402
from nnet3_compat.structure.nnet import Nnet  # noqa: E402
from nnet3_compat.utterances import compute_tables  # noqa: E402
from nnet3_compat.utterances.chunking import BatchChunks, ChunkRule, SimpleChunks  # noqa: E402
from nnet3_compat.utterances.computation import Computer, Utterance  # noqa: E402
from nnet3_compat.utterances.computation_options import SimpleComputationOptions  # noqa: E402
from nnet3_compat.utterances.loading import load_computer  # noqa: E402
from nnet3_compat.utterances.torch_models import NetworkModel, OnArrays  # noqa: E402

RANDOM = np.random.default_rng(0)


def read(rspecifier: str) -> dict[str, np.ndarray]:
    return {key: np.array(value) for key, value in SequentialReader(rspecifier, FLOAT_MATRIX)}


def write(path: Path, items: dict[str, np.ndarray], holder=FLOAT_MATRIX) -> str:
    with TableWriter(f"ark:{path}", holder) as writer:
        for key, value in items.items():
            writer.write(key, value)
    return f"ark:{path}"


def feats(**lengths: int) -> dict[str, np.ndarray]:
    return {key: RANDOM.normal(size=(n, 40)).astype(np.float32) for key, n in lengths.items()}


def test_reference_file(reference: Path, tmp_path: Path) -> None:
    zoo = reference / "zoo"
    options = ["--use-gpu=no", "--frame-subsampling-factor=3", "--frames-per-chunk=21", "--online-ivector-period=10"]
    options.append(f"--online-ivectors=ark:{zoo}/inputs/ivectors.ark")
    arguments = [str(zoo / "cnn-tdnnf" / "model.raw"), f"ark:{zoo}/inputs/feats.ark", f"ark:{tmp_path}/out"]
    assert run(compute, [*options, *arguments]) == 0
    want, got = read(f"ark:{zoo}/cnn-tdnnf/output.sub3.ark"), read(f"ark:{tmp_path}/out")
    assert list(got) == list(want)
    for key in want:
        assert np.abs(got[key] - want[key]).max() <= 1e-4 * np.abs(want[key]).max()


@pytest.mark.parametrize("program", [compute, compute_batch])
def test_ivectors_per_speaker_and_what_is_left_out(reference: Path, tmp_path: Path, capfd, program) -> None:
    model = str(reference / "zoo" / "cnn-tdnnf" / "model.raw")
    items = feats(a=37, b=1, lost=9, c=200)
    features = write(tmp_path / "feats", {"none": np.zeros((0, 0), np.float32), **items})
    vectors = {key: RANDOM.normal(size=30).astype(np.float32) for key in ("s1", "s2")}
    ivectors = write(tmp_path / "ivectors", vectors, FLOAT_VECTOR)
    speakers = {"none": "s1", "a": "s1", "b": "s2", "lost": "s9", "c": "s2"}
    (tmp_path / "utt2spk").write_text("".join(f"{u} {s}\n" for u, s in speakers.items()))
    arguments = ["--use-gpu=no", f"--ivectors={ivectors}", f"--utt2spk=ark:{tmp_path}/utt2spk", model, features]
    assert run(program, [*arguments, f"ark:{tmp_path}/out"]) == 0
    log = capfd.readouterr().err
    assert "Zero-length utterance: none" in log
    assert "No iVector available for utterance lost" in log
    assert "Done 3 utterances, failed for 2" in log
    got = read(f"ark:{tmp_path}/out")
    assert {key: len(value) for key, value in got.items()} == {"a": 37, "b": 1, "c": 200}
    one = load_computer(model, SimpleComputationOptions(acoustic_scale=1.0), "no", None)
    assert np.allclose(got["c"], one.compute(items["c"], vectors["s2"]), atol=1e-4)


def test_mistakes(reference: Path, tmp_path: Path, capfd) -> None:
    zoo = reference / "zoo"
    model, features = str(zoo / "cnn-tdnnf" / "model.raw"), write(tmp_path / "feats", feats(a=5))
    out = f"ark:{tmp_path}/out"
    narrow = write(tmp_path / "narrow", {"a": np.zeros((5, 39), np.float32)})
    cases = [
        (["--use-gpu=no", model, features, out], 255, "'ivector' features with dimension 30 but you provided 0"),
        (
            ["--use-gpu=no", str(zoo / "tdnn-renorm" / "model.raw"), narrow, out],
            255,
            "dimension 40 but you provided 39",
        ),
        (["--use-gpu=maybe", model, features, out], 255, "yes|no|optional|wait"),
        (["--use-gpu=no", "--use-priors", model, features, out], 255, "--use-priors=true needs a .mdl"),
        (["--use-gpu=no", "--frames-per-chunk=0", model, features, out], 255, "must be > 0"),
        (["--use-gpu=no", "--frame-subsampling-factor=0", model, features, out], 255, "must be > 0"),
        (["--no-such-option", model, features, out], 255, "--no-such-option"),
        ([model, features], 1, "Usage"),
    ]
    for arguments, status, message in cases:
        assert run(compute, arguments) == status, arguments
        assert message in capfd.readouterr().err, arguments
        assert not (tmp_path / "out").exists()
    vector = write(tmp_path / "vector", {"a": np.zeros(30, np.float32)}, FLOAT_VECTOR)
    online = write(tmp_path / "online", {"a": np.zeros((1, 30), np.float32)})
    for options, message in (
        ([f"--ivectors={vector}", f"--online-ivectors={online}", "--online-ivector-period=10"], "not both"),
        ([f"--online-ivectors={online}"], "--online-ivector-period"),
    ):
        assert run(compute, ["--use-gpu=no", *options, model, features, out]) == 255
        assert message in capfd.readouterr().err
    late = write(tmp_path / "late", feats(a=5000))
    period = ["--online-ivector-period=10", "--frames-per-chunk=150"]
    assert run(compute, ["--use-gpu=no", f"--online-ivectors={online}", *period, model, late, out]) == 255
    assert "mismatched --online-ivector-period?" in capfd.readouterr().err
    empty = write(tmp_path / "empty", {})
    assert run(compute, ["--use-gpu=no", model, empty, out]) == 1
    assert "Done 0 utterances, failed for 0" in capfd.readouterr().err


def test_priors_are_scaled_and_floored_at_decoding(tmp_path: Path) -> None:
    """Pdfs below the floor cannot be decoded, as in nnet_pytorch's decode.py: their prior becomes 1e20."""
    priors = np.array([0.5, 0.3, 0.2, 0.0], np.float32)
    assert np.allclose(PriorOptions(prior_scale=0.5).log_divisors(priors[:3]), 0.5 * np.log(priors[:3]))
    assert not PriorOptions(prior_scale=0.0).log_divisors(priors[:3]).any()
    floored = PriorOptions(prior_floor=0.25).log_divisors(priors)
    assert np.allclose(floored, [np.log(0.5), np.log(0.3), np.log(1e20), np.log(1e20)])
    for wrong in (PriorOptions(prior_scale=-1.0), PriorOptions(prior_floor=1.0)):
        with pytest.raises(KaldiError, match="prior-"):
            wrong.log_divisors(priors)


def test_priors_scale_and_large_outputs(reference: Path, tmp_path: Path, monkeypatch) -> None:
    folder = reference / "fsdd" / "tdnnf_cmvn"
    am = read_model(str(folder / "final.mdl"))
    am.set_priors(RANDOM.uniform(0.1, 1.0, am.num_pdfs).astype(np.float32))
    write_model(str(tmp_path / "model"), am)
    items = feats(a=100, b=3500, c=10)
    features = write(tmp_path / "feats", items)
    common = ["--use-gpu=no", "--frame-subsampling-factor=3"]
    model = str(tmp_path / "model")
    assert run(compute, [*common, model, features, f"ark:{tmp_path}/plain"]) == 0
    plain = read(f"ark:{tmp_path}/plain")
    monkeypatch.setattr(compute_tables, "LARGE_BYTES", 4 * 300 * am.num_pdfs)
    priors = ["--use-priors=true", "--acoustic-scale=0.5", "--apply-exp=true", "--prior-scale=0.7"]
    assert run(compute, [*common, *priors, model, features, f"ark:{tmp_path}/scaled"]) == 0
    scaled = read(f"ark:{tmp_path}/scaled")
    assert list(scaled) == list(plain)
    for key, value in plain.items():
        want = np.exp(0.5 * (value - 0.7 * np.log(am.priors)))
        assert np.allclose(scaled[key], want, rtol=1e-4, atol=1e-5)


def test_pieces_do_not_change_the_numbers(reference: Path) -> None:
    """Whole utterances, short pieces, and Kaldi's chunks."""
    nnet = read_model(str(reference / "fsdd" / "tdnnf_cmvn" / "final.mdl")).nnet
    features = feats(a=700)["a"]
    outputs = []
    rule: ChunkRule
    for pieces, chunk, rule in (
        (3000, 150, SimpleChunks()),
        (100, 30, SimpleChunks()),
        (3000, 51, BatchChunks()),
    ):
        options = SimpleComputationOptions(acoustic_scale=1.0, frame_subsampling_factor=3, frames_per_chunk=chunk)
        computer = Computer(OnArrays(NetworkModel(Network.from_nnet(nnet), 3)), options, rule=rule)
        assert computer.whole
        computer.PIECE_FRAMES = pieces
        outputs.append(computer.compute(features))
    assert np.allclose(outputs[0], outputs[1], atol=1e-4)
    assert np.allclose(outputs[0], outputs[2], atol=1e-4)


def test_batches_do_not_change_the_numbers(reference: Path) -> None:
    """Chunks of several utterances through a recurrent network together, and one utterance at a time."""
    nnet = read_nnet(str(reference / "zoo" / "opgru" / "model.raw"))
    options = SimpleComputationOptions(acoustic_scale=1.0, frame_subsampling_factor=3, frames_per_chunk=30)
    computer = Computer(OnArrays(NetworkModel(Network.from_nnet(nnet), 3)), options)
    items = feats(a=100, b=31, c=250, d=1)
    together = dict(computer.compute_many(Utterance(k, v) for k, v in items.items()))
    for key, value in items.items():
        assert np.allclose(together[key], computer.compute(value), atol=1e-5)


def random_recurrence(offsets: list[int]) -> Nnet:
    past = ", ".join(f"IfDefined(Offset(r, {o}))" for o in offsets)
    lines = [
        "input-node name=input dim=40",
        f"component name=w type=AffineComponent input-dim={40 + 4 * len(offsets)} output-dim=4",
        "component name=r type=TanhComponent dim=4",
        f"component-node name=w component=w input=Append(input, {past})",
        "component-node name=r component=r input=w",
        "output-node name=output input=r",
    ]
    return Nnet.from_config(lines)


@pytest.mark.parametrize("offsets", [[-1], [-3], [-2, -3], [2], [4, 6], [-5]])
@pytest.mark.parametrize("n, factor", [(1, 1), (2, 1), (7, 1), (4, 3)])
def test_recurrences_frame_by_frame(offsets: list[int], n: int, factor: int) -> None:
    """The loops over blocks, of the module and of the network made for computing, against the recursion itself."""
    nnet = random_recurrence(offsets)
    network = Network.from_nnet(nnet)
    left, right = 7, 5
    length = left + (n - 1) * factor + 1 + right
    x = RANDOM.normal(size=(length, 40)).astype(np.float32)
    weight, bias = nnet.components["w"].linear_params, nnet.components["w"].bias_params
    r: dict[int, np.ndarray] = {}
    times = range(length) if offsets[0] < 0 else range(length - 1, -1, -1)
    for t in times:
        spliced = np.concatenate([x[t], *(r.get(t + o, np.zeros(4)) for o in offsets)])
        r[t] = np.tanh(weight @ spliced + bias)
    import torch

    with torch.no_grad():
        y = network(torch.from_numpy(x)[None], factor=factor, left=left, num_outputs=n)[0].numpy()
        folded = NetworkModel(network, factor)(torch.from_numpy(x)[None].repeat(2, 1, 1), None, left, n).numpy()
    want = np.stack([r[left + i * factor] for i in range(n)])
    assert np.allclose(y, want, atol=1e-5)
    assert np.allclose(folded, want[None], atol=1e-5)
