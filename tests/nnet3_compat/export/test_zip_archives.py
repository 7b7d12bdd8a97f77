"""Which zip archives torch is let at."""

import io
import struct
import zipfile

import pytest
import torch

from kaldi_bridge.errors import KaldiError
from nnet3_compat.export.zip_archives import check_zip, packed


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


def test_archives_of_torch_and_others() -> None:
    saved = io.BytesIO()
    torch.save({"a": torch.ones(3)}, saved)  # with the longer records of large archives
    assert "archive/data.pkl" in check_zip(saved, "saved")
    assert check_zip(io.BytesIO(packed({"a": b"b"})), "packed") == ["a"]
