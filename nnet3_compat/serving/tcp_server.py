"""Kaldi's TCP server, for any number of clients at a time."""

from __future__ import annotations

import asyncio
import os

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import encode
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.graph_files import open_graph
from kaldi_bridge.online.features import OnlineFeatureSetup
from nnet3_compat.model.model_file import read_with_transitions
from nnet3_compat.serving.engine import Engine
from nnet3_compat.serving.kaldi_protocol import KaldiStream
from nnet3_compat.serving.open_streams import OpenStreams, TooManyStreamsError
from nnet3_compat.serving.statistics import Statistics
from nnet3_compat.serving.tcp_options import TcpOptions
from nnet3_compat.utterances.online_computation import OnlineComputer
from nnet3_compat.utterances.online_stream import StreamSetup

BYTES = 2  # of a sample


class TcpServer:
    """Serves until it is told to end; made in the event loop that it runs in."""

    def __init__(self, options: TcpOptions, setup: StreamSetup, symbols: SymbolTable) -> None:
        self._options, self._setup, self._symbols = options, setup, symbols
        statistics = Statistics()
        self._engine = Engine(setup.computer, options.num_threads or len(os.sched_getaffinity(0)), statistics)
        self._streams = OpenStreams(options, statistics)

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT. Raises KaldiError where it cannot listen."""
        port = self._options.port_num
        try:
            server = await asyncio.start_server(self._serve_stream, "0.0.0.0", port)
        except OSError as error:
            raise KaldiError(f"Cannot bind to port: {port} (is it taken?)") from error
        log.info(f"TcpServer: Listening on port: {server.sockets[0].getsockname()[1]}")
        await self._streams.wait_for_end()
        server.close()
        await self._streams.drain()
        self._engine.close()

    async def _serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        client = f"{peer[0]}:{peer[1]}" if peer else "a client that is gone"
        try:
            with self._streams.one(client):
                log.info(f"Accepted connection from: {client}")
                await self._converse(reader, writer)
        except TooManyStreamsError as error:
            log.warning(f"Refused {client}: {error}")
        except (KaldiError, ConnectionError):
            pass  # told already, or the client is gone
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        options = self._options
        stream, heard = KaldiStream(self._setup, options, self._symbols), 0
        while samples := await self._read(reader):
            told = await self._engine.run(stream.speech(np.frombuffer(samples, "<i2").astype(np.float32)))
            writer.write(encode(told))
            await writer.drain()
            heard += len(samples) // BYTES
            if options.max_seconds and heard >= options.max_seconds * options.samp_freq:
                break
        writer.write(encode(await self._engine.run(stream.end())))
        await writer.drain()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        """The next chunk, shorter where the client has ended or is silent for too long; empty at the end."""
        timeout = self._options.read_timeout if self._options.read_timeout >= 0 else None
        wanted, parts = self._options.chunk_samples * BYTES, []
        while wanted:
            try:
                part = await asyncio.wait_for(reader.read(wanted), timeout)
            except asyncio.TimeoutError:
                log.warning("Socket timeout! Disconnecting...")
                break
            if not part:
                break
            parts.append(part)
            wanted -= len(part)
        data = b"".join(parts)
        return data[: len(data) // BYTES * BYTES]


def serve_tcp(options: TcpOptions, model_in: str, graph_in: str, words_in: str) -> None:
    """Reads model, graph and words, and serves them until SIGTERM or SIGINT.

    Raises KaldiError for files that cannot be used, or a port at which it cannot listen.
    """
    model, transitions = read_with_transitions(model_in)
    graph, symbols = open_graph(graph_in, transitions), SymbolTable.read(words_in)
    computer = OnlineComputer(model, options, model_in)
    setup = StreamSetup(transitions, graph, computer, OnlineFeatureSetup.of_files(options), options, options)

    async def run() -> None:
        await TcpServer(options, setup, symbols).run()

    asyncio.run(run())
