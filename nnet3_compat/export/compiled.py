"""Programs compiled ahead of time: native code for this kind of processor, in an archive of AOTInductor's (.pt2).

    compiled = torch._inductor.aoti_load_package("final.pt2")
    output = compiled(features, ivector)

Loading one runs the machine code in it. Nothing can check that: such a file is to be trusted as a program is.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.zip_archives import check_zip
from nnet3_compat.export.description import Description
from nnet3_compat.export.program import MODEL, Program
from nnet3_compat.export.tensor_files import reason_of

LIBRARY = f"data/aotinductor/{MODEL}/"
MEMBERS = re.compile(
    rf"{LIBRARY}[\w.-]+|archive_format|archive_version|byteorder|version|\.data/\w+|\.format_version|extra/[\w.]+"
)


class Compiled:
    """Compiled code that is ready to compute; does what a Program does, on the device that it was made for."""

    def __init__(self, package: bytes, description: Description) -> None:
        """``package``: AOTInductor's archive, with or without extra files. Raises what torch raises."""
        self.description, self._package = description, package
        with tempfile.NamedTemporaryFile(suffix=".pt2") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file.write(package)
            file.flush()
            self._run: Any = torch._inductor.aoti_load_package(file.name)
        self.device = torch.device(self._run.get_metadata().get("AOTI_DEVICE_KEY", "cpu"))

    def __call__(self, features: Tensor, ivector: Tensor | None = None) -> Tensor:
        """[N, T, D], [N, K] -> [N, T_out, P]. Raises KaldiError where shapes do not fit."""
        self.description.check_shapes(features.shape, None if ivector is None else ivector.shape)
        features = features.contiguous()
        return self._run(features) if ivector is None else self._run(features, ivector.contiguous())

    def parameters(self) -> Iterator[Tensor]:
        """One tensor, which tells the device: the parameters themselves are within the library."""
        yield torch.empty(0, device=self.device)

    def to(self, device: torch.device | str) -> Compiled:
        """Raises KaldiError where it was made for another device."""
        if torch.device(device).type != self.device.type:
            raise KaldiError(f"this model was compiled for {self.device.type}; export it anew, or give --use-gpu=no")
        return self

    def archive(self, extra: dict[str, str]) -> bytes:
        """The zip archive; ``extra``: files beside the library."""
        from torch.export.pt2_archive._package import PT2ArchiveReader, PT2ArchiveWriter

        reader, out = PT2ArchiveReader(io.BytesIO(self._package)), io.BytesIO()
        with PT2ArchiveWriter(out) as writer:
            for record in reader.get_file_names():
                if record.startswith(LIBRARY):
                    writer.write_bytes(record, reader.read_bytes(record))
            for name, text in extra.items():
                writer.write_string(f"extra/{name}", text)
        return out.getvalue()


def compile_program(program: Program) -> Compiled:
    """Native code of a program, for its device and this machine's processor.

    Raises:
        KaldiError: with torch's reason, where it cannot be compiled; there may be no C++ compiler.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.pt2")
        try:
            with warnings.catch_warnings(), torch.no_grad():
                warnings.simplefilter("ignore")
                _give_sizes_to_scans(program.exported)
                torch._inductor.aoti_compile_and_package(program.exported, package_path=path)
            with open(path, "rb") as file:
                package = file.read()
        except Exception as error:  # of many kinds: of the compiler, of the program
            raise KaldiError(
                f"torch cannot compile this network (is there a C++ compiler?): {reason_of(error)}"
            ) from error
    return Compiled(package, program.description)


def _give_sizes_to_scans(exported: Any) -> None:
    """Makes the numbers of sequences and frames arguments of each scan that does not have them yet.

    torch's compiler makes a loop of a scan (decompose_scan_to_while_loop in _inductor/fx_passes/post_grad.py), which
    fills tensors whose sizes it looks for among the scan's arguments; torch.export leaves out what the step needs not.
    """
    module = exported.graph_module
    scans = module.graph.find_nodes(op="call_function", target=torch.ops.higher_order.scan)
    scans = [scan for scan in scans if not any(isinstance(x.meta["val"], torch.SymInt) for x in scan.args[3])]
    if not scans:
        return
    inputs = module.graph.find_nodes(op="placeholder")
    features = next(node for node in inputs if node.name == exported.graph_signature.user_inputs[0])
    sizes = []
    with module.graph.inserting_before(inputs[-1].next):
        for dim, size in enumerate(features.meta["val"].shape[:2]):
            sizes.append(module.graph.call_function(torch.ops.aten.sym_size.int, (features, dim)))
            sizes[-1].meta["val"] = size
    for scan in scans:
        name, first, blocks, others = scan.args
        scan.args = (name, first, blocks, (*others, *sizes))
        step = getattr(module, name.target)
        with step.graph.inserting_before(step.graph.find_nodes(op="placeholder")[-1].next):
            for size in sizes:
                step.graph.placeholder(f"unused_{size.name}").meta["val"] = size.meta["val"]
        step.recompile()
    module.recompile()


def load_compiled(data: bytes, description: Description, name: str) -> Compiled:
    """The library in an archive of ours. Raises KaldiError where there is none, or it cannot be loaded."""
    for member in check_zip(io.BytesIO(data), name):
        if not MEMBERS.fullmatch(member.partition("/")[2]):
            raise KaldiError(f"{name}: {member} has no place beside a compiled library, so it is not loaded")
    log.info(f"{name} is a compiled library: native code, which runs with all rights of this program")
    try:
        return Compiled(data, description)
    except Exception as error:  # torch raises many kinds for a damaged library
        raise KaldiError(f"{name}: torch cannot load this library ({reason_of(error)})") from error
