"""Model files of every kind, told apart by their content, never by their name.

Kaldi raw (``<Nnet3>``), Kaldi .mdl (``<TransitionModel>``, then network and priors), an archive (TorchScript's or
torch.export's zip, or an ONNX file), which may have a transition model inside, and our own .mdl: Kaldi's transition
model, then ``<TorchScript>``, the archive's size and the archive.
"""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel, transition_model_in
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.archive_extras import is_archive
from kaldi_bridge.io.onnx_metadata import is_onnx
from kaldi_bridge.io.streams import InputStream, OutputStream, open_input, open_output
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.structure.nnet import Nnet

MAX_ARCHIVE = 1 << 36


@dataclass
class Archive:
    """An archive as bytes; ``transition_model`` when it came in our .mdl."""

    data: bytes
    transition_model: TransitionModel | None = None


Model = Nnet | AmNnet | Archive
FROM_ARCHIVE = "which nnet-pytorch-export --format=nnet3 makes of an archive that was made of one"
FROM_ONNX = "give the one that it was exported from"


def read_any(rxfilename: str) -> Model:
    """Any kind of model: Nnet (Kaldi raw), AmNnet (Kaldi .mdl), Archive (alone, or in our .mdl).

    Raises KaldiError.
    """
    with open_input(rxfilename) as stream:
        return _read(stream)


def _read(stream: InputStream) -> Model:
    if is_archive(stream.peek(4)):
        return Archive(stream.read_all())
    binary = basic_io.read_header(stream)
    token = basic_io.peek_token(stream, binary)
    if token == "N":
        return Nnet.read(stream, binary)
    if token != "T":
        raise KaldiError(
            f"{stream.name}: not a model: it starts neither as a Kaldi model does nor as an archive of torch's or an "
            "ONNX file"
        )
    transition_model = TransitionModel.read(stream, binary)
    if basic_io.peek_token(stream, binary) == "N":
        return AmNnet.read_after_transition_model(transition_model, stream, binary)
    basic_io.expect_token(stream, binary, "<TorchScript>")
    size = basic_io.read_int64(stream, binary)
    if not 0 < size < MAX_ARCHIVE:
        raise KaldiError(f"{stream.where()}: {size} is no size of an archive")
    return Archive(stream.read(size), transition_model)


def read_nnet(rxfilename: str) -> Nnet:
    """The network of a Kaldi raw or .mdl file. Raises KaldiError for an archive, which has none."""
    model = read_any(rxfilename)
    if isinstance(model, Archive):
        raise _not_of_kaldi(rxfilename, model, "an nnet3 network (Kaldi raw or .mdl)")
    return model.nnet if isinstance(model, AmNnet) else model


def read_model(rxfilename: str) -> AmNnet:
    """A Kaldi .mdl. Raises KaldiError for any other kind."""
    model = read_any(rxfilename)
    if not isinstance(model, AmNnet):
        if isinstance(model, Archive):
            raise _not_of_kaldi(rxfilename, model, "a Kaldi .mdl")
        raise KaldiError(f"{rxfilename} is a raw network, without transition model: this needs a Kaldi .mdl")
    return model


def _not_of_kaldi(name: str, archive: Archive, needed: str) -> KaldiError:
    kind, way = ("an ONNX file", FROM_ONNX) if is_onnx(archive.data) else ("an archive of torch's", FROM_ARCHIVE)
    return KaldiError(f"{name} is {kind}: this needs {needed}, {way}")


def read_with_transitions(rxfilename: str) -> tuple[AmNnet | Archive, TransitionModel]:
    """A .mdl, or an archive that has its transition model inside, to search graphs with.

    Raises KaldiError for a model without transitions.
    """
    model = read_any(rxfilename)
    transitions = None if isinstance(model, Nnet) else model.transition_model
    if isinstance(model, Archive) and transitions is None:
        transitions = transition_model_in(model.data, rxfilename)
    if isinstance(model, Nnet) or transitions is None:
        raise KaldiError(
            f"{rxfilename} has no transition model, so no graph can be searched with it: this needs a .mdl, or an "
            "archive that nnet-pytorch-export made of one"
        )
    return model, transitions


def write_model(wxfilename: str, model: Nnet | AmNnet, binary: bool = True) -> None:
    """Writes a Kaldi raw or .mdl file, whole or not at all."""
    with open_output(wxfilename) as stream:
        basic_io.write_header(stream, binary)
        model.write(stream, binary)


def write_archive(wxfilename: str, archive: Archive) -> None:
    """Writes an archive, or our .mdl when it has a transition model."""
    with open_output(wxfilename) as stream:
        if archive.transition_model is not None:
            write_mdl_head(stream, archive.transition_model, len(archive.data))
        stream.write(archive.data)


def write_mdl_head(stream: OutputStream, transition_model: TransitionModel, size: int) -> None:
    """What stands before the TorchScript archive of ``size`` bytes in our ``.mdl``."""
    basic_io.write_header(stream, True)
    transition_model.write(stream, True)
    basic_io.write_token(stream, True, "<TorchScript>")
    basic_io.write_int64(stream, True, size)
