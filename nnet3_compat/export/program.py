"""Networks and users' modules as ``torch.export`` programs: archives (.pt2) that outlive TorchScript.

    program = torch.export.load("final.pt2").module()
    output = program(features, ivector)  # [N, T, D], [N, K] where it takes one -> [N, T_out, P], valid frames only

The description and the transition model lie in the archive's ``extra/`` as in a TorchScript archive, the latter as
base64, since torch takes text only. What is loaded has been looked at first: see program_check.py.
"""

from __future__ import annotations

import inspect
import io
import json
import re
import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx.experimental import _config as export_settings

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.zip_archives import check_zip, packed, read_members
from nnet3_compat.export.description import Description
from nnet3_compat.export.program_check import check_members, check_program, check_sample_inputs, check_weights
from nnet3_compat.export.tensor_files import reason_of

MODEL = "model"
TENSOR = re.compile(r"(weight|tensor)_\d+")
MAX_SEQUENCES, MAX_FRAMES = 1 << 20, 1 << 24


class Program:
    """A program that is ready to compute; does what a scripted module does.

    Attributes:
        exported: torch.export.ExportedProgram.
    """

    def __init__(self, exported: Any, description: Description) -> None:
        self.exported, self.description = exported, description
        self._module = exported.module(check_guards=False)

    def __call__(self, features: Tensor, ivector: Tensor | None = None) -> Tensor:
        """[N, T, D], [N, K] -> [N, T_out, P]. Raises KaldiError where shapes do not fit."""
        self.description.check_shapes(features.shape, None if ivector is None else ivector.shape)
        return self._module(features) if ivector is None else self._module(features, ivector)

    def parameters(self) -> Any:
        return self._module.parameters()

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by name."""
        return dict(self.exported.state_dict)

    def to(self, device: torch.device | str) -> Program:
        """Moves the program, the devices that it names included."""
        from torch.export.passes import move_to_device_pass

        self.exported = move_to_device_pass(self.exported, torch.device(device))
        self._module = self.exported.module(check_guards=False)
        return self

    def archive(self, extra: dict[str, str]) -> bytes:
        """The zip archive; ``extra``: files beside the program."""
        return package({MODEL: self.exported}, extra)


def package(programs: dict[str, Any], extra: dict[str, str]) -> bytes:
    """The zip archive of exported programs by name; ``extra``: files beside them."""
    from torch.export.pt2_archive._package import package_pt2

    for exported in programs.values():
        for key, tensor in exported.state_dict.items():
            if not tensor.numel():  # torch cannot write those with an address, as NumPy gives them
                exported.state_dict[key] = tensor.new_empty(tensor.shape)
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package_pt2(out, exported_programs=programs, extra_files=extra)
    return _tidied(out.getvalue())


def export_module(module: nn.Module, description: Description) -> Program:
    """A module from ``features`` and, where the description says so, ``ivector``, for any N and any T that is enough.

    Raises:
        KaldiError: with torch's reason, where it cannot be exported.
    """
    d = description
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    inputs = [torch.randn(2, d.frames_in(d.num_outputs or 7), d.input_dim, device=device)]
    if d.ivector_dim:
        inputs.append(torch.randn(2, d.ivector_dim, device=device))
    return Program(trace(module, inputs, 0 if d.num_outputs else d.frames_in(1)), d)


def trace(module: nn.Module, inputs: list[Tensor], least_frames: int) -> Any:
    """The exported program of a module, for any number of sequences, of which all ``inputs`` have an example each.

    Args:
        least_frames: as few frames as the first input may have; 0: always as many as here.

    Raises:
        KaldiError: with torch's reason, where it cannot be exported.
    """
    sequences = torch.export.Dim("N", min=1, max=MAX_SEQUENCES)
    shapes: list[dict[int, Any]] = [{0: sequences} for _ in inputs]
    if least_frames:
        shapes[0][1] = torch.export.Dim("T", min=least_frames, max=MAX_FRAMES)
    parameters = inspect.signature(module.forward).parameters.values()
    dynamic: tuple[Any, ...] = tuple(shapes)
    if shapes[1:] and any(p.kind is p.VAR_POSITIONAL for p in parameters):  # one argument to torch
        dynamic = (shapes[0], tuple(shapes[1:]))
    module.eval()
    settings: Any = export_settings
    reason: Exception | None = None
    # With the setting torch makes no case of its own of one output frame, which without it some modules cannot have;
    # others then cannot have one sequence.
    for oblivious in (False, True):
        try:
            with warnings.catch_warnings(), torch.no_grad(), settings.patch(backed_size_oblivious=oblivious):
                warnings.simplefilter("ignore")
                return torch.export.export(module, tuple(inputs), dynamic_shapes=dynamic, strict=False)
        except Exception as error:  # several kinds, all about the module
            reason = reason or error
    assert reason is not None
    raise KaldiError(f"torch.export cannot export the module: {reason_of(reason)}") from reason


def _tidied(data: bytes) -> bytes:
    """The archive with each tensor once, and without what torch notes for debugging, which names files of this machine,
    and guards in Python."""
    from torch.export.pt2_archive._package import PT2ArchiveReader, PT2ArchiveWriter

    reader, out = PT2ArchiveReader(io.BytesIO(data)), io.BytesIO()
    records = {name: reader.read_bytes(name) for name in reader.get_file_names()}
    first: dict[tuple[str, bytes], str] = {}  # by folder and content
    instead: dict[str, str] = {}
    for name, content in records.items():
        folder, _, file = name.rpartition("/")
        if TENSOR.fullmatch(file):
            instead[name] = first.setdefault((folder, content), file)
    with PT2ArchiveWriter(out) as writer:
        for name, content in records.items():
            folder, _, file = name.rpartition("/")
            if name.startswith("models/"):
                program = json.loads(content)
                program["guards_code"] = []
                _clear(program)
                content = json.dumps(program).encode("ascii")
            elif file.endswith("_config.json"):
                config = json.loads(content)
                for entry in config["config"].values():
                    entry["path_name"] = instead.get(f"{folder}/{entry['path_name']}", entry["path_name"])
                content = json.dumps(config).encode("ascii")
            own = name.startswith(".") or name in ("byteorder", "version")  # the writer's
            if not own and instead.get(name, file) == file:
                writer.write_bytes(name, content)
    return out.getvalue()


def _clear(found: Any) -> None:
    """Empties each ``metadata`` in a tree of JSON."""
    if isinstance(found, dict):
        if "metadata" in found:
            found["metadata"] = {}
        for value in found.values():
            _clear(value)
    elif isinstance(found, list):
        for value in found:
            _clear(value)


def load_programs(data: bytes, names: list[str], name: str) -> list[Any]:
    """The exported programs of these names, and no others, in an archive.

    Raises:
        KaldiError: it is none of ours, holds more than operations on tensors and numbers, or torch cannot load it.
    """
    from torch.export.pt2_archive._package import load_pt2

    members = check_zip(io.BytesIO(data), name)
    check_members(members, name)
    inner = [member.partition("/")[2] for member in members]
    programs = {member for member in inner if member.startswith("models/")}
    if len(set(inner)) != len(inner) or programs != {f"models/{each}.json" for each in names}:
        raise KaldiError(f"{name}: no torch.export program of nnet-pytorch's")
    contents = read_members(data, members, name)
    for kind, content in zip(inner, contents, strict=True):
        what = f"{name}: {kind}"
        if kind.endswith("_config.json"):
            check_weights(content, what)
        elif kind.startswith("models/"):
            check_program(content, what)
        elif kind.startswith("data/sample_inputs/"):
            check_sample_inputs(content, what)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = load_pt2(io.BytesIO(packed(dict(zip(members, contents, strict=True))))).exported_programs
        return [found[each] for each in names]
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise KaldiError(f"{name}: torch cannot load this program ({reason_of(error)})") from error


def load_program(data: bytes, description: Description, name: str) -> Program:
    """See load_programs."""
    (exported,) = load_programs(data, [MODEL], name)
    return Program(exported, description)
