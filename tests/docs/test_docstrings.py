"""Every public name has a docstring: what `make docs` makes the reference of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.places import ROOT

PACKAGES = ("kaldi_bridge", "nnet3_compat", "steps_pytorch")
MODULES = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "commands" not in path.relative_to(ROOT).parts  # those have --help
]
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef


def names_of_packages() -> set[str]:
    """What the ``__all__`` of packages say."""
    found: set[str] = set()
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            if (
                path.name == "__init__.py"
                and isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]) == "__all__"
            ):
                found |= set(ast.literal_eval(node.value))
    return found


def public(path: Path, whole: set[str]) -> Iterator[tuple[str, DOCUMENTED]]:
    """The module, its public classes and functions, and the methods of the classes that are ``whole``."""
    tree = ast.parse(path.read_text())
    yield "module", tree
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node
            for inner in node.body if node.name in whole else []:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield f"{node.name}.{inner.name}", inner


def test_public_names_have_docstrings() -> None:
    whole = names_of_packages()
    assert {"Network", "ChainLoss", "SequentialReader"} <= whole
    found = [(path, name, node) for path in MODULES for name, node in public(path, whole)]
    missing = [f"{path.relative_to(ROOT)}: {name}" for path, name, node in found if not ast.get_docstring(node)]
    assert not missing, "\n".join(missing)
