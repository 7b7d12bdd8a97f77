"""What an archive keeps of the nnet3 network that it was made of, so that the network can be had back.

It is Kaldi's raw model, deflated, with zeros in the place of all that the archive's own tensors hold.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Mapping

import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.output_stream import Pieces
from kaldi_bridge.io.streams import InputStream
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet

SPARE = 1 << 26
"""Bytes that a model may have beyond those of the archive's tensors, in double precision."""


def parts_of(network: Network) -> bytes:
    """What an archive of the network's node "output" is to keep."""
    empty = copy.deepcopy(network)
    with torch.no_grad():
        for tensor in empty.executor(("output",)).state_dict().values():
            tensor.zero_()
    pieces = Pieces("nnet3 network")
    basic_io.write_header(pieces, True)
    empty.to_nnet().write(pieces, True)
    return zlib.compress(pieces.data())


def network_of(parts: bytes, tensors: Mapping[str, Tensor], name: str) -> Network:
    """The network out of what ``parts_of`` gave and the tensors of an archive ``name``.

    Raises:
        KaldiError: damaged, or the two do not belong together.
    """
    limit = SPARE + 2 * sum(x.numel() * x.element_size() for x in tensors.values())
    try:
        data = zlib.decompressobj().decompress(parts, limit)
    except zlib.error as error:
        raise KaldiError(f"{name}: its nnet3 network is damaged ({error})") from error
    with within(name):
        stream = InputStream.from_bytes(data, f"{name}: nnet3 network")
        network = Network.from_nnet(Nnet.read(stream, basic_io.read_header(stream)))
    executor = network.executor(("output",))
    found = {key.removeprefix("core.").removeprefix("executor."): tensor for key, tensor in tensors.items()}
    wanted = executor.state_dict()
    if any(key not in found or found[key].shape != own.shape for key, own in wanted.items()):
        raise KaldiError(f"{name}: its tensors are not those of its nnet3 network")
    executor.load_state_dict({key: found[key] for key in wanted})
    return network
