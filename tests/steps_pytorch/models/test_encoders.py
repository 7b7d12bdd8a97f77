"""Conformers and wav2vec 2.0: torchaudio's outputs, times, weights, what makes no network, and bad weights.

torchaudio/outputs.pt was made by the models of torchaudio 2.11.0 with random parameters: of each its state_dict(), an
input and its output. (The package itself does not import beside PyTorch's builds without CUDA.)
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from nnet3_compat.export.tensor_files import load_tensors
from steps_pytorch.models.conformer import Conformer, ConformerOptions
from steps_pytorch.models.encoder import EncoderModel
from steps_pytorch.models.registry import build_model
from steps_pytorch.models.wav2vec2 import Wav2vec2, Wav2vec2Options
from steps_pytorch.registry import Dimensions

OUTPUTS = Path(__file__).parent / "torchaudio" / "outputs.pt"
CONFORMER = ConformerOptions(
    dim=8, num_layers=2, num_heads=2, ffn_dim=12, kernel_size=5, left_context=0, right_context=0
)
WAV2VEC2 = Wav2vec2Options(
    conv_layers="6:10:5 6:3:2 4:2:2", dim=8, num_layers=2, num_heads=2, ffn_dim=12, position_kernel=6, position_groups=2
)
LARGE = replace(WAV2VEC2, conv_norm="layer", conv_bias=True, num_layers=1, position_kernel=5, layer_norm_first=True)


@pytest.fixture(scope="module")
def outputs() -> dict[str, Any]:
    with open(OUTPUTS, "rb") as file:
        found: dict[str, Any] = load_tensors(file, str(OUTPUTS))
    return found


def as_float(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("conformer", CONFORMER),
        ("conformer_group_first", replace(CONFORMER, num_layers=1, norm="group", convolution_first=True)),
    ],
)
def test_conformers_are_torchaudios(name: str, options: ConformerOptions, outputs: dict[str, Any]) -> None:
    """To 1e-5; also in training mode without dropout, where attention is computed in another way."""
    found = outputs[name]
    encoder = Conformer(8, 1, replace(options, dropout=0.0)).eval()
    encoder.conformer_layers.load_state_dict(
        {k.removeprefix("conformer_layers."): v for k, v in as_float(found["state"]).items()}
    )
    encoder.subsampling = nn.Identity()
    torch.testing.assert_close(encoder(found["input"].float()), found["output"], rtol=1e-5, atol=1e-5)
    if options.norm == "group":
        torch.testing.assert_close(encoder.train()(found["input"].float()), found["output"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "options"), [("wav2vec2", WAV2VEC2), ("wav2vec2_large", LARGE)])
@pytest.mark.parametrize("old_names", [False, True])
def test_wav2vec2_is_torchaudios(
    name: str, options: Wav2vec2Options, old_names: bool, outputs: dict[str, Any], tmp_path: Path
) -> None:
    """To 1e-5; weights from a file, whose layer of outputs is left out; also with the names of old versions."""
    found = outputs[name]
    state = as_float(found["state"])
    assert "aux.weight" in state
    if old_names:
        for number, kind in enumerate("gv"):
            value = state.pop(f"encoder.transformer.pos_conv_embed.conv.parametrizations.weight.original{number}")
            state[f"encoder.transformer.pos_conv_embed.conv.weight_{kind}"] = value
    torch.save(state, tmp_path / "weights.pt")
    encoder = Wav2vec2(20, 1, replace(options, weights=str(tmp_path / "weights.pt"))).eval()
    torch.testing.assert_close(encoder.network(found["input"].float()), found["output"], rtol=1e-5, atol=1e-5)


SMALL = {
    "conformer": "--dim=8 --num-layers=1 --num-heads=2 --ffn-dim=8 --kernel-size=3",
    "wav2vec2": "--conv-layers='4:10:5 4:3:2 4:2:2' --dim=8 --num-layers=1 --num-heads=2 --ffn-dim=8 "
    "--position-kernel=3 --position-groups=2",
}


def build(name: str, options: str, dim: int, factor: int, ivector_dim: int = 0) -> EncoderModel:
    torch.manual_seed(0)
    model = build_model(
        name, shlex.split(f"{SMALL[name]} {options}"), Dimensions(dim, 7, ivector_dim, factor, xent=True)
    )
    assert isinstance(model, EncoderModel)
    return model.eval()


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("context", [0, 1, 10])
@pytest.mark.parametrize(("name", "dim"), [("conformer", 6), ("wav2vec2", 20), ("wav2vec2", 80), ("wav2vec2", 160)])
def test_outputs_are_of_the_middle_of_their_frames(name: str, dim: int, factor: int, context: int) -> None:
    """Of a network with nothing but the first convolutions, an output sees as much before its frame as after it.

    Of wav2vec2 to half a position: its convolutions step by 20 samples.
    """
    model = build(name, f"--left-context={context} --right-context={context}", dim, factor)
    encoder: Any = model.encoder
    assert context <= model.left_context < context + 2 * factor
    if name == "conformer":
        encoder.conformer_layers = nn.ModuleList()
    else:
        encoder.network.encoder = nn.Identity()
        encoder.network.feature_extractor.conv_layers[0].layer_norm = None
    frames = torch.randn(1, model.frames_in(4), dim, requires_grad=True)
    hidden = encoder(frames)
    assert hidden.shape[1] == 4
    for number in range(4):
        (gradient,) = torch.autograd.grad(hidden[0, number].sum(), frames, retain_graph=True)
        seen = (gradient[0].abs().sum(1) if name == "conformer" else gradient.flatten()).nonzero().flatten()
        place = model.left_context + number * factor
        middle = place if name == "conformer" else (place + 0.5) * dim - 0.5
        assert abs(float(seen.min() + seen.max()) / 2 - middle) <= (0 if name == "conformer" else 10)


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("conformer", "--num-heads=3", "multiple of --num-heads=3"),
        ("conformer", "--kernel-size=4", "odd"),
        ("conformer", "--num-layers=0", "num-layers=0 must be positive"),
        ("conformer", "--norm=layer", "batch or group"),
        ("conformer", "--left-context=-1", "must not be negative"),
        ("wav2vec2", "--conv-layers='4:10:5 4:3'", "4:3 is not channels:kernel:stride"),
        ("wav2vec2", "--conv-layers=''", "at least one"),
        ("wav2vec2", "--conv-layers='4:10:x'", "whole numbers"),
        ("wav2vec2", "--conv-layers='4:10:7'", "step 7 samples, which do not divide the 240 of an output frame"),
        ("wav2vec2", "--conv-norm=batch", "must be one of group, layer"),
        ("wav2vec2", "--position-groups=3", "multiple of --num-heads=2 and of --position-groups=3"),
        ("wav2vec2", "--dim=0", "--dim=0 must be positive"),
        ("wav2vec2", "--right-context=-2", "must not be negative"),
        ("wav2vec2", "--layer-drop=1", "layer-drop=1 must be at least 0 and less than 1"),
        ("wav2vec2", "--dropout=2", "model wav2vec2: dropout probability has to be between 0 and 1"),
    ],
)
def test_options_that_make_no_network(name: str, options: str, reason: str) -> None:
    with pytest.raises(KaldiError, match=reason):
        build(name, options, 80, 3)


def test_bad_weights_are_told(tmp_path: Path) -> None:
    """A missing file, one that is no file of tensors, code, no dictionary, and weights of another shape."""
    model = build("wav2vec2", "", 80, 3)
    other = build("wav2vec2", "--ffn-dim=16", 80, 3)
    network: Any = model.encoder
    torch.save(network.network.state_dict(), tmp_path / "good.pt")
    build("wav2vec2", f"--weights={tmp_path}/good.pt", 80, 3)
    torch.save(other.encoder, tmp_path / "code.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save({"a": 1}, tmp_path / "numbers.pt")
    (tmp_path / "text.pt").write_text("no tensors\n")
    wider: Any = other.encoder
    torch.save(wider.network.state_dict(), tmp_path / "wider.pt")
    for name, reason in (
        ("none.pt", "cannot read .*No such file"),
        ("code.pt", "broken, or no file of tensors"),
        ("text.pt", "text.pt"),
        ("list.pt", "has not the weights of this model"),
        ("numbers.pt", "has not the weights of this model"),
        ("wider.pt", "has not the weights of this model.*size mismatch"),
    ):
        with pytest.raises(KaldiError, match=reason):
            build("wav2vec2", f"--weights={tmp_path}/{name}", 80, 3)


def test_frozen_convolutions_stay() -> None:
    model = build("wav2vec2", "--freeze-convolutions=true", 80, 3).train()
    model(torch.randn(2, model.frames_in(3), 80)).output.sum().backward()
    without = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    convolutions = {n for n, _ in model.named_parameters() if ".feature_extractor." in n}
    assert convolutions and without == convolutions | {n for n, _ in model.named_parameters() if n.startswith("xent.")}


def test_samples_take_no_ivectors() -> None:
    with pytest.raises(KaldiError, match="takes no i-vectors"):
        build("wav2vec2", "", 80, 3, ivector_dim=5)
    model = build("conformer", "", 12, 3, ivector_dim=5)
    features, ivectors = torch.randn(2, model.frames_in(3), 12), torch.randn(2, 5)
    torch.testing.assert_close(model.to_archive()(features, ivectors), model(features, ivectors).output)
