"""The WebSocket server: Vosk's protocol at every path, and over HTTP a page to try it, health and metrics.

GET /           a page with a microphone and the words as they come
GET /health     "ok" while streams are accepted, 503 while the server ends
GET /metrics    Prometheus' text format
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import time
from importlib import resources

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import as_utf8
from nnet3_compat.recognition.model import Model
from nnet3_compat.recognition.results import Result, vosk_json
from nnet3_compat.serving.engine import Engine, Work
from nnet3_compat.serving.idle_watch import IdleError, IdleWatch
from nnet3_compat.serving.open_streams import OpenStreams, TooManyStreamsError
from nnet3_compat.serving.options import ServerOptions
from nnet3_compat.serving.statistics import Statistics
from nnet3_compat.serving.vosk_protocol import Answer, VoskStream

MOST_FAREWELL = 2.0  # seconds, of all clients at the end
REFUSED_MESSAGE, TRY_AGAIN_LATER = 1008, 1013  # RFC 6455, section 7.4


class WebSocketServer:
    """Serves one model until it is told to end; made in the event loop that it runs in."""

    def __init__(self, options: ServerOptions, model: Model, num_threads: int) -> None:
        self._options, self._model, self._statistics = options, model, Statistics()
        self._engine = Engine(model.setup.computer, num_threads, self._statistics)
        self._streams = OpenStreams(options, self._statistics)
        self._page = resources.files("nnet3_compat.serving").joinpath("page.html").read_bytes()

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT. Raises KaldiError where it cannot listen."""
        options = self._options
        try:
            server = await serve(
                self._serve_stream,
                options.host,
                options.port,
                ssl=options.tls(),
                max_size=options.max_message,
                max_queue=4,
                compression=None,
                process_request=self._answer_http,
            )
        except OSError as error:
            raise KaldiError(f"cannot listen at {options.host}:{options.port}: {error.strerror}") from error
        for socket in server.sockets:
            host, port = socket.getsockname()[:2]
            log.info(f"Listening at {'wss' if options.tls_certificate else 'ws'}://{host}:{port}")
        await self._streams.wait_for_end()
        server.close(close_connections=False)
        await self._streams.drain()
        server.close()
        with contextlib.suppress(asyncio.TimeoutError):  # whoever connected and said nothing is not waited for
            await asyncio.wait_for(server.wait_closed(), MOST_FAREWELL)
        self._engine.close()

    def _answer_http(self, connection: ServerConnection, request: Request) -> Response | None:
        """None: it is a WebSocket."""
        if "Upgrade" in request.headers:
            if self._streams.ending:
                return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "the server is ending\n")
            return None
        path = request.path.split("?", 1)[0]
        if path == "/health":
            status = http.HTTPStatus.SERVICE_UNAVAILABLE if self._streams.ending else http.HTTPStatus.OK
            return connection.respond(status, "ending\n" if self._streams.ending else "ok\n")
        if path == "/metrics":
            return _respond(connection, self._statistics.text(), "text/plain; version=0.0.4; charset=utf-8")
        if path == "/":
            return _respond(connection, self._page, "text/html; charset=utf-8")
        return connection.respond(http.HTTPStatus.NOT_FOUND, "there are /, /health and /metrics\n")

    async def _serve_stream(self, connection: ServerConnection) -> None:
        client = _address(connection)
        try:
            with self._streams.one(client):
                await self._converse(connection, client)
        except ConnectionClosed:
            return
        except TooManyStreamsError as error:
            await connection.close(TRY_AGAIN_LATER, str(error))
        except KaldiError as error:
            with contextlib.suppress(ConnectionClosed):
                await connection.send(_message({"error": str(error)}))
            await connection.close(REFUSED_MESSAGE, "the error was told")  # reasons have 123 bytes at most

    async def _converse(self, connection: ServerConnection, client: str) -> None:
        options = self._options
        stream = VoskStream(self._model, options.sample_rate or self._model.sample_frequency)
        with IdleWatch(options.idle_timeout) as watch:
            while True:
                try:
                    message = await watch.next(connection.recv())
                except IdleError:
                    log.info(f"The stream of {client} was idle for {options.idle_timeout:g} s and is ended")
                    work: Work[Answer] | None = stream.end()
                else:
                    work = stream.take(message)
                if work is None:
                    continue
                begin, before = time.monotonic(), stream.seconds
                answer = await self._engine.run(work)
                self._statistics.speech.inc(stream.seconds - before)
                self._statistics.delays.observe(time.monotonic() - begin)
                self._statistics.results.inc(answer.whole)
                await connection.send(_message(answer.result))
                if answer.last:
                    return
                if options.max_seconds and stream.seconds >= options.max_seconds:
                    await connection.send(_message((await self._engine.run(stream.end())).result))
                    return


def _respond(connection: ServerConnection, body: bytes, content_type: str) -> Response:
    response = connection.respond(http.HTTPStatus.OK, "")
    del response.headers["Content-Type"], response.headers["Content-Length"]
    response.headers["Content-Type"], response.headers["Content-Length"] = content_type, str(len(body))
    response.body = body
    return response


def _message(result: Result) -> str:
    return as_utf8(vosk_json(result))


def _address(connection: ServerConnection) -> str:
    address = connection.remote_address
    return f"{address[0]}:{address[1]}" if address else "a client that is gone"


def serve_model(options: ServerOptions, model_in: str, num_threads: int) -> None:
    """Reads the model, and serves it until SIGTERM or SIGINT.

    Raises KaldiError for a model that cannot be used, or an address at which it cannot listen.
    """
    model = Model(model_in, options.graph, options.precision)

    async def run() -> None:
        await WebSocketServer(options, model, num_threads).run()

    asyncio.run(run())
