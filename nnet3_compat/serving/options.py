"""What a server is told: where it listens, and its limits."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from nnet3_compat.folded.precision import PrecisionOptions


@dataclass
class LimitOptions:
    """Limits on streams, whatever the protocol."""

    max_streams: int = option(500, "Streams at a time; others are refused")
    max_seconds: float = option(0.0, "If not 0: seconds of speech after which a stream is ended with its result")
    idle_timeout: float = option(60.0, "Seconds without a message after which a stream is ended with its result")
    shutdown_timeout: float = option(30.0, "Seconds that streams have to end when the server is told to (SIGTERM)")
    num_threads: int = option(0, "Threads that make features and search; 0: one for each processor")

    def check(self) -> None:
        """Raises KaldiError for limits that make no sense."""
        if self.max_streams < 1 or self.num_threads < 0:
            raise KaldiError("--max-streams must be positive, --num-threads not negative")
        if not (self.max_seconds >= 0 and self.idle_timeout > 0 and self.shutdown_timeout >= 0):
            raise KaldiError("--idle-timeout must be positive, --max-seconds and --shutdown-timeout not negative")


@dataclass
class ServerOptions(LimitOptions, PrecisionOptions):
    """Options of nnet-pytorch-serve."""

    graph: str = option("", "Directory of the graph, for a directory of Kaldi's that has none inside, or several")
    host: str = option("127.0.0.1", "Address to listen at; 0.0.0.0: all of this machine's")
    port: int = option(2700, "Port to listen at; 0: any free one, which the log tells")
    sample_rate: float = option(0.0, "Of clients that do not tell their own, in Hz; 0: the model's")
    max_message: int = option(1 << 20, "Bytes that a message has at most")
    tls_certificate: str = option("", "File of the certificate (chain) in PEM: the server speaks wss:// and https://")
    tls_key: str = option("", "File of the certificate's key in PEM, where it is not in the same file")

    def check(self) -> None:
        """Raises KaldiError for options that make no sense."""
        super().check()
        if not 0 <= self.port < 65536:
            raise KaldiError(f"--port={self.port} should be 0 to 65535")
        if self.max_message < 1 or self.sample_rate < 0:
            raise KaldiError("--max-message must be positive, --sample-rate not negative")
        if self.tls_key and not self.tls_certificate:
            raise KaldiError("--tls-key needs --tls-certificate")

    def tls(self) -> ssl.SSLContext | None:
        """None: without. Raises KaldiError for files that cannot be used."""
        if not self.tls_certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.tls_certificate, self.tls_key or None)
        except (OSError, ssl.SSLError) as error:
            raise KaldiError(f"{self.tls_certificate} {self.tls_key}: no certificate with its key: {error}") from error
        return context
