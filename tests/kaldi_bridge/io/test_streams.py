"""Opening every kind of extended filename; files appear whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.input_stream import BUFFER_SIZE, InputStream
from kaldi_bridge.io.streams import open_input, open_output

CONTENT = b"".join(b"line %d\n" % i for i in range(100_000))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(params=["file", "pipe", "memory", "fifo"])
def stream(request, file, tmp_path):
    if request.param == "memory":
        return InputStream.from_bytes(CONTENT)
    if request.param == "file":
        return open_input(str(file))
    if request.param == "pipe":
        return open_input(f"cat {file} |")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    threading.Thread(target=lambda: fifo.write_bytes(CONTENT), daemon=True).start()
    return open_input(str(fifo))


def test_reading(stream):
    with stream:
        assert stream.peek() == b"l" and stream.peek(4) == b"line" and stream.tell() == 0
        assert stream.read(5) == b"line "
        assert stream.readline() == b"0\n"
        assert stream.word() == b"line" and stream.peek() == b" "
        stream.skip_space()
        assert stream.word() == b"1"
        assert stream.tell() == 13
        stream.skip(1)
        target = np.empty(2 * BUFFER_SIZE + 5, np.uint8)
        stream.readinto(target)
        assert target.tobytes() == CONTENT[14 : 14 + len(target)]
        position = 14 + len(target)
        assert stream.tell() == position
        assert stream.read(BUFFER_SIZE + 1) == CONTENT[position : position + BUFFER_SIZE + 1]
        position += BUFFER_SIZE + 1
        assert not stream.at_end()
        rest = len(CONTENT) - position
        stream.skip(rest - 3)
        assert stream.read_up_to(100) == CONTENT[-3:]
        assert stream.at_end() and stream.peek() == b"" and stream.readline() == b"" and stream.word() == b""
        assert stream.read(0) == b""


def test_lines(stream):
    with stream:
        assert list(stream.lines()) == CONTENT.split(b"\n")[:-1]


@pytest.mark.parametrize("size", [10, 1 << 20, 1 << 45])
def test_truncated_input_names_itself(stream, size):
    with stream:
        stream.skip(len(CONTENT) - 2)
        with pytest.raises(KaldiError, match="truncated") as error:
            stream.read(size)
        assert stream.name in str(error.value)


def test_a_long_word_and_an_unended_line():
    word = b"x" * 1_000_000
    stream = InputStream.from_bytes(b"  " + word)
    assert stream.word() == word
    assert list(InputStream.from_bytes(b"a\nb").lines()) == [b"a", b"b"]
    with pytest.raises(KaldiError):
        InputStream.from_bytes(b"abc").read_through(b"]")


def test_offset(file):
    with open_input(f"{file}:7") as stream:
        assert stream.tell() == 7 and stream.readline() == b"line 1\n"
        stream.seek(14)
        assert stream.readline() == b"line 2\n"
        stream.seek(len(CONTENT) - 6)
        assert stream.readline() == b"99999\n" and stream.at_end()
        stream.seek(0)
        assert stream.readline() == b"line 0\n"
    for bad in (len(CONTENT) + 1, 10**30):
        with pytest.raises(KaldiError, match="the file has only"):
            open_input(f"{file}:{bad}")
    with pytest.raises(KaldiError, match="no offset"):
        open_input("/dev/null:5")


def test_standard_input_is_one_stream():
    code = (
        "from kaldi_bridge.io.streams import open_input\n"
        "with open_input('-') as s: print(s.readline())\n"
        "with open_input('') as s: print(s.readline())"
    )
    result = subprocess.run([sys.executable, "-c", code], input=b"a\nb\n", capture_output=True)
    assert result.stdout == b"b'a\\n'\nb'b\\n'\n"


@pytest.mark.parametrize("name", ["/no/such/file", "/tmp", "a|b", "| cat", "ark:foo", " x", "a\0b", "/etc/hostname/x"])
def test_what_cannot_be_opened(name):
    with pytest.raises(KaldiError):
        open_input(name)
    if name != "| cat":
        with pytest.raises(KaldiError):
            open_output(name if name != "/no/such/file" else "/no/such/dir/file")


def test_a_failing_pipe_is_an_error():
    with pytest.raises(KaldiError, match="status 3"), open_input("echo abc; exit 3 |") as stream:
        assert stream.readline() == b"abc\n" and stream.at_end()
    with pytest.raises(KaldiError, match="status 127"), open_input("/no/such/program 2>/dev/null |") as stream:
        assert stream.at_end()
    with pytest.raises(KaldiError, match="SIGKILL"), open_input("kill -9 $$ |") as stream:
        assert stream.at_end()


def test_stopping_early_is_no_error():
    with open_input("yes |") as stream:
        assert stream.readline() == b"y\n"
    with open_input("yes | cat |") as stream:
        assert stream.readline() == b"y\n"


def test_the_first_error_is_the_one_reported():
    with pytest.raises(ZeroDivisionError), open_input("exit 3 |"):
        raise ZeroDivisionError


def test_output_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "out"
    with open_output(str(path)) as stream:
        stream.write(b"abc")
        stream.write(np.arange(3, dtype=np.uint8))
        assert stream.tell() == 6 and not path.exists()
    assert path.read_bytes() == b"abc\0\1\2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~_umask()
    with pytest.raises(ZeroDivisionError), open_output(str(path)) as stream:
        stream.write(b"def")
        raise ZeroDivisionError
    assert path.read_bytes() == b"abc\0\1\2"
    assert os.listdir(tmp_path) == ["out"]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_output_keeps_links_and_modes(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "target").chmod(0o640)
    (tmp_path / "link").symlink_to("target")
    with open_output(str(tmp_path / "link")) as stream:
        stream.write(b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o640


def test_reading_and_writing_the_same_file(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    with open_input(str(path)) as source, open_output(str(path)) as target:
        target.write(source.read(3)[::-1])
    assert path.read_bytes() == b"cba"


def test_output_into_what_is_no_regular_file(tmp_path):
    with open_output("/dev/null") as stream:
        stream.write(b"x")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(fifo.read_bytes()))
    thread.start()
    with open_output(str(fifo)) as stream:
        stream.write(b"through")
    thread.join()
    assert seen == [b"through"] and stat.S_ISFIFO(fifo.stat().st_mode)


def test_output_pipes(tmp_path):
    with open_output(f"| tr a-z A-Z > {tmp_path}/out") as stream:
        stream.write(b"abc")
    assert (tmp_path / "out").read_bytes() == b"ABC"
    with pytest.raises(KaldiError, match="status 4"), open_output("| cat >/dev/null; exit 4") as stream:
        stream.write(b"abc")
    with pytest.raises(KaldiError, match="stopped reading"), open_output("| head -c 1 >/dev/null") as stream:
        for _ in range(100):
            stream.write(bytes(BUFFER_SIZE))


def test_many_small_writes_to_a_full_disk():
    with pytest.raises(KaldiError, match="No space left"), open_output("/dev/full") as stream:
        stream.write(b"x")
