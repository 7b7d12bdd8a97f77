"""nnet-pytorch-serve: streams of speech from many clients, recognized by one model."""

from __future__ import annotations

import os
from dataclasses import dataclass

from kaldi_bridge.command import command
from nnet3_compat.serving.options import ServerOptions

USAGE = """Serve a model to the clients of vosk-server (WebSocket): many streams at a time, whose networks are computed
together. The model is a folder for Vosk, or a directory of Kaldi's for online decoding with a graph. Also a page with a
microphone (GET /), GET /health, and GET /metrics in Prometheus' format. Ends at SIGTERM, when the open streams have.

Usage: nnet-pytorch-serve [options] <model-dir>
e.g.:
 nnet-pytorch-serve vosk-model-small-en-us-0.15
 nnet-pytorch-serve --host=0.0.0.0 --port=443 --tls-certificate=fullchain.pem --tls-key=privkey.pem exp/tdnn_online"""


@dataclass
class Options(ServerOptions):
    """Options of nnet-pytorch-serve."""


def serve(options: Options, model_dir: str) -> int:
    options.check()
    from nnet3_compat.serving.websocket_server import serve_model

    serve_model(options, model_dir, options.num_threads or len(os.sched_getaffinity(0)))
    return 0


main = command(serve, usage=USAGE)

if __name__ == "__main__":
    main()
