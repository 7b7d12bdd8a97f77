"""Kaldi's training examples: back byte for byte, by hand, and never trusted."""

import contextlib
import filecmp
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kaldi_bridge.examples.chain_examples
import kaldi_bridge.examples.frame_examples
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.buffer import shift_times
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE, RAW_CHAIN_EXAMPLE, ChainExample, ChainOutput
from kaldi_bridge.examples.frame_examples import EXAMPLE, RAW_EXAMPLE, NnetExample, NnetIo, read_indexes, write_indexes
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.io.sparse import SparseMatrix
from kaldi_bridge.io.streams import InputStream, open_output
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import ObjectHolder


def chain_example() -> ChainExample:
    """Two sequences of two frames with three pdfs."""
    fst = Fst.from_arcs(
        0, {4: 0.0}, [(0, 1, 1, 0.0, 1), (0, 2, 2, 0.5, 1), (1, 3, 3, 0.0, 2), (2, 1, 1, 0.0, 3), (3, 1, 1, 0.0, 4)]
    )
    indexes = np.array([(n, t, 0) for t in (0, 3) for n in (0, 1)], np.int32)
    features = np.arange(16, dtype=np.float32).reshape(8, 2)
    inputs = [NnetIo("input", np.array([(n, t, 0) for n in (0, 1) for t in range(4)], np.int32), features)]
    supervision = Supervision(1.0, 2, 2, 3, fst)
    return ChainExample(inputs, [ChainOutput("output", indexes, supervision, np.ones(4, np.float32))])


def example() -> NnetExample:
    targets = SparseMatrix.from_rows([(np.array([1], np.int32), np.array([1.0], np.float32))] * 3, 5)
    indexes = np.array([(0, t, 0) for t in range(3)], np.int32)
    features = np.arange(12, dtype=np.float32).reshape(6, 2)
    return NnetExample(
        [
            NnetIo("input", np.array([(0, t, 0) for t in range(-2, 4)], np.int32), features),
            NnetIo("output", indexes, targets),
        ]
    )


def written(holder: ObjectHolder, value: object, path: Path, binary: bool) -> bytes:
    with open_output(str(path)) as stream:
        holder.write(stream, binary, value)
    return path.read_bytes()


def test_kaldis_examples_round_trip(reference: Path, tmp_path: Path) -> None:
    paths = sorted(reference.rglob("*.cegs"))
    assert len(paths) >= 5
    for path in paths:
        with (
            SequentialReader(f"ark:{path}", CHAIN_EXAMPLE) as examples,
            TableWriter(f"ark:{tmp_path}/again", CHAIN_EXAMPLE) as writer,
        ):
            for key, value in examples:
                writer.write(key, value)
        assert (tmp_path / "again").read_bytes() == path.read_bytes(), path


def test_what_an_example_holds(reference: Path) -> None:
    with SequentialReader(f"ark:{reference}/one_step/one.cegs", CHAIN_EXAMPLE) as examples:
        [(key, value)] = list(examples)
    assert key == "merged-0-8"
    [output] = value.outputs
    supervision = output.supervision
    assert (supervision.num_sequences, supervision.frames_per_sequence, supervision.label_dim) == (8, 47, 72)
    assert output.indexes[:9].tolist() == [[n, 0, 0] for n in range(8)] + [[0, 3, 0]]
    assert [part.name for part in value.inputs] == ["input", "ivector"]
    assert supervision.fst is not None
    assert supervision.fst.num_states == 734


@pytest.mark.parametrize("binary", [True, False])
def test_both_forms(tmp_path: Path, binary: bool) -> None:
    for holder, value in ((CHAIN_EXAMPLE, chain_example()), (EXAMPLE, example())):
        data = written(holder, value, tmp_path / "1", binary)
        again = holder.read(InputStream.from_bytes(data))
        assert written(holder, again, tmp_path / "2", binary) == data


def test_derivative_weights_of_older_examples(tmp_path: Path) -> None:
    data = written(CHAIN_EXAMPLE, chain_example(), tmp_path / "1", True)
    at = data.index(b"<DW2> ")
    older = data[:at] + b"<DW> \1\4\0\0\0\xff\x7f\0\xff" + data[data.index(b"</NnetChainSup>") :]
    again = CHAIN_EXAMPLE.read(InputStream.from_bytes(older))
    assert np.allclose(again.outputs[0].deriv_weights, [1.0, 127 / 255, 0.0, 1.0])


INDEX = st.tuples(st.integers(-3, 300), st.integers(-(2**31), 2**31 - 1) | st.integers(-300, 300), st.integers(0, 2))


@given(st.lists(INDEX, max_size=30), st.booleans())
def test_any_indexes(rows: list[tuple[int, int, int]], binary: bool) -> None:
    import io

    indexes = np.array(rows, np.int32).reshape(len(rows), 3)
    sink = io.BytesIO()
    write_indexes(sink, binary, indexes)
    stream = InputStream.from_bytes(sink.getvalue())
    assert np.array_equal(read_indexes(stream, binary), indexes)
    assert stream.at_end() or not binary


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"<Nnet3ChainEg>", b"<Nnet3Eg>", "Nnet3ChainEg"),
        (b"<NumSequences> \4\2", b"<NumSequences> \4\0", "NumSequences"),
        (b"<NumSequences> \4\2", b"<NumSequences> \4\3", "6 frames"),
        (b"<LabelDim> \4\3", b"<LabelDim> \4\2", "label 3"),
        (b"<NumInputs> \4\1\0\0\0", b"<NumInputs> \4\1\0\0\x7f", "inputs or outputs"),
        (b"<I1V> \4\x08\0\0\0", b"<I1V> \4\x08\0\0\x7f", "indexes"),
        (b"<I1V> \4\x08\0\0\0", b"<I1V> \4\x07\0\0\0", "matrix"),
    ],
)
def test_impossible_examples(tmp_path: Path, old: bytes, new: bytes, what: str) -> None:
    data = written(CHAIN_EXAMPLE, chain_example(), tmp_path / "1", True)
    assert old in data
    with pytest.raises(KaldiError, match=what):
        CHAIN_EXAMPLE.read(InputStream.from_bytes(data.replace(old, new, 1), "egs"))


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_damaged_examples_are_errors(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("egs")
    original = written(CHAIN_EXAMPLE, chain_example(), folder / "1", data.draw(st.booleans()))
    damaged = bytearray(original[: data.draw(st.integers(1, len(original)))])
    for _ in range(data.draw(st.integers(0, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        CHAIN_EXAMPLE.read(InputStream.from_bytes(bytes(damaged), "damaged"))
    except KaldiError as error:
        assert "damaged" in str(error)


def merged_example() -> ChainExample:
    """Two flat-start sequences, features in every form, an alignment."""
    fsts = [Fst.from_arcs(0, {1: 0.5}, [(0, 2, 2, 0.25, 0), (0, 1, 1, 0.0, 1)]) for _ in range(2)]
    rows = np.array([(n, t, 0) for n in (0, 1) for t in range(-150, 150)], np.int32)
    features = np.random.default_rng(0).standard_normal((600, 3), np.float32)
    inputs = [
        NnetIo(f"input{i}", rows, CompressedMatrix.compress(features, method)) for i, method in enumerate((2, 3, 5))
    ]
    times = np.array([(n, t, 0) for t in (0, 300) for n in (0, 1)], np.int32)
    supervision = Supervision(0.5, 2, 2, 3, None, fsts, [2, 0, 1])
    return ChainExample(inputs, [ChainOutput("output", times, supervision, np.zeros(0, np.float32))])


HOLDERS = [(CHAIN_EXAMPLE, RAW_CHAIN_EXAMPLE), (EXAMPLE, RAW_EXAMPLE)]
EXAMPLES = [(chain_example, *HOLDERS[0]), (merged_example, *HOLDERS[0]), (example, *HOLDERS[1])]


def test_raw_examples_are_the_same_bytes(reference: Path, tmp_path: Path) -> None:
    for path in [*reference.rglob("*.cegs"), *reference.rglob("cegs.1.ark")]:
        with (
            SequentialReader(f"ark:{path}", RAW_CHAIN_EXAMPLE) as examples,
            TableWriter(f"ark:{tmp_path}/again", RAW_CHAIN_EXAMPLE) as writer,
        ):
            for key, value in examples:
                assert isinstance(value, bytes)
                writer.write(key, value)
        assert filecmp.cmp(tmp_path / "again", path, shallow=False), path


@pytest.mark.parametrize(("make", "holder", "raw"), EXAMPLES)
def test_raw_examples_in_other_forms(tmp_path: Path, make: Any, holder: Any, raw: Any) -> None:
    """Text becomes bytes, and bytes text."""
    binary = written(holder, make(), tmp_path / "1", True)
    text = written(holder, make(), tmp_path / "1", False)
    assert raw.read(InputStream.from_bytes(binary)) == binary
    assert written(raw, binary, tmp_path / "2", False) == text
    from_text = raw.read(InputStream.from_bytes(text))
    assert written(raw, from_text, tmp_path / "2", False) == text
    assert written(raw, binary, tmp_path / "2", True) == binary
    with pytest.raises(KaldiError, match="no ranges"):
        raw.extract_range(binary, "0:1")


@pytest.mark.parametrize(("make", "holder", "raw"), EXAMPLES)
def test_both_readers_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, holder: Any, raw: Any
) -> None:
    """What C++ reads is written back alike, and so is what Python reads."""
    data = written(holder, make(), tmp_path / "1", True)
    assert written(holder, holder.read(InputStream.from_bytes(data)), tmp_path / "2", True) == data
    for module in (kaldi_bridge.examples.frame_examples, kaldi_bridge.examples.inputs_and_outputs):
        monkeypatch.setattr(module, "take_parts", lambda stream, token: None)
    assert written(holder, holder.read(InputStream.from_bytes(data)), tmp_path / "3", True) == data


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_readers_agree_on_damage(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """What C++ takes for an example, Python does too, and finds the same in it; what it does not is an error."""
    make, holder, raw = data.draw(st.sampled_from(EXAMPLES))
    folder = tmp_path_factory.mktemp("egs")
    original = written(holder, make(), folder / "1", True)
    damaged = bytearray(original[: data.draw(st.sampled_from([len(original), *range(1, len(original), 7)]))])
    for _ in range(data.draw(st.integers(0, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    slow: Any = None
    with pytest.MonkeyPatch.context() as patch:
        for module in (kaldi_bridge.examples.frame_examples, kaldi_bridge.examples.inputs_and_outputs):
            patch.setattr(module, "take_parts", lambda stream, token: None)
        with contextlib.suppress(KaldiError):
            slow = holder.read(InputStream.from_bytes(bytes(damaged)))
    stream = InputStream.from_bytes(bytes(damaged), "damaged")
    try:
        found = raw.read(stream)
    except KaldiError as error:
        assert "damaged" in str(error) and slow is None
        return
    assert slow is not None
    fast = holder.read(InputStream.from_bytes(found))
    assert written(holder, fast, folder / "2", True) == written(holder, slow, folder / "3", True)


def test_examples_longer_than_the_buffer(tmp_path: Path) -> None:
    """Pieces arrive one after the other; a length that cannot be true takes no memory."""
    data = written(CHAIN_EXAMPLE, merged_example(), tmp_path / "1", True)
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb", 0) as sink, ThreadPoolExecutor(1) as pool:

        def feed() -> None:
            for i in range(0, len(data), 100):
                sink.write(data[i : i + 100])
            sink.close()

        pool.submit(feed)
        stream = InputStream(reader, "pipe")
        assert RAW_CHAIN_EXAMPLE.read(stream) == data
        assert stream.at_end()
    os.close(reader)
    at = data.index(b"CM ") + 11
    huge = data[:at] + b"\xff\xff\xff\x7f\xff\xff\xff\x7f" + data[at + 8 :]
    with pytest.raises(KaldiError, match="truncated"):
        RAW_CHAIN_EXAMPLE.read(InputStream.from_bytes(huge))


def test_properties_of_kaldis_acceptors(reference: Path) -> None:
    """What Kaldi's files say of their FSTs, found anew; and of cycles, by hand."""
    count = 0
    for path in [*reference.rglob("*.cegs"), *reference.rglob("cegs.1.ark")]:
        with SequentialReader(f"ark:{path}", CHAIN_EXAMPLE) as examples:
            for _, value in examples:
                fst = value.outputs[0].supervision.fst
                assert fst is not None and fst.header is not None
                found = _csrc.fst_properties(fst.start, fst.finals, fst.offsets, fst.arcs)
                assert found == fst.header.properties
                count += 1
    assert count > 900
    cyclic, initial_cyclic, accessible, coaccessible, weighted_cycles = 34, 36, 40, 42, 46  # the bits that say yes
    loops = Fst.from_arcs(0, {3: 0.0}, [(0, 1, 1, 0.0, 1), (1, 2, 2, 0.5, 2), (2, 1, 1, 0.0, 1), (4, 1, 1, 0.0, 3)])
    bits = _csrc.fst_properties(0, loops.finals, loops.offsets, loops.arcs)
    says = {bit: bool(bits >> bit & 1) for bit in (cyclic, initial_cyclic, accessible, coaccessible, weighted_cycles)}
    assert says == {
        cyclic: True, initial_cyclic: False, accessible: False, coaccessible: False, weighted_cycles: True
    }  # fmt: skip


def test_times_of_any_form_are_shifted(tmp_path: Path) -> None:
    """In text and in Kaldi's older form too; two outputs by two distances; all but the times stays."""
    value = chain_example()
    value.inputs.append(NnetIo("ivector", np.zeros((1, 3), np.int32), np.ones((1, 2), np.float32)))
    other = replace(value.outputs[0], name="output-2", indexes=value.outputs[0].indexes * np.int32([1, 4, 1]))
    value.outputs.append(other)
    for binary in (True, False):
        data = RAW_CHAIN_EXAMPLE.read(InputStream.from_bytes(written(CHAIN_EXAMPLE, value, tmp_path / "1", binary)))
        moved = RAW_CHAIN_EXAMPLE.example(shift_times(data, 7))
        assert (moved.inputs[0].indexes - value.inputs[0].indexes == [0, 7, 0]).all()
        assert (moved.inputs[1].indexes == 0).all()
        assert (moved.outputs[0].indexes - value.outputs[0].indexes == [0, 6, 0]).all()
        assert (moved.outputs[1].indexes - value.outputs[1].indexes == [0, 12, 0]).all()
        assert shift_times(shift_times(data, 200), -200) == shift_times(data, 0) == data
    frames = RAW_EXAMPLE.example(shift_times(RAW_EXAMPLE.data(example()), -3))
    assert frames.io[1].indexes[:, 1].tolist() == [-3, -2, -1]
    value.outputs[0].indexes[:, 1] = 0
    with pytest.raises(KaldiError, match="fewer than two frames"):
        shift_times(RAW_CHAIN_EXAMPLE.data(value), 1)
    with pytest.raises(KaldiError, match="no example"):
        shift_times(b"\0B", 1)
