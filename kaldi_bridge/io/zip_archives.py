"""What torch writes lies in zip archives: their members' sizes are checked here before torch inflates one.

torch stores tensors as they are and compresses only source code, of which a model has some hundred kilobytes.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from typing import IO, Any

from kaldi_bridge.errors import KaldiError

ZIP_MAGIC = b"PK\x03\x04"
MAX_COMPRESSED = 1 << 26
"""Bytes that the compressed members of one archive may inflate to."""
_END, _END_64, _LOCATOR_64 = struct.Struct("<4s4H2IH"), struct.Struct("<4sQ2H2I4Q"), struct.Struct("<4sIQI")


def check_zip(file: IO[bytes], name: str) -> list[str]:
    """The names of the members. ``name``: what messages call the archive.

    Raises:
        KaldiError: no zip archive, or members that would take more memory than there can be need for.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except Exception as error:  # zipfile raises many kinds for a damaged file
        raise KaldiError(f"{name}: broken zip archive ({error or type(error).__name__})") from error
    if not _has_one_directory(file):
        raise KaldiError(f"{name}: broken zip archive (its directory is not where its end says)")
    total = 0
    for member in members:
        if member.compress_type == zipfile.ZIP_STORED:
            if member.file_size != member.compress_size:
                raise KaldiError(f"{name}: broken zip archive ({member.filename} has two different sizes)")
            continue
        total += member.file_size
        if total > MAX_COMPRESSED:
            raise KaldiError(
                f"{name}: {member.filename} in this zip archive would inflate from {member.compress_size} to "
                f"{member.file_size} bytes: torch writes no such member"
            )
    return [member.filename for member in members]


def _has_one_directory(file: IO[bytes]) -> bool:
    """Whether the directory ends where the record of the end begins, and all readers thus see the same one."""
    length = file.seek(0, os.SEEK_END)
    end = length - _END.size
    directory = _fields(file, end, _END, b"PK\x05\x06")
    if directory is None or directory[-1]:  # a comment, which torch's archives have not
        return False
    size, offset = directory[5:7]
    locator = _fields(file, end - _LOCATOR_64.size, _LOCATOR_64, b"PK\x06\x07")
    if locator is not None:
        end -= _LOCATOR_64.size + _END_64.size
        longer = _fields(file, end, _END_64, b"PK\x06\x06")
        if longer is None or locator[2] != end:
            return False
        size, offset = longer[8:10]
    return bool(offset + size == end)


def _fields(file: IO[bytes], position: int, record: struct.Struct, magic: bytes) -> tuple[Any, ...] | None:
    if position < 0:
        return None
    file.seek(position)
    fields = record.unpack(file.read(record.size))
    return fields if fields[0] == magic else None


def read_members(data: bytes, members: list[str], name: str) -> list[bytes]:
    """What members of an archive that was checked hold. Raises KaldiError where they are damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [archive.read(member) for member in members]
    except Exception as error:
        raise KaldiError(f"{name}: broken zip archive ({error or type(error).__name__})") from error


def packed(members: dict[str, bytes]) -> bytes:
    """An archive of these members and nothing else: readers of zip files do not agree where a strange one begins."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()
