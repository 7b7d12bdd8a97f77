"""What an ONNX file says about itself; nothing that is read from one is trusted."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.onnx_metadata import is_onnx, read_metadata

# ir_version 10, producer_name "p", an unknown float and double, then key "a" with "bc", and a key alone.
FILE = b"\x08\x0a\x12\x01p\x1d0123\x2101234567" + b"\x72\x07\x0a\x01a\x12\x02bc" + b"\x72\x03\x0a\x01k"


def test_metadata() -> None:
    assert is_onnx(FILE[:4]) and not is_onnx(b"\0B<T") and not is_onnx(b"PK\x03\x04") and not is_onnx(b"")
    assert read_metadata(FILE, "x") == {"a": b"bc", "k": b""}


def test_as_onnx_writes_it() -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.helper.make_model(onnx.helper.make_graph([], "g", [], []))
    onnx.helper.set_model_props(model, {"key": "value", "other": "x" * 1000})
    assert read_metadata(model.SerializeToString(), "x") == {"key": b"value", "other": b"x" * 1000}


@pytest.mark.parametrize(
    "data", [b"\x08", b"\x08\xff" + b"\xff" * 20, b"\x08\x0a\x72\x7fabc", b"\x08\x0a\x0b", FILE[:-1]]
)
def test_broken_files(data: bytes) -> None:
    with pytest.raises(KaldiError, match="x: no ONNX file, or a broken one"):
        read_metadata(data, "x")


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    with contextlib.suppress(KaldiError):
        read_metadata(FILE + data, "x")
