"""nnet-pytorch-export: models for programs that are not Kaldi, and PyTorch parameters back to Kaldi."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from nnet3_compat.export.vosk_folder import VoskOptions, write_vosk_folder

USAGE = """Write a Kaldi model as TorchScript, as a torch.export program, as ONNX, or as a .mdl with TorchScript inside;
or write parameters that were trained in PyTorch, or the nnet3 network that an archive was made of, as a Kaldi model; or
a model directory and a graph as a folder that Vosk opens.

Usage:  nnet-pytorch-export [options] <model-in> <model-out>
e.g.:
 nnet-pytorch-export --frame-subsampling-factor=3 final.mdl final.pt
 nnet-pytorch-export --frame-subsampling-factor=3 final.mdl final.onnx
 nnet-pytorch-export --format=aot --frame-subsampling-factor=3 final.mdl final.pt2
 nnet-pytorch-export --format=nnet3 --state=trained.pt final.mdl trained.mdl
 nnet-pytorch-export --format=int8 final.mdl small.mdl
 nnet-pytorch-export --vosk --graph=exp/tdnn/graph --mfcc-config=conf/mfcc_hires.conf exp/tdnn/final.mdl vosk-model
"""


@dataclass
class Options(VoskOptions):
    vosk: bool = option(False, "Write a folder for Vosk; only options that begin with its name go with it")
    format: str = option(
        "",
        "Default: as the name of <model-out> ends, .pt2, .onnx or .mdl, else torchscript. "
        "torchscript: an archive that torch.jit.load runs alone. pt2: a torch.export program. aot: the same, compiled "
        "for processors as this one, which takes a C++ compiler. mdl: TorchScript behind Kaldi's transition model, for "
        "programs that read that from a .mdl. onnx: for onnxruntime. nnet3: Kaldi's own, a .mdl where there is a "
        "transition model, else raw. int8: the same with parameters in eight bits, a quarter of the size, for all "
        "programs here.",
    )
    frame_subsampling_factor: int = option(
        1, "Input frames per output frame (not for nnet3, int8); an archive as input: 1 means its own"
    )
    extra_left_context: int = option(0, "Frames asked for beyond the left context (not for nnet3, int8)")
    extra_right_context: int = option(0, "Frames asked for beyond the right context (not for nnet3, int8)")
    frames_per_chunk: int = option(
        0, "onnx, or --streaming: input frames covered by the output of every call; 0 means any number"
    )
    streaming: bool = option(
        False,
        "pt2 or onnx: a model that computes utterances chunk by chunk, of --frames-per-chunk, and hands on what is "
        "carried over, as Kaldi's looped computation does",
    )
    transition_model: str = option("", "Take the transition model from this .mdl; default: the input's, if it has one")
    state: str = option("", "Load this state dict (torch.save of Network.state_dict()) into the network first")
    binary: bool = option(True, "nnet3 only: write in binary mode")


def export(options: Options, model_in: str, model_out: str) -> None:
    if options.vosk:
        write_vosk_folder(model_in, model_out, options)
        return
    from nnet3_compat.export.conversion import export_model  # imports torch

    export_model(
        model_in,
        model_out,
        options.format,
        frame_subsampling_factor=options.frame_subsampling_factor,
        extra_left_context=options.extra_left_context,
        extra_right_context=options.extra_right_context,
        frames_per_chunk=options.frames_per_chunk,
        transition_model=options.transition_model,
        state=options.state,
        binary=options.binary,
        streaming=options.streaming,
    )


main = command(export, usage=USAGE)

if __name__ == "__main__":
    main()
