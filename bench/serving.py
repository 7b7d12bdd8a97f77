"""How many clients one machine serves that speak in real time: ours beside vosk-server's way with Vosk's wheel, and
beside Kaldi's online2-tcp-nnet3-decode-faster where that is on the PATH, a process of its own for each client.

    bench/serving.py [--counts=4,8,16] [<folder for Vosk> <8 or 16 kHz wave file>...]
    bench/serving.py --leaks=600 [--clients=16] [<folder for Vosk> <wave file>...]

Clients send speech as it would be spoken, 0.1 s at a time, and wait for each answer. A server carries so many as are
told their final result within 0.5 s after their last sample, in 95 of 100 cases. Without a folder: the model and the
recordings of egs/tiny, so small that the network costs next to nothing. Kaldi's program wants a graph as a whole.

With --leaks, clients come and go for so many seconds, every third of them without a word of farewell, faster than
speech; what the server holds in memory then, and how much more for each thousand clients, is told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from beside_kaldi import kaldi_has

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.helpers.vosk_models import TINY, tiny_folder  # noqa: E402

DELAY = 0.5  # seconds that the last answer may take
PIECE = 0.1  # seconds of speech in a message
PORT = 27001
COUNTS = "4,8,16,32,64,128,256"
KALDIS = "online2-tcp-nnet3-decode-faster"
MOST_PROCESSES = 64


@dataclass
class Way:
    """To serve clients: ``command`` starts a server at a port; ``speak`` is a client, see ``speak_to_websocket``."""

    name: str
    command: Callable[[int], list[str]]
    speak: Callable[[int, Path, float], Awaitable[float]]
    one_client_each: bool = False


async def vosk_server(folder: str, port: int) -> None:
    """What vosk-server's websocket server does (asr_server.py)."""
    import vosk
    from websockets.asyncio.server import serve

    vosk.SetLogLevel(-1)
    model, pool = vosk.Model(folder), ThreadPoolExecutor(os.cpu_count())

    def answer(recognizer: vosk.KaldiRecognizer, message: str | bytes) -> str:
        if isinstance(message, str):
            return recognizer.FinalResult()
        return recognizer.Result() if recognizer.AcceptWaveform(message) else recognizer.PartialResult()

    async def converse(connection) -> None:
        recognizer = vosk.KaldiRecognizer(model, json.loads(await connection.recv())["config"]["sample_rate"])
        recognizer.SetWords(True)
        async for message in connection:
            done = await asyncio.get_running_loop().run_in_executor(pool, answer, recognizer, message)
            await connection.send(done)

    async with serve(converse, "127.0.0.1", port):
        await asyncio.Future()


async def speak_to_websocket(port: int, recording: Path, start: float) -> float:
    """Seconds from the end of the speech to its final result."""
    from websockets.asyncio.client import connect

    with wave.open(str(recording)) as file:
        rate, data = file.getframerate(), file.readframes(file.getnframes())
    async with connect(f"ws://127.0.0.1:{port}") as connection:
        await connection.send(json.dumps({"config": {"sample_rate": rate}}))
        size, due = 2 * int(rate * PIECE), time.perf_counter() + start
        for begin in range(0, len(data), size):
            due += PIECE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await connection.send(data[begin : begin + size])
            await connection.recv()
        await connection.send('{"eof" : 1}')
        await connection.recv()
        return time.perf_counter() - due


async def speak_to_kaldi(port: int, recording: Path, start: float) -> float:
    with wave.open(str(recording)) as file:
        rate, data = file.getframerate(), file.readframes(file.getnframes())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    told = asyncio.ensure_future(reader.read())
    size, due = 2 * int(rate * PIECE), time.perf_counter() + start
    for begin in range(0, len(data), size):
        due += PIECE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        writer.write(data[begin : begin + size])
    writer.write_eof()
    await told
    writer.close()
    return time.perf_counter() - due


def kaldis_command(folder: Path, rate: int, port: int) -> list[str]:
    """``folder``: one for Vosk; its model.conf holds options of Kaldi's."""
    options = [f"--config={folder}/conf/model.conf", f"--mfcc-config={folder}/conf/mfcc.conf", f"--port-num={port}"]
    if (folder / "ivector").is_dir():
        files = ("lda-matrix=final.mat", "global-cmvn-stats=global_cmvn.stats", "diag-ubm=final.dubm",
                 "ivector-extractor=final.ie", "splice-config=splice.conf", "cmvn-config=online_cmvn.conf")  # fmt: skip
        lines = (f"--{name}={folder}/ivector/{file}\n" for name, file in (line.split("=") for line in files))
        config = Path(tempfile.gettempdir()) / f"ivectors.{os.getpid()}.conf"
        config.write_text("".join(lines))
        options.append(f"--ivector-extraction-config={config}")
    files = [str(folder / name) for name in ("am/final.mdl", "graph/HCLG.fst", "graph/words.txt")]
    return [KALDIS, *options, f"--samp-freq={rate}", "--read-timeout=20", *files]


def cpu_and_memory(process: int) -> tuple[float, float]:
    """Seconds of processors' time so far, and MB in memory, of a process."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def load(way: Way, port: int, recordings: list[Path], count: int) -> list[float]:
    starts, ports = np.random.default_rng(0).uniform(0, 1, count), [port] * count
    if way.one_client_each:
        ports = [port + number for number in range(count)]
    return await asyncio.gather(
        *(way.speak(ports[i], recordings[i % len(recordings)], starts[i]) for i in range(count))
    )


def wait_for(port: int) -> None:
    import socket

    for _ in range(600):
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"no server at port {port}")


def duration(recording: Path) -> float:
    with wave.open(str(recording)) as file:
        return file.getnframes() / file.getframerate()


def measure(way: Way, recordings: list[Path], counts: list[int]) -> None:
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for count in counts:
            wanted = count if way.one_client_each else 1
            if wanted > MOST_PROCESSES:
                break
            while len(processes) < wanted:
                port = PORT + len(processes)
                processes.append(subprocess.Popen(way.command(port), stderr=subprocess.DEVNULL))
                wait_for(port)
                asyncio.run(load(way, port, recordings, 1))
            before = sum(cpu_and_memory(process.pid)[0] for process in processes)
            delay = float(np.percentile(asyncio.run(load(way, PORT, recordings, count)), 95))
            figures = [cpu_and_memory(process.pid) for process in processes]
            spoken = sum(duration(recordings[number % len(recordings)]) for number in range(count))
            each = (sum(cpu for cpu, _ in figures) - before) / spoken
            memory = sum(megabytes for _, megabytes in figures)
            print(
                f"{way.name:20s} {count:4d} clients: delay {delay:5.2f} s, CPU {each:7.4f} s/s, {memory:6.0f} MB",
                flush=True,
            )
            if delay > DELAY:
                break
    finally:
        for process in processes:
            process.kill()
            process.wait()


async def come_and_go(port: int, recordings: list[Path], clients: int, seconds: float, process: int) -> None:
    """Prints the server's memory now and then."""
    from websockets.asyncio.client import connect

    counts, figures, start = 0, [], time.perf_counter()

    async def one(number: int) -> None:
        nonlocal counts
        while time.perf_counter() < start + seconds:
            with wave.open(str(recordings[(counts + number) % len(recordings)])) as file:
                rate, data = file.getframerate(), file.readframes(file.getnframes())
            counts += 1
            vanishes = counts % 3 == 0
            connection = await connect(f"ws://127.0.0.1:{port}")
            await connection.send(json.dumps({"config": {"sample_rate": rate, "max_alternatives": counts % 4}}))
            for begin in range(0, len(data) // (2 if vanishes else 1), 3200):
                await connection.send(data[begin : begin + 3200])
                await connection.recv()
            if vanishes:
                connection.transport.abort()
                continue
            await connection.send('{"eof" : 1}')
            await connection.recv()
            await connection.close()

    async def watch() -> None:
        while time.perf_counter() < start + seconds:
            await asyncio.sleep(min(15.0, seconds / 8))
            figures.append((counts, cpu_and_memory(process)[1]))
            print(
                f"{time.perf_counter() - start:6.0f} s  {counts:7d} clients so far  {figures[-1][1]:7.1f} MB",
                flush=True,
            )

    await asyncio.gather(watch(), *(one(number) for number in range(clients)))
    late = np.array(figures[len(figures) // 3 :])
    print(f"{1000 * np.polyfit(late[:, 0], late[:, 1], 1)[0]:+.2f} MB for each thousand clients, after the first third")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leaks", type=float, metavar="SECONDS")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--counts", default=COUNTS)
    parser.add_argument("--vosk-server", type=int, metavar="PORT", help=argparse.SUPPRESS)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("recordings", nargs="*", type=Path)
    arguments = parser.parse_args()
    if arguments.vosk_server:
        asyncio.run(vosk_server(arguments.folder, arguments.vosk_server))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or str(tiny_folder(Path(temporary) / "model"))
        recordings = arguments.recordings or sorted((TINY / "data/wav").glob("*.wav"))

        def serve(port: int) -> list[str]:
            return [sys.executable, "-m", "nnet3_compat.commands.recognition.serve", f"--port={port}", folder]

        if arguments.leaks:
            process = subprocess.Popen(serve(PORT), stderr=subprocess.DEVNULL)
            try:
                wait_for(PORT)
                asyncio.run(come_and_go(PORT, recordings, arguments.clients, arguments.leaks, process.pid))
            finally:
                process.kill()
                process.wait()
            return
        ways = [
            Way("nnet-pytorch-serve", serve, speak_to_websocket),
            Way(
                "vosk in threads",
                lambda port: [sys.executable, __file__, f"--vosk-server={port}", folder],
                speak_to_websocket,
            ),
        ]
        if kaldi_has(KALDIS) and (Path(folder) / "graph/HCLG.fst").is_file():
            with wave.open(str(recordings[0])) as file:
                rate = file.getframerate()
            command = partial(kaldis_command, Path(folder), rate)
            ways.append(Way("Kaldi's, one each", command, speak_to_kaldi, one_client_each=True))
        for way in ways:
            measure(way, recordings, [int(count) for count in arguments.counts.split(",")])


if __name__ == "__main__":
    main()
