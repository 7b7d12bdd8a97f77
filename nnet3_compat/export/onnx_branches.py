"""Several ONNX graphs with the same outputs as one, which an input ``chunk`` chooses among."""

from __future__ import annotations

from typing import Any

FEATURES = "features"  # the first input of each graph


def choose_by_chunk(models: list[Any], dims: list[int]) -> Any:
    """The graph of chunk 0, of chunk 1, ..., the last one, of two or more, being that of all later chunks too.

    Args:
        models: onnx.ModelProto; all name their inputs and outputs alike, and the first one takes no states.
        dims: of the states.
    """
    import onnx
    from onnx import TensorProto, helper

    kept: dict[bytes, str] = {}  # names of initializers by content: parameters that several graphs have are there once
    initializers: list[Any] = []
    branches = [_branch(model.graph, f"chunk{k}.", kept, initializers) for k, model in enumerate(models)]
    last = models[-1].graph
    outputs = [value.name for value in last.output]
    shapes = [["N", "T_out", last.output[0].type.tensor_type.shape.dim[2].dim_value]]
    shapes += [["N", f"rows{s}", dim] for s, dim in enumerate(dims)]

    inner = branches[-1]
    for k in reversed(range(len(branches) - 1)):
        tag = f"choose{k}."
        names = outputs if k == 0 else [tag + name for name in outputs]
        number = helper.make_node("Constant", [], [tag + "number"], value_int=k)
        test = helper.make_node("Equal", ["chunk", tag + "number"], [tag + "this"])
        chosen = helper.make_node("If", [tag + "this"], names, then_branch=branches[k], else_branch=inner)
        given = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in names]
        inner = helper.make_graph([number, test, chosen], f"from{k}", [], given)

    features = last.input[0].type.tensor_type.shape.dim[2].dim_value
    inputs = [helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, ["N", "T", features])]
    inputs += [value for value in last.input if value.name == "ivector"]
    inputs.append(helper.make_tensor_value_info("chunk", TensorProto.INT64, []))
    for s, dim in enumerate(dims):
        inputs.append(helper.make_tensor_value_info(f"state{s}", TensorProto.FLOAT, ["N", f"rows{s}", dim]))
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in zip(outputs, shapes, strict=True)]
    graph = helper.make_graph(list(inner.node), "chunks", inputs, values, initializers)
    model = helper.make_model(graph, opset_imports=models[-1].opset_import, producer_name="nnet-pytorch")
    model.ir_version = models[-1].ir_version
    onnx.checker.check_model(model)
    return model


def _branch(graph: Any, tag: str, kept: dict[bytes, str], initializers: list[Any]) -> Any:
    """A graph without inputs of its own, whose names begin with ``tag``; what it reads from outside keeps its name."""
    from onnx import helper

    names = {value.name: value.name for value in graph.input}
    names[FEATURES] = tag + FEATURES
    for tensor in graph.initializer:
        own = tensor.name
        tensor.name = ""
        content = tensor.SerializeToString()
        if content not in kept:
            kept[content] = f"tensor{len(kept)}"
            tensor.name = kept[content]
            initializers.append(tensor)
        names[own] = kept[content]
    for node in graph.node:
        if any(attribute.HasField("g") for attribute in node.attribute):
            raise ValueError("a chunk's graph has graphs within")
        node.name = tag + node.name if node.name else ""
        node.input[:] = [names[name] if name else "" for name in node.input]
        for name in node.output:
            names[name] = tag + name if name else ""
        node.output[:] = [names[name] for name in node.output]
    outputs = []
    for value in graph.output:
        value.name = names[value.name]
        outputs.append(value)
    # Only [N, frames, D] can be expanded to [1, frames, D]: another number of frames is refused.
    shape = [dim.dim_value for dim in graph.input[0].type.tensor_type.shape.dim]
    expected = helper.make_node("Constant", [], [tag + "shape"], value_ints=[1, *shape[1:]])
    checked = helper.make_node("Expand", [FEATURES, tag + "shape"], [names[FEATURES]])
    return helper.make_graph([expected, checked, *graph.node], tag + "graph", [], outputs)
