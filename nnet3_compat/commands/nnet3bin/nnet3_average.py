"""nnet-pytorch-average: twin of nnet3-average."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.options import OutputOptions
from nnet3_compat.components.config_line import to_real
from nnet3_compat.model.model_file import read_nnet, write_model
from nnet3_compat.model.whole_network import add, scale

USAGE = """Average the parameters and statistics of networks of the same structure, possibly with weights.
Usage: nnet-pytorch-average [options] <nnet1-in> <nnet2-in> ... <nnet-out>
e.g.: nnet-pytorch-average 1.1.raw 1.2.raw 1.3.raw 2.raw"""


@dataclass
class Options(OutputOptions):
    """Options of nnet3-average."""

    weights: str = option("", "Colon-separated weights, one for each input; they are normalized to sum to one")
    num_threads: int = without_effect(-1, "Networks are read one after the other")


def _weights(text: str, count: int) -> list[float]:
    if not text:
        return [1.0 / count] * count
    weights = [to_real(part) for part in text.split(":")]
    if len(weights) != count or None in weights:
        raise KaldiError(f"--weights={text}: must be {count} numbers separated by colons, one for each input")
    total = sum(w for w in weights if w is not None)
    if not total > 0.0:
        raise KaldiError(f"--weights={text}: the sum must be greater than zero")
    return [w / total for w in weights if w is not None]


def average(options: Options, first: str, second: str, *more: str) -> int:
    everything = [first, second, *more]
    inputs, nnet_out = everything[:-1], everything[-1]
    weights = _weights(options.weights, len(inputs))
    total = read_nnet(inputs[0])
    scale(total, weights[0])
    for rxfilename, weight in zip(inputs[1:], weights[1:], strict=True):
        try:
            add(total, weight, read_nnet(rxfilename))
        except KaldiError as error:
            raise KaldiError(f"{rxfilename} cannot be averaged with {inputs[0]}: {error}") from None
    write_model(nnet_out, total, options.binary)
    log.info(f"Averaged parameters of {len(inputs)} neural nets, and wrote to {nnet_out}")
    return 0


main = command(average, usage=USAGE)

if __name__ == "__main__":
    main()
