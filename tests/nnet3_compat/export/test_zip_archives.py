"""Zip archives are looked at before torch is let at them: sizes of members, and that there is one directory."""

import io
import struct
import zipfile
from pathlib import Path

import pytest
import torch

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.archive_extras import DESCRIPTION
from kaldi_bridge.io.zip_archives import MAX_COMPRESSED, check_zip, packed
from nnet3_compat.export.description import Description
from nnet3_compat.export.tensor_files import load_tensors, reason_of
from nnet3_compat.export.torch_model_file import archive_from_bytes


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("name", ["x/extra/" + DESCRIPTION, "x/code/x.py", "x/data.pkl"])
def test_a_member_that_inflates_too_far(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused by what the archive's directory says, before torch or zipfile reads it."""
    data = archive({"x/extra/" + DESCRIPTION: b"{}"} | {name: bytes(MAX_COMPRESSED + 1)})
    assert len(data) < 1 << 20
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("was read"))
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("was read"))
    for load in (archive_from_bytes, lambda data, name: load_tensors(io.BytesIO(data), name)):
        with pytest.raises(KaldiError, match=f"^big.mdl: {name} in this zip archive would inflate from [0-9]+ to "):
            load(data, "big.mdl")


def test_small_members_add_up() -> None:
    half = bytes(MAX_COMPRESSED // 2 + 1)
    with pytest.raises(KaldiError, match="would inflate"):
        check_zip(io.BytesIO(archive({"a": half, "b": half})), "big")
    assert check_zip(io.BytesIO(archive({"a": half, "b": half}, zipfile.ZIP_STORED)), "stored") == ["a", "b"]


def test_a_stored_member_with_two_sizes() -> None:
    data = bytearray(archive({"a": b"12345678"}, zipfile.ZIP_STORED))
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 1 << 30)  # the uncompressed size in the directory
    with pytest.raises(KaldiError, match="a has two different sizes"):
        check_zip(io.BytesIO(data), "x")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no zip at all"])
def test_no_archive(data: bytes) -> None:
    with pytest.raises(KaldiError, match=r"^x: broken zip archive \(.+\)"):
        check_zip(io.BytesIO(data), "x")


def parts_of(archive: bytes) -> tuple[bytes, bytes, bytes]:
    """Its members, its directory, and the record of its end."""
    end = archive.rindex(b"PK\x05\x06")
    size, offset = struct.unpack("<II", archive[end + 12 : end + 20])
    return archive[:offset], archive[offset : offset + size], archive[end:]


def two_in_one(first: dict[str, bytes], second: dict[str, bytes]) -> bytes:
    """zipfile reads the second directory, right before the end; others the first, at the offset that the end tells."""
    members, directory, _ = parts_of(packed(first))
    other_members, other_directory, end = parts_of(packed(second))
    assert len(directory) == len(other_directory)
    end = end[:16] + struct.pack("<I", len(members)) + end[20:]
    return members + directory + other_members + other_directory + end


def test_all_readers_see_the_same_archive() -> None:
    made = two_in_one({"model.json": b"bad"}, {"model.json": b"good"})
    assert zipfile.ZipFile(io.BytesIO(made)).namelist() == ["model.json"]
    with pytest.raises(KaldiError, match=r"x.pt2: broken zip archive \(its directory is not where its end says\)"):
        check_zip(io.BytesIO(made), "x.pt2")
    with pytest.raises(KaldiError, match="directory"):
        check_zip(io.BytesIO(b"PK" + packed({"a": b"b"})), "x.pt2")


def test_what_torch_writes_passes(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1000), "b": 1}, tmp_path / "x.pt")
    with open(tmp_path / "x.pt", "rb") as file:
        assert load_tensors(file, "x.pt")["b"] == 1


def test_nothing_is_executed_and_the_reason_is_told(tmp_path: Path) -> None:
    torch.save({"a": Path("x")}, tmp_path / "x.pt")
    with open(tmp_path / "x.pt", "rb") as file, pytest.raises(KaldiError, match=r"^x.pt is broken, or .* \(.+\)"):
        load_tensors(file, "x.pt")


def test_models_are_told(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), tmp_path / "x.pt")
    for data, what in (((tmp_path / "x.pt").read_bytes(), "TorchScript"), (b"\0B<TransitionModel> ", "of Kaldi's")):
        with pytest.raises(KaldiError, match=f"^x.pt is .*{what}.* no file of tensors"):
            load_tensors(io.BytesIO(data), "x.pt", old=True)


def test_reasons() -> None:
    assert reason_of(RuntimeError("\n\nUnknown builtin op: x.\nMore")) == "Unknown builtin op: x."
    assert reason_of(EOFError()) == "EOFError"


def test_torchscript_says_why(tmp_path: Path) -> None:
    """An archive with our description and nothing else."""
    description = Description(input_dim=1, output_dim=1).to_json().encode()
    data = archive({"x/extra/" + DESCRIPTION: description}, zipfile.ZIP_STORED)
    with pytest.raises(KaldiError, match=r"^some.mdl: TorchScript cannot load this archive \(.+\)"):
        archive_from_bytes(data, "some.mdl")
