"""How many clients one server carries that speak in real time: ours beside vosk-server's way with Vosk's wheel.

    bench/serving.py [<folder for Vosk> <8 or 16 kHz wave file>...]

Clients send speech as it would be spoken, 0.1 s at a time, and wait for each answer. A server carries so many as are
told their final result within 0.5 s after their last sample, in 95 of 100 cases. Without arguments: the model and the
recordings of egs/tiny, so small that the network costs next to nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.helpers.vosk_models import TINY, tiny_folder  # noqa: E402

DELAY = 0.5  # seconds that the last answer may take
PIECE = 0.1  # seconds of speech in a message
PORTS = {"nnet-pytorch-serve": 27001, "vosk in threads": 27002}
COUNTS = (4, 8, 16, 32, 64, 128, 256)


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


async def speak(port: int, recording: Path, start: float) -> float:
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


def cpu_and_memory(process: int) -> tuple[float, float]:
    """Seconds of processors' time so far, and MB in memory, of a process."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def load(port: int, recordings: list[Path], count: int) -> list[float]:
    starts = np.random.default_rng(0).uniform(0, 1, count)
    return await asyncio.gather(*(speak(port, recordings[i % len(recordings)], starts[i]) for i in range(count)))


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


def measure(name: str, command: list[str], port: int, recordings: list[Path]) -> None:
    seconds = sum(duration(path) for path in recordings)
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        asyncio.run(load(port, recordings, 2))
        for count in COUNTS:
            before = cpu_and_memory(process.pid)[0]
            delay = float(np.percentile(asyncio.run(load(port, recordings, count)), 95))
            cpu, memory = cpu_and_memory(process.pid)
            each = (cpu - before) / (count * seconds / len(recordings))
            print(
                f"{name:20s} {count:4d} clients: delay {delay:5.2f} s, CPU {each:6.3f} s/s, {memory:6.0f} MB",
                flush=True,
            )
            if delay > DELAY:
                break
    finally:
        process.kill()
        process.wait()


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--vosk-server"]:
        asyncio.run(vosk_server(arguments[1], int(arguments[2])))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments[0] if arguments else str(tiny_folder(Path(temporary) / "model"))
        recordings = [Path(path) for path in arguments[1:]] or sorted((TINY / "data/wav").glob("*.wav"))
        ours, vosks = PORTS.items()
        serve = [sys.executable, "-m", "nnet3_compat.commands.recognition.serve", f"--port={ours[1]}", folder]
        measure(ours[0], serve, ours[1], recordings)
        measure(vosks[0], [sys.executable, __file__, "--vosk-server", folder, str(vosks[1])], vosks[1], recordings)


if __name__ == "__main__":
    main(sys.argv[1:])
