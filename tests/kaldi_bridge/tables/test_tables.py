"""Tables: reading in order, by key, writing, and what is an error (util/kaldi-table.h)."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import decode
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import (
    COMPRESSED_MATRIX,
    DOUBLE_MATRIX,
    FLOAT_MATRIX,
    FLOAT_VECTOR,
    INT32,
    TOKEN,
    TOKEN_VECTOR,
    compressed_matrix,
)

MATRICES = {key: np.arange(i, i + 12, dtype=np.float32).reshape(4, 3) for i, key in enumerate("abcde")}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("ark,scp:m.ark,m.scp", MATRICES)
    write("ark,t:m.txt", MATRICES)
    return tmp_path


def write(wspecifier, values, holder=FLOAT_MATRIX):
    with TableWriter(wspecifier, holder) as writer:
        for key, value in values.items():
            writer.write(key, value)


def read(rspecifier, holder=FLOAT_MATRIX):
    with SequentialReader(rspecifier, holder) as reader:
        return dict(reader)


def same(left, right):
    return list(left) == list(right) and all(np.array_equal(left[key], right[key]) for key in left)


@pytest.mark.parametrize(
    "rspecifier",
    ["ark:m.ark", "ark,t:m.txt", "scp:m.scp", "ark:cat m.ark |", "scp:cat m.scp |", "ark,bg:m.ark", "scp,bg:m.scp"]
    + ["ark,s,cs:m.ark", "b,p,o,ns,no,np,ncs,ark:m.ark", "ark:<(true) cat m.txt|"][:2],
)
def test_sequential(folder, rspecifier):
    assert same(read(rspecifier), MATRICES)


def test_stopping_early_and_iterating_without_with(folder):
    for rspecifier in ("ark:yes 'a [ 1 ]' |", "ark,bg:yes 'a [ 1 ]' |", "scp:m.scp"):
        with SequentialReader(rspecifier, FLOAT_MATRIX) as reader:
            assert next(reader)[0] == "a"
        assert next(reader, None) is None
    assert [key for key, _ in SequentialReader("ark:m.ark", FLOAT_MATRIX)] == list("abcde")


def test_what_ends_early_does_not_wait_for_a_silent_pipe(folder):
    """Nor does the program, whose thread still reads."""
    program = """
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
with SequentialReader("ark,bg:cat m.ark; exec sleep 60 |", FLOAT_MATRIX) as reader:
    for _ in range(5):
        next(reader)
    raise SystemExit(3)
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=30).returncode == 3


@pytest.mark.parametrize(
    "rspecifier",
    [
        "ark:m.ark",
        "ark,o:m.ark",
        "ark,s:m.ark",
        "ark,s,cs:m.ark",
        "ark,s,cs,o:m.ark",
        "scp:m.scp",
        "scp,s:m.scp",
        "scp,p:m.scp",
    ]
    + ["ark:cat m.ark |", "ark,cs:m.txt"],
)
def test_random_access(folder, rspecifier):
    with RandomAccessReader(rspecifier, FLOAT_MATRIX) as reader:
        assert "0" not in reader
        assert "b" in reader and np.array_equal(reader["b"], MATRICES["b"])
        assert "bb" not in reader
        assert np.array_equal(reader["d"], MATRICES["d"])
        assert "x" not in reader and reader.get("x", 3) == 3
        with pytest.raises(KaldiError, match="No object for key y in"):
            reader["y"]
        with pytest.raises(KaldiError, match="Invalid key"):
            reader["a b"]
    with RandomAccessReader(rspecifier, FLOAT_MATRIX) as reader:
        assert np.array_equal(reader["c"], MATRICES["c"])
        if ",cs" not in rspecifier or "s,cs" not in rspecifier:
            assert np.array_equal(reader["a"], MATRICES["a"])


def test_promises_are_checked(folder):
    write("ark:unsorted.ark", {key: MATRICES[key] for key in "acb"})
    with (
        pytest.raises(KaldiError, match="c is followed by b"),
        RandomAccessReader("ark,s:unsorted.ark", FLOAT_MATRIX) as r,
    ):
        "x" in r  # noqa: B015
    with (
        pytest.raises(KaldiError, match="c is followed by b"),
        RandomAccessReader("ark,s,cs:unsorted.ark", FLOAT_MATRIX) as r,
    ):
        "x" in r  # noqa: B015
    with pytest.raises(KaldiError, match="asked for in order"), RandomAccessReader("ark,s,cs:m.ark", FLOAT_MATRIX) as r:
        r["c"], r["b"]
    with pytest.raises(KaldiError, match="asked for once"), RandomAccessReader("ark,o:m.ark", FLOAT_MATRIX) as r:
        r["c"], r["c"]
    (folder / "unsorted.scp").write_text("b m.ark:2\na m.ark:2\n")
    with pytest.raises(KaldiError, match="not sorted"):
        RandomAccessReader("scp,s:unsorted.scp", FLOAT_MATRIX)
    assert "a" in RandomAccessReader("scp:unsorted.scp", FLOAT_MATRIX)
    (folder / "twice.txt").write_text("a [ 1 ]\na [ 2 ]\n")
    with pytest.raises(KaldiError, match="Duplicate key a"), RandomAccessReader("ark:twice.txt", FLOAT_MATRIX) as r:
        "x" in r  # noqa: B015
    (folder / "twice.scp").write_text("a m.ark:2\na m.ark:2\n")
    with pytest.raises(KaldiError, match="duplicate key a"):
        RandomAccessReader("scp:twice.scp", FLOAT_MATRIX)


def test_s_cs_and_o_keep_little_in_memory(tmp_path):
    def peak(rspecifier):
        reader = RandomAccessReader(rspecifier, FLOAT_MATRIX)
        for i in range(50):
            assert f"{i:03}" in reader and reader[f"{i:03}"].shape == (10, 10)
        table = reader._table
        return len(getattr(table, "_seen", ()))

    path = tmp_path / "x.ark"
    write(f"ark:{path}", {f"{i:03}": np.zeros((10, 10), np.float32) for i in range(50)})
    assert peak(f"ark:{path}") == 50
    assert peak(f"ark,o:{path}") == 0
    assert peak(f"ark,s,cs:{path}") == 0


def test_speakers(folder):
    (folder / "utt2spk").write_text("u1 a\nu2 a\nu3 b\nu4 nobody\n")
    with RandomAccessReader("ark:m.ark", FLOAT_MATRIX, utt2spk="ark:utt2spk") as reader:
        assert np.array_equal(reader["u1"], MATRICES["a"]) and np.array_equal(reader["u2"], MATRICES["a"])
        assert "u3" in reader and "u4" not in reader
        with pytest.raises(KaldiError, match="u5 is not in the map"):
            "u5" in reader  # noqa: B015


@pytest.mark.parametrize(
    ("text", "slices"),
    [
        ("0:1", np.s_[0:2]),
        ("2:5", np.s_[2:4]),
        (":,1:2", np.s_[:, 1:3]),
        ("1:2,0:0", np.s_[1:3, 0:1]),
        (":", np.s_[:]),
        (":,:", np.s_[:]),
    ],
)
def test_ranges(folder, text, slices):
    (folder / "r.scp").write_text(f"x m.ark:2[{text}]\ny m.ark:2[0:0]\nz m.ark:2\n")
    expected = {"x": MATRICES["a"][slices], "y": MATRICES["a"][:1], "z": MATRICES["a"]}
    assert same(read("scp:r.scp"), expected)
    with RandomAccessReader("scp:r.scp", FLOAT_MATRIX) as reader:
        for key in "yxz":
            assert np.array_equal(reader[key], expected[key])


@pytest.mark.parametrize(
    "text", ["", "1", "3:2", "0:7", "-1:2", "a:b", ":,0:3", "0:1,0:1,0:1", ",", "0:1,", "4:5", "0::1", "[1:2"]
)
def test_bad_ranges(folder, text):
    (folder / "r.scp").write_text(f"x m.ark:2[{text}]\n")
    with pytest.raises(KaldiError):
        read("scp:r.scp")


def test_ranges_of_vectors_and_of_what_has_none(folder):
    write("ark:v.ark", {"a": np.arange(5, dtype=np.float32)}, FLOAT_VECTOR)
    write("ark:i.ark", {"a": 7}, INT32)
    (folder / "v.scp").write_text("a v.ark:2[1:3]\n")
    (folder / "i.scp").write_text("a i.ark:2[1:3]\n")
    assert read("scp:v.scp", FLOAT_VECTOR)["a"].tolist() == [1, 2, 3]
    with pytest.raises(KaldiError, match="no ranges"):
        read("scp:i.scp", INT32)


def test_script_files_name_anything(folder):
    (folder / "x.scp").write_text("a   m.ark:2\t\nb cat one.mat |\nc one.mat \r\n")
    (folder / "one.mat").write_bytes((folder / "m.ark").read_bytes()[2:65])
    values = read("scp:x.scp")
    assert list(values) == ["a", "b", "c"] and all(np.array_equal(v, MATRICES["a"]) for v in values.values())


@pytest.mark.parametrize("line", ["a", "", "  "])
def test_bad_script_files(folder, line):
    (folder / "x.scp").write_text(line + "\n")
    with pytest.raises(KaldiError, match="Line 1 of script file x.scp"):
        read("scp:x.scp")
    with pytest.raises(KaldiError):
        RandomAccessReader("scp:x.scp", FLOAT_MATRIX)
    (folder / "y.scp").write_text(f"a m.ark:2\n{line}\n")
    with pytest.raises(KaldiError, match="Line 2 of script file y.scp"):
        RandomAccessReader("scp:y.scp", FLOAT_MATRIX)
    with pytest.raises(KaldiError, match="is binary"):
        (folder / "x.scp").write_bytes(b"\0Bxx")
        read("scp:x.scp")


@pytest.mark.parametrize("line", ["", "  ", "a"])
@pytest.mark.parametrize("options", ["", ",p"])
def test_a_bad_line_ends_a_script_file(folder, capfd, line, options):
    """As in Kaldi, where a blank line at the end is common: no error when read in sequence, but a warning."""
    (folder / "x.scp").write_text(f"a m.ark:2\n{line}\nb m.ark:2\n")
    assert list(read(f"scp{options}:x.scp")) == ["a"]
    assert capfd.readouterr().err.endswith(
        f") We got an invalid line in the scp file. It should look like: some_key 1.ark:10, got: {line.rstrip()}\n"
    )


def test_what_is_missing(folder):
    (folder / "x.scp").write_text("a m.ark:2\nb no.ark:2\nc m.ark:2\n")
    with pytest.raises(KaldiError, match="Failed to load the object of key b: Error opening input no.ark:2"):
        read("scp:x.scp")
    assert list(read("scp,p:x.scp")) == ["a", "c"]
    with RandomAccessReader("scp:x.scp", FLOAT_MATRIX) as reader:
        assert "b" in reader  # as in Kaldi: it is listed
        with pytest.raises(KaldiError, match="no.ark"):
            reader["b"]
    with RandomAccessReader("scp,p:x.scp", FLOAT_MATRIX) as reader:
        assert "b" not in reader and "c" in reader


@pytest.mark.parametrize("cut", [1, 3, 8, 40, 100])
def test_truncated_archives(folder, cut):
    data = (folder / "m.ark").read_bytes()
    (folder / "cut.ark").write_bytes(data[:-cut])
    for rspecifier in ("ark:cut.ark", "ark:cat cut.ark |", "ark,bg:cut.ark"):
        with pytest.raises(KaldiError, match="cut.ark"):
            read(rspecifier)
    assert len(read("ark,p:cut.ark")) in (3, 4)
    with RandomAccessReader("ark:cut.ark", FLOAT_MATRIX) as reader, pytest.raises(KaldiError, match="cut.ark"):
        "x" in reader  # noqa: B015
    with RandomAccessReader("ark,p:cut.ark", FLOAT_MATRIX) as reader:
        assert "x" not in reader and "a" in reader


def test_a_failing_pipe_is_never_the_end_of_the_table(folder):
    for rspecifier in ("ark:cat m.ark; exit 2 |", "scp:cat m.scp; exit 2 |", "ark,bg:cat m.ark; exit 2 |"):
        with pytest.raises(KaldiError, match="status 2"):
            read(rspecifier)
    assert len(read("ark,p:cat m.ark; exit 2 |")) == 5
    with pytest.raises(KaldiError, match="status 2"), RandomAccessReader("ark:cat m.ark; exit 2 |", FLOAT_MATRIX) as r:
        "x" in r  # noqa: B015


def test_not_archives(folder):
    (folder / "x").write_bytes(b"abc")
    with pytest.raises(KaldiError, match="expected space after key 'abc'"):
        read("ark:x")
    for bad in ("x", "ark;x", "foo:x", "ark:no", "scp:no", "ark:| cat", "", "ark:m.ark "):
        with pytest.raises(KaldiError):
            SequentialReader(bad, FLOAT_MATRIX)
        with pytest.raises(KaldiError):
            RandomAccessReader(bad, FLOAT_MATRIX)


def test_an_empty_table(folder):
    (folder / "empty").write_bytes(b"")
    assert read("ark:empty") == {} and read("scp:empty") == {}
    assert "a" not in RandomAccessReader("ark:empty", FLOAT_MATRIX)


def test_archive_and_script_appear_together_or_not_at_all(folder):
    with pytest.raises(ZeroDivisionError), TableWriter("ark,scp:x.ark,x.scp", FLOAT_MATRIX) as writer:
        writer.write("a", MATRICES["a"])
        raise ZeroDivisionError
    with pytest.raises(KaldiError):
        TableWriter("ark,scp:x.ark,/no/such/dir/x.scp", FLOAT_MATRIX)
    with pytest.raises(KaldiError), TableWriter("ark,scp:x.ark,| exit 1", FLOAT_MATRIX):
        pass
    assert not [name for name in os.listdir(folder) if "x." in name]


def test_script_lines_point_at_the_objects(folder):
    lines = (folder / "m.scp").read_text().splitlines()
    assert lines[0] == "a m.ark:2" and len(lines) == 5
    data = (folder / "m.ark").read_bytes()
    for line in lines:
        offset = int(line.rpartition(":")[2])
        assert data[offset : offset + 5] == b"\0BFM "


def test_look_ups_of_matrices_of_any_length_and_form(tmp_path):
    """Short ones are read by one call, long ones and other forms step by step; in a file that is cut no differently."""
    random = np.random.default_rng(0)
    forms = [("ark", FLOAT_MATRIX), ("ark", DOUBLE_MATRIX), ("ark,t", FLOAT_MATRIX), ("ark", COMPRESSED_MATRIX)]
    expected, lines = {}, []
    for number, rows in enumerate([1, 50, 50, 3000, 9000, 2, 60, 40]):
        options, holder = forms[number % 4] if number > 3 else forms[0]
        with TableWriter(f"{options},scp:{tmp_path}/one,{tmp_path}/scp", holder) as writer:
            writer.write(f"u{number}", random.normal(size=(rows, 7)).astype(np.float32))
        with open(tmp_path / "all", "ab") as archive:
            start = archive.tell()
            archive.write((tmp_path / "one").read_bytes())
        lines.append(f"u{number} {tmp_path}/all:{start + len(f'u{number} ')}\n")
        expected |= SequentialReader(f"ark:{tmp_path}/one", FLOAT_MATRIX)
    (tmp_path / "scp").write_text("".join(lines))
    reader = RandomAccessReader(f"scp:{tmp_path}/scp", FLOAT_MATRIX)
    for key in random.choice(list(expected), 60):
        assert np.array_equal(reader[key], expected[key]) and reader[key].dtype == np.float32
    size = (tmp_path / "all").stat().st_size
    os.truncate(tmp_path / "all", size - 5)
    with pytest.raises(KaldiError, match="Failed to load the object of key u7: .*all.* at byte .*truncated"):
        reader["u7"]


def test_archives_of_matrices_of_any_length_and_form(tmp_path, monkeypatch):
    """Long ones of a file are read without a buffer, from one to the next; others between them as ever."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(4)
    made = {}
    with open("m.ark", "wb") as out:
        for i, rows in enumerate([600, 900, 2, 700, 0, 1500, 1500, 3, 800, 800, 40]):
            key = f"key{i}" + "-long" * 60 * (i == 8)
            made[key] = random.normal(size=(rows, 40 if rows else 0)).astype(np.float64 if i == 6 else np.float32)
            if i == 3:
                made[key] = np.arange(rows * 40, dtype=np.float32).reshape(-1, 40) % 255  # as compression 6 keeps them
            with TableWriter("ark:one", compressed_matrix(6) if i == 3 else FLOAT_MATRIX) as writer:
                writer.write(key, made[key])
            out.write((tmp_path / "one").read_bytes())
    for rspecifier in ("ark:m.ark", "ark:cat m.ark |"):
        with SequentialReader(rspecifier, FLOAT_MATRIX) as reader:
            found = list(reader)
        assert [key for key, _ in found] == list(made)
        for key, matrix in found:
            np.testing.assert_array_equal(matrix, made[key].astype(np.float32), err_msg=key)
            assert matrix.flags.writeable
    data = (tmp_path / "m.ark").read_bytes()
    for cut in (40 * 4 * 41, 40 * 4 * 900):
        (tmp_path / "cut.ark").write_bytes(data[:-cut])
        with pytest.raises(KaldiError, match="cut.ark"), SequentialReader("ark:cut.ark", FLOAT_MATRIX) as reader:
            list(reader)


def test_writing_through_a_script_file(folder):
    (folder / "w.scp").write_text("b b.mat\na a.mat\n")
    write("scp,t:w.scp", {"a": MATRICES["a"], "b": MATRICES["b"]})
    assert same(read("scp:w.scp"), {"b": MATRICES["b"], "a": MATRICES["a"]})
    with pytest.raises(KaldiError, match="no entry for key c"):
        write("scp:w.scp", {"c": MATRICES["c"]})
    write("scp,p:w.scp", {"c": MATRICES["c"]})


def test_bad_keys_and_wspecifiers(folder):
    for key in ("", "a b", "a\n"):
        with pytest.raises(KaldiError, match="cannot be a key"):
            write("ark:x", {key: MATRICES["a"]})
    for bad in ("x", "scp,ark:x,y", "ark,scp:x", "ark:x|", "ark:x:12", "scp:no", "ark,s:x"):
        with pytest.raises(KaldiError):
            TableWriter(bad, FLOAT_MATRIX)
    assert not os.path.exists("x")


def test_flushing(folder):
    os.mkfifo("fifo")
    descriptor = os.open("fifo", os.O_RDONLY | os.O_NONBLOCK)
    with TableWriter("ark,t,f:fifo", TOKEN) as writer:
        writer.write("a", "b")
        assert os.read(descriptor, 100) == b"a b\n"
    os.close(descriptor)


def test_writing_into_pipes(folder):
    write("ark:| cat > piped.ark", MATRICES)
    assert (folder / "piped.ark").read_bytes() == (folder / "m.ark").read_bytes()
    with pytest.raises(KaldiError, match="status 5"):
        write("ark:| cat >/dev/null; exit 5", MATRICES)


def test_keys_and_values_in_any_alphabet(folder):
    values = {"schön": ["日本", "naïve"], "z": []}
    write("ark:t.ark", values, TOKEN_VECTOR)
    assert (folder / "t.ark").read_text() == "schön 日本 naïve \nz \n"
    assert read("ark:t.ark", TOKEN_VECTOR) == values
    (folder / "latin").write_bytes(b"k\xe9y v\xe9\n")
    copy = read("ark:latin", TOKEN)
    write("ark:copy", copy, TOKEN)
    assert (folder / "copy").read_bytes() == b"k\xe9y v\xe9\n"


@pytest.mark.parametrize("name", ["caf\udce9.ark", "caf\u00e9.ark", "two words.ark", "\u00a0.ark", "a\r\x85b.ark"])
def test_a_script_file_names_its_archive_whatever_the_name(folder, name):
    write(f"ark,scp:{name},new.scp", MATRICES)
    assert same(read("scp:new.scp"), MATRICES)
    assert (folder / name).exists()


def test_an_archive_that_no_script_file_can_name(folder):
    with pytest.raises(KaldiError, match=r"new\\nname.*cannot name the archive, which has a newline"):
        write("ark,scp:new\nname.ark,new.scp", MATRICES)
    assert not [file for file in folder.iterdir() if file.name.startswith("new")]


def test_keys_are_sorted_by_their_bytes(folder):
    """Byte 80 alone comes before the two bytes of é, which as characters come in the other order."""
    values = {decode(key): n for n, key in enumerate((b"\x80", b"\xc3\xa9", b"\xe9"))}
    write("ark,scp:n.ark,n.scp", values, INT32)
    for rspecifier in ("ark,s,cs:n.ark", "ark,s:n.ark", "scp,s:n.scp"):
        with RandomAccessReader(rspecifier, INT32) as reader:
            assert [reader[key] for key in values] == [0, 1, 2]


def test_bytes_of_a_damaged_archive_are_escaped_and_cut(folder):
    data = (folder / "m.ark").read_bytes()
    second = data.index(b"b \0BFM ")
    for damage in (b"\x1b[31m\x07\xff" + b"\x9b" * 300 + b" \0BFM", b"\x1b\xe9\x00" * 100 + b"\r"):
        (folder / "bad.ark").write_bytes(data[:second] + damage + data[second:])
        with pytest.raises(KaldiError) as caught:
            read("ark:bad.ark")
        assert str(caught.value).isprintable() and len(str(caught.value)) < 300
        assert r"'\x1b" in str(caught.value)
