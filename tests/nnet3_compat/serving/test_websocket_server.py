"""nnet-pytorch-serve as vosk-server's clients see it; each stream is answered as a Recognizer alone answers."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from nnet3_compat import Model, Recognizer
from tests.helpers.places import ROOT
from tests.helpers.running_server import RunningServer, running
from tests.helpers.vosk_models import samples_of, tiny_folder

MODULE = "nnet3_compat.commands.recognition.serve"
SIZE = 3200  # bytes at a time
EOF_MESSAGE = '{"eof" : 1}'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tiny_folder(tmp_path_factory.mktemp("model") / "tiny")
    with open(made / "conf/mfcc.conf", "a") as file:
        file.write("--dither=0\n")
    return made


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return Model(folder)


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    log = tmp_path_factory.mktemp("log") / "server.log"
    with running(MODULE, "--port=0", "--max-streams=8", "--max-message=100000", folder, log=log) as found:
        yield found
        assert found.end() == 0


@pytest.fixture(scope="module")
def speech() -> list[bytes]:
    return [samples_of(path).tobytes() for path in sorted((ROOT / "egs/tiny/data").rglob("*.wav"))[:4]]


@contextmanager
def client(server: RunningServer, **config: Any) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{server.port}") as connection:
        if config:
            connection.send(json.dumps({"config": config}))
        yield connection


def answers(connection: ClientConnection, data: bytes) -> list[Any]:
    """To each piece, and to the end."""
    found = []
    for begin in range(0, len(data), SIZE):
        connection.send(data[begin : begin + SIZE])
        found.append(json.loads(connection.recv()))
    connection.send(EOF_MESSAGE)
    return [*found, json.loads(connection.recv())]


def alone(model: Model, data: bytes, rate: float, **options: Any) -> list[Any]:
    recognizer, found = Recognizer(model, rate, **options), []
    for begin in range(0, len(data), SIZE):
        ended = recognizer.accept(data[begin : begin + SIZE])
        found.append(recognizer.result() if ended else recognizer.partial())
    return [*found, recognizer.final()]


def assert_alike(found: Any, expected: Any) -> None:
    """Numbers to 1e-4: networks that are computed together differ in the last bits."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            assert_alike(found[key], expected[key])
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_alike(one, other)
    else:
        assert found == (pytest.approx(expected, abs=1e-4) if isinstance(expected, float) else expected)


def get(server: RunningServer, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}") as response:
        return response.read().decode()


def test_streams_at_once(server: RunningServer, model: Model, speech: list[bytes]) -> None:
    """Each gets what it gets alone, whatever the others do."""
    found: dict[int, list[Any]] = {}

    def talk(number: int) -> None:
        with client(server, sample_rate=8000) as connection:
            found[number] = answers(connection, speech[number % len(speech)])

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(6):
        assert_alike(found[number], alone(model, speech[number % len(speech)], 8000, words=True))
    assert any(said["text"] for said in (found[number][-1] for number in range(4)))


def test_alternatives_and_partial_words(server: RunningServer, model: Model, speech: list[bytes]) -> None:
    config = {"words": False, "max_alternatives": 3, "partial_words": True}
    with client(server, sample_rate=8000, **config) as connection:
        assert_alike(answers(connection, speech[0]), alone(model, speech[0], 8000, **config))


def test_reset_begins_anew(server: RunningServer, model: Model, speech: list[bytes]) -> None:
    with client(server, sample_rate=8000) as connection:
        connection.send(speech[0])
        connection.recv()
        connection.send('{"reset" : 1}')
        first = json.loads(connection.recv())
        second = answers(connection, speech[0])[-1]
    assert first["text"] == second["text"] == alone(model, speech[0], 8000)[-1]["text"]


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("{", "a message is no JSON"),
        ("[1]", "a message in JSON should be an object"),
        ("{}", "a message should be samples"),
        ('{"config": 3}', '"config" should be an object'),
        ('{"config": {"sample_rate": "x"}}', '"sample_rate" should be 1000 to 192000 Hz'),
        ('{"config": {"sample_rate": NaN}}', '"sample_rate" should be 1000 to 192000 Hz'),
        ('{"config": {"sample_rate": 1%s}}' % ("0" * 400), '"sample_rate" should be 1000 to 192000 Hz'),
        ('{"config": {"max_alternatives": 1000}}', '"max_alternatives" should be 0 to 100'),
        ('{"config": {"phrase_list": ["one", 2]}}', '"phrase_list" should be a list of texts'),
        ('{"config": {"model": "other"}}', "this server has one"),
        ("[" * 50000, "a message is no JSON"),
    ],
)
def test_a_bad_message_ends_its_stream_alone(
    server: RunningServer, speech: list[bytes], message: str, error: str
) -> None:
    with client(server, sample_rate=8000) as other, connect(f"ws://127.0.0.1:{server.port}") as connection:
        other.send(speech[0][:SIZE])
        connection.send(message)
        assert error in json.loads(connection.recv())["error"]
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
        json.loads(other.recv())
        other.send(EOF_MESSAGE)
        assert "text" in json.loads(other.recv())


def test_config_after_samples(server: RunningServer, speech: list[bytes]) -> None:
    with client(server, sample_rate=8000) as connection:
        connection.send(speech[0][:SIZE])
        connection.recv()
        connection.send('{"config": {"sample_rate": 16000}}')
        assert '"config" should come before' in json.loads(connection.recv())["error"]


def test_nothing_at_all(server: RunningServer) -> None:
    with client(server) as connection:
        connection.send(EOF_MESSAGE)
        assert json.loads(connection.recv()) == {"text": ""}


def test_pieces_of_odd_sizes(server: RunningServer, model: Model, speech: list[bytes]) -> None:
    """A sample may be cut in two; empty messages are answered."""
    with client(server, sample_rate=8000) as connection:
        for piece in (b"", speech[0][:1], speech[0][1:4001], speech[0][4001:]):
            connection.send(piece)
            connection.recv()
        connection.send(EOF_MESSAGE)
        assert json.loads(connection.recv())["text"] == alone(model, speech[0], 8000)[-1]["text"]


def test_a_message_that_is_too_long(server: RunningServer) -> None:
    with client(server) as connection, pytest.raises(ConnectionClosed) as closed:
        connection.send(bytes(100001))
        connection.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009


def test_clients_that_vanish_leave_no_stream_open(server: RunningServer, speech: list[bytes]) -> None:
    for _ in range(3):
        with client(server, sample_rate=8000) as connection:
            connection.send(speech[0])
            connection.socket.shutdown(socket.SHUT_RDWR)
    deadline = time.monotonic() + 20
    while "nnet_pytorch_streams 0.0" not in get(server, "/metrics"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_more_streams_than_allowed(server: RunningServer) -> None:
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(client(server))
        with client(server) as one_more, pytest.raises(ConnectionClosed) as closed:
            one_more.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013


def test_pages(server: RunningServer) -> None:
    assert "getUserMedia" in get(server, "/")
    assert get(server, "/health") == "ok\n"
    metrics = get(server, "/metrics")
    assert "nnet_pytorch_streams_begun_total" in metrics and "nnet_pytorch_answer_seconds_bucket" in metrics
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(server, "/other")


def test_limits_of_a_stream(folder: Path, speech: list[bytes], tmp_path: Path) -> None:
    """Who says nothing, or speaks for too long, gets the result of what was said."""
    arguments = ("--port=0", "--idle-timeout=0.3", "--max-seconds=1", folder)
    with running(MODULE, *arguments, log=tmp_path / "log") as server:
        with client(server, sample_rate=8000) as connection:
            connection.send(speech[0][:3200])
            assert "partial" in json.loads(connection.recv())
            assert "text" in json.loads(connection.recv())
            with pytest.raises(ConnectionClosed):
                connection.recv()
        with client(server, sample_rate=8000) as connection:
            connection.send((speech[0] * 4)[:20000])
            json.loads(connection.recv())
            assert "text" in json.loads(connection.recv())
            with pytest.raises(ConnectionClosed):
                connection.recv()


def test_the_end_waits_for_open_streams(folder: Path, speech: list[bytes], tmp_path: Path) -> None:
    with (
        running(MODULE, "--port=0", folder, log=tmp_path / "log") as server,
        socket.create_connection(("127.0.0.1", server.port)),  # who says nothing at all is not waited for
        client(server) as connection,
    ):
        connection.send(speech[0])
        connection.recv()
        server.process.terminate()
        while "Ending" not in server.log.read_text():
            time.sleep(0.02)
        with pytest.raises((OSError, ConnectionClosed)), client(server) as late:
            late.recv()
        connection.send(EOF_MESSAGE)
        assert "text" in json.loads(connection.recv())
        connection.close()
        begin = time.monotonic()
        assert server.process.wait(30) == 0
        assert time.monotonic() - begin < 8  # 10 s are what a handshake may take


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_tls(folder: Path, speech: list[bytes], tmp_path: Path) -> None:
    made = ("-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key", "-out", tmp_path / "certificate")
    subprocess.run(["openssl", "req", *made, "-subj", "/CN=localhost"], check=True, capture_output=True)
    files = (f"--tls-certificate={tmp_path}/certificate", f"--tls-key={tmp_path}/key")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate"))
    trusting.check_hostname = False
    with (
        running(MODULE, "--port=0", *files, folder, log=tmp_path / "log") as server,
        connect(f"wss://127.0.0.1:{server.port}", ssl=trusting) as connection,
    ):
        connection.send(speech[0])
        assert "partial" in json.loads(connection.recv())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--port=70000", "MODEL"), "--port=70000 should be 0 to 65535"),
        (("--max-streams=0", "MODEL"), "--max-streams must be positive"),
        (("--tls-key=x", "MODEL"), "--tls-key needs --tls-certificate"),
        (("--port=0", "--tls-certificate=/none", "MODEL"), "no certificate with its key"),
        (("--host=256.1.1.1", "MODEL"), "cannot listen at 256.1.1.1:2700"),
        (("no-such-model",), "no-such-model: no such folder"),
    ],
)
def test_bad_options(folder: Path, arguments: tuple[str, ...], error: str, tmp_path: Path) -> None:
    given = [str(folder) if argument == "MODEL" else argument for argument in arguments]
    with pytest.raises(AssertionError, match="ended with 255") as ended, running(MODULE, *given, log=tmp_path / "log"):
        pass
    assert error in str(ended.value)
