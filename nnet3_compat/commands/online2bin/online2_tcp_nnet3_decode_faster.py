"""nnet-pytorch-online2-tcp-decode-faster: twin of online2-tcp-nnet3-decode-faster."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from nnet3_compat.serving.tcp_options import TcpOptions

USAGE = """Recognize speech that comes in over TCP, as it comes in: clients send 16-bit PCM and are sent lines of words,
which end with a carriage return while they may still change and with a newline at endpoints and at the end. Any number
of clients at a time. Ends at SIGTERM, when the open connections have.
Usage: nnet-pytorch-online2-tcp-decode-faster [options] <nnet3-in> <fst-in> <word-symbol-table>
e.g.: nnet-pytorch-online2-tcp-decode-faster --config=exp/tdnn_online/conf/online.conf --frame-subsampling-factor=3 \\
    --acoustic-scale=1.0 exp/tdnn_online/final.mdl exp/graph/HCLG.fst exp/graph/words.txt
then: sox audio.wav -t raw -c 1 -b 16 -r 16k -e signed-integer - | nc -N localhost 5050"""


@dataclass
class Options(TcpOptions):
    """Options of online2-tcp-nnet3-decode-faster."""


def online2_tcp_decode_faster(options: Options, nnet3_in: str, fst_in: str, word_symbol_table: str) -> int:
    options.check()
    from nnet3_compat.serving.tcp_server import serve_tcp

    serve_tcp(options, nnet3_in, fst_in, word_symbol_table)
    return 0


main = command(online2_tcp_decode_faster, usage=USAGE)

if __name__ == "__main__":
    main()
