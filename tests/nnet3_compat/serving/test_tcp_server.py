"""Lines over TCP, beside those that Kaldi's online2-tcp-nnet3-decode-faster sent for the same samples."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.places import ROOT
from tests.helpers.running_server import RunningServer, running
from tests.helpers.vosk_models import TINY, samples_of

MODULE = "nnet3_compat.commands.online2bin.online2_tcp_nnet3_decode_faster"
# Kaldi's, for the five recordings of egs/tiny that come first, each with a second of faint noise after it.
KALDI = (
    "0.00 0.24 three \r"
    "0.00 0.96 three \r"
    "0.00 1.44 three \r"
    "0.00 1.92 three \r"
    "0.00 2.40 three \r"
    "0.00 2.88 three \r"
    "0.00 3.12 four \n"
    "3.12 3.36 three \r"
    "3.12 3.84 three \r"
    "3.12 4.56 three \r"
    "3.12 4.80 three \r"
    "3.12 5.28 three \r"
    "3.12 6.00 three \r"
    "3.12 6.24 three \n"
    "6.24 6.48 three \r"
    "6.24 6.72 three \r"
    "6.24 7.44 three \r"
    "6.24 7.92 three \r"
    "6.24 8.40 three \r"
    "6.24 8.88 three \r"
    "6.24 9.36 three \r"
    "6.24 9.36 three \n"
    "9.36 9.84 three \r"
    "9.36 10.32 three \r"
    "9.36 11.04 three \r"
    "9.36 11.28 three \r"
    "9.36 11.76 three \r"
    "9.36 12.48 three \r"
    "9.36 12.48 four \n"
    "12.48 12.96 three \r"
    "12.48 13.44 three \r"
    "12.48 13.92 three \r"
    "12.48 14.40 three \r"
    "12.48 14.88 three \r"
    "12.48 15.36 three \r"
    "12.48 15.60 zero \n"
    "15.60 15.84 three \r"
    "15.60 16.32 three \r"
    "15.60 16.80 three \r"
    "15.60 17.52 three \r"
    "15.60 17.85 three \n"
)


def arguments(folder: Path, *options: str) -> list[str | Path]:
    config = folder / "mfcc.conf"
    config.write_text((ROOT / "egs/fsdd/conf/mfcc_hires.conf").read_text() + "--dither=0\n")
    model = ["--frame-subsampling-factor=3", "--acoustic-scale=1.0", "--endpoint.silence-phones=1:2:3:4:5"]
    rules = ["rule1.min-trailing-silence=0.6", "rule2.min-trailing-silence=0.3", "rule5.min-utterance-length=3"]
    rest = ["--port-num=0", "--samp-freq=8000", "--output-period=0.5", "--produce-time=true", f"--mfcc-config={config}"]
    files = [TINY / name for name in ("model/final.mdl", "graph/HCLG.fst", "graph/words.txt")]
    return [*model, *(f"--endpoint.{rule}" for rule in rules), *rest, *options, *files]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("tcp")
    with running(MODULE, *arguments(folder), log=folder / "log") as found:
        yield found
        assert found.end() == 0


@pytest.fixture(scope="module")
def speech() -> bytes:
    pause = np.random.default_rng(0).integers(-30, 31, 8000).astype("<i2")
    recordings = sorted((TINY / "data/wav").glob("*.wav"))[:5]
    return np.concatenate([part for path in recordings for part in (samples_of(path), pause)]).tobytes()


def told(server: RunningServer, *pieces: bytes) -> str:
    """What a client is sent that sends these pieces and ends."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b"")).decode()


def test_lines_are_kaldis(server: RunningServer, speech: bytes) -> None:
    assert told(server, speech) == KALDI


def test_many_clients(server: RunningServer, speech: bytes) -> None:
    """Whatever the pieces in which samples come, and an odd byte at the end."""
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(told(server, speech[:3333], speech[3333:], b"x")))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [KALDI] * 3


def test_nothing_at_all(server: RunningServer) -> None:
    assert told(server) == "\n"


def test_a_client_that_vanishes_disturbs_no_other(server: RunningServer, speech: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(speech[:20000])
    assert told(server, speech) == KALDI


def test_a_silent_client_is_taken_to_have_ended(tmp_path: Path, speech: bytes) -> None:
    options = arguments(tmp_path, "--read-timeout=1", "--max-streams=1")
    with running(MODULE, *options, log=tmp_path / "log") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(speech[:8000])
            while "Accepted" not in server.log.read_text():
                time.sleep(0.02)
            assert told(server) == ""  # refused: there is one already
            said = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
            assert said.endswith("\n")
        assert "Socket timeout!" in server.log.read_text()


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ("--port-num=65536", "--port-num=65536 should be 0 to 65535"),
        ("--endpoint.silence-phones=", "nonempty --endpoint.silence-phones"),
        ("--chunk-length=0", "--chunk-length, --samp-freq and --output-period must be positive"),
        ("--mfcc-config=none", "none"),
    ],
)
def test_bad_options(tmp_path: Path, option: str, error: str) -> None:
    given = arguments(tmp_path, option)
    with pytest.raises(AssertionError, match="ended with 255") as ended, running(MODULE, *given, log=tmp_path / "log"):
        pass
    assert error in str(ended.value)
