"""What a ``torch.export`` program may contain before torch is let at it.

``torch.export.load`` trusts its file: it unpickles what says that it is pickled, evaluates the expressions of sizes as
Python (sympy), makes Python source out of names, and calls whatever function of torch a node names. A program that
passes here has none of that: tensors lie as raw numbers, expressions are arithmetic, names are names, and every node is
an operation on tensors and numbers.
"""

from __future__ import annotations

import io
import json
import re
from typing import Any

import torch

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.json_text import parse_json

MEMBERS = re.compile(
    r"archive_format|archive_version|byteorder|version|\.data/(version|serialization_id)|\.format_version|"
    r"models/\w+\.json|data/(weights|constants)/(\w+_config\.json|(weight|tensor)_\d+)|data/sample_inputs/\w+\.pt|"
    r"extra/[\w.]+"
)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*|")
EXPRESSION = re.compile(
    r"(?:Symbol\('[sun]\d{1,9}'|(?:positive|integer|nonnegative)=True|Integer\(-?\d{1,18}\)|-?\d{1,18}(?!\d)|int_oo|True|False"
    r"|(?:Add|Mul|FloorDiv|CeilDiv|CleanDiv|Mod|PythonMod|Max|Min|GreaterThan|StrictGreaterThan|LessThan|StrictLessThan"
    r"|Equality|Unequality|Not|And|Or)(?=\()|[(), ])*"
)
TREE = re.compile(r"[\w\s\[\]{}\",:.]*")  # JSON of nested tuples, lists and dicts
NUMBERS = {
    *(f"_operator.{name}" for name in ("add", "sub", "mul", "floordiv", "mod", "neg", "pos", "and_", "or_", "getitem")),
    *(f"_operator.{name}" for name in ("eq", "ne", "lt", "le", "gt", "ge")),
    *(f"torch.{name}" for name in ("sym_max", "sym_min", "sym_not", "sym_ite", "sym_int", "sym_float")),
    "math.ceil", "math.floor", "math.trunc",
}  # fmt: skip
HIGHER = {f"torch.ops.higher_order.{name}" for name in ("scan", "cond", "while_loop")}
UNDERSCORED = {
    "_softmax", "_log_softmax", "_to_copy", "_assert_scalar", "_assert_tensor_metadata", "_unsafe_view",
    "_native_batch_norm_legit_no_training", "_scaled_dot_product_flash_attention_for_cpu", "_weight_norm",
    "__and__", "__or__", "__xor__",
}  # fmt: skip
MOVING = {"set_", "set_data", "resize_", "resize_as_", "resize_as_sparse_", "as_strided_", "rename_", "swap_"}
"""Operations in place that change more than numbers."""
WORDS = {"rounding_mode", "reduce", "approximate", "indexing", "interpolation", "equation", "mode", "padding_mode",
         "assert_msg"}  # fmt: skip
"""Arguments that may be text: no file has its name from them."""


def check_members(names: list[str], name: str) -> None:
    """Raises KaldiError where an archive has a member that is none of a program of tensors."""
    for member in names:
        if not MEMBERS.fullmatch(member.partition("/")[2]):
            raise KaldiError(f"{name}: {member} has no place in a torch.export program of tensors, so it is not loaded")


def check_weights(text: bytes, name: str) -> None:
    """Raises KaldiError where a tensor is not stored as raw numbers on the CPU.

    Args:
        text: a ``weights_config.json`` or ``constants_config.json``.
    """
    entries = parse_json(text, name).get("config")
    if not isinstance(entries, dict):
        raise KaldiError(f"{name}: no list of tensors")
    for key, entry in entries.items():
        found = entry if isinstance(entry, dict) else {}
        meta = found.get("tensor_meta")
        path = found.get("path_name")
        if found.get("use_pickle") is not False or not isinstance(meta, dict) or not isinstance(path, str):
            raise KaldiError(f"{name}: {key!r} is not stored as plain numbers; what is pickled is not loaded")
        if not re.fullmatch(r"(weight|tensor)_\d+", path) or not NAME.fullmatch(key):
            raise KaldiError(f"{name}: {key!r} in {path!r} is no name of a tensor")
        device = meta.get("device")
        if not isinstance(device, dict) or device.get("type") != "cpu":
            raise KaldiError(f"{name}: {key!r} is not on the CPU")


def check_sample_inputs(data: bytes, name: str) -> None:
    """Raises KaldiError where they are anything but tensors and plain values, which torch would unpickle."""
    try:
        torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:
        raise KaldiError(f"{name}: its sample inputs are no plain tensors, so it is not loaded") from error


def check_program(text: bytes, name: str) -> None:
    """Raises KaldiError where a program (``models/*.json``) is more than operations on tensors and numbers."""
    program = parse_json(text, name)
    if program.get("guards_code"):
        raise KaldiError(f"{name}: the program has guards in Python, which are not run")
    if program.get("verifiers", []) not in ([], ["TRAINING"], ["ATEN"]):
        raise KaldiError(f"{name}: the program is of an unknown dialect")
    _Walk(name).check(program, "")


class _Walk:
    """Looks at every key and text of a program."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.targets: set[str] = set()

    def check(self, found: Any, key: str) -> None:
        if isinstance(found, dict):
            if key == "metadata" and found:
                raise KaldiError(f"{self.name}: the program was not written by nnet-pytorch-export (it has metadata)")
            for inner, value in found.items():
                if not NAME.fullmatch(inner):
                    raise KaldiError(f"{self.name}: the program has a strange name: {inner[:80]!r}")
                self.check(value, inner)
        elif isinstance(found, list):
            for value in found:
                self.check(value, key)
        elif isinstance(found, str):
            self._check_text(found, key)

    def _check_text(self, text: str, key: str) -> None:
        if key == "target":
            if text not in self.targets:
                check_target(text, self.name)
                self.targets.add(text)
        elif key == "expr_str":
            if not EXPRESSION.fullmatch(text):
                raise KaldiError(f"{self.name}: the program has a size that is no arithmetic: {text[:80]!r}")
        elif key in ("in_spec", "out_spec"):
            if not TREE.fullmatch(text) or not _plain_tree(text):
                raise KaldiError(f"{self.name}: the program takes or gives more than tensors: {text[:80]!r}")
        elif key == "as_string":  # torch writes it into its source as repr() does; check_target says who takes text
            pass
        elif key == "torch_version":
            if not re.fullmatch(r"[\w.+-]{1,40}", text):
                raise KaldiError(f"{self.name}: the program is of no version of torch")
        elif not NAME.fullmatch(text) or text.startswith("__"):
            raise KaldiError(f"{self.name}: the program has a strange name: {text[:80]!r}")


def _plain_tree(text: str) -> bool:
    """Whether all containers of torch's description of arguments are Python's own."""
    if not text:
        return True
    plain = {None, "builtins.tuple", "builtins.list", "builtins.dict"}
    waiting = [json.loads(text)]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            if "type" in found and found["type"] not in plain:
                return False
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found
    return True


def check_target(target: str, name: str) -> None:
    """Raises KaldiError where a node calls anything but an operation on tensors or numbers."""
    if target in NUMBERS or target in HIGHER or _is_tensor_operation(target):
        return
    raise KaldiError(f"{name}: the program calls {target[:80]!r}, which is no plain operation on tensors")


def _is_tensor_operation(target: str) -> bool:
    """One of aten's that takes no text, such as a file's name, and moves no tensor to other memory."""
    found = re.fullmatch(r"torch\.ops\.aten\.([A-Za-z0-9_]+)\.([A-Za-z0-9_]+)", target)
    if found is None or (found[1].startswith("_") and found[1] not in UNDERSCORED):
        return False
    packet = getattr(torch.ops.aten, found[1], None)
    operation = getattr(packet, found[2], None)
    schema = getattr(operation, "_schema", None)
    if schema is None or found[1] in MOVING or (schema.is_mutable and not found[1].endswith("_")):
        return False
    for argument in schema.arguments:
        kind = str(argument.type)
        if "str" in kind and argument.name not in WORDS:
            return False
        if not re.fullmatch(r"(Optional\[|List\[)*(Tensor|int|float|bool|number|Device|Layout|str|Generator|Scalar|"
                            r"SymInt|SymFloat|SymBool|ScalarType|MemoryFormat)\]*", kind):  # fmt: skip
            return False
    return True
