"""What a server tells of itself, in Prometheus' text format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Statistics:
    """Counts of one server; methods and numbers may be used by any thread."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.streams = Gauge("nnet_pytorch_streams", "Streams that are open", registry=registry)
        self.begun = Counter("nnet_pytorch_streams_begun", "Streams that were accepted", registry=registry)
        self.refused = Counter("nnet_pytorch_streams_refused", "Streams beyond the limit", registry=registry)
        self.failed = Counter("nnet_pytorch_streams_failed", "Streams that ended with an error", registry=registry)
        self.speech = Counter("nnet_pytorch_speech_seconds", "Seconds of speech that came in", registry=registry)
        self.results = Counter("nnet_pytorch_results", "Results that are not partial", registry=registry)
        self.delays = Histogram(
            "nnet_pytorch_answer_seconds",
            "Seconds from a message to its answer",
            buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
            registry=registry,
        )
        self.batches = Histogram(
            "nnet_pytorch_batch_streams",
            "Streams that the network computed together",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=registry,
        )

    def text(self) -> bytes:
        """All of it, as a scraper asks for it."""
        return generate_latest(self._registry)
