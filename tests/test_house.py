"""The house: which folder may import which, no circles, and commands that only parse, call and report.

Found by a walk over the syntax trees, so that imports inside functions and those for types alone count too.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.places import ROOT

# From the ground up: a part imports only from parts before it. Modules that lie in a package itself come by name.
KALDI_BRIDGE = [
    "blas", "errors", "log", "lazy", "extension", "c_random", "io", "options", "completion", "command", "tables",
    "fsts", "hmm", "lang", "graphs", "lattices", "tree_building", "transforms", "features", "data_dirs", "model_dirs",
    "gmm", "ivectors", "examples", "rnnlm", "kws", "online", "commands",
]  # fmt: skip
NNET3_COMPAT = [
    "machine", "components", "structure", "model", "model_file", "folded", "modules", "network", "xconfig", "export",
    "chain", "discriminative", "examples", "evaluation", "utterances", "training", "rnnlm", "recognition", "alignment",
    "serving", "commands",
]  # fmt: skip
STEPS_PYTORCH = [
    "group", "registry", "trainable", "piecewise_linear", "data", "models", "samplers", "objectives", "training",
    "generation", "commands",
]  # fmt: skip
TRAINING = ["schedules", "optimizers", "report", "run"]
ORDER = [
    *(f"kaldi_bridge.{part}" for part in KALDI_BRIDGE),
    *(f"nnet3_compat.{part}" for part in NNET3_COMPAT),
    *(f"steps_pytorch.{part}" for part in STEPS_PYTORCH),
]
PACKAGES = ("kaldi_bridge", "nnet3_compat", "steps_pytorch")
LONGEST_COMMAND = 150


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}
SURFACES = {module_of(path.parent / "__init__.py") for path in MODULES.values() if path.name == "__init__.py"}


def is_type_check(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def nodes(tree: ast.AST, at_run_time: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        if not (at_run_time and is_type_check(child)):
            yield child
            yield from nodes(child, at_run_time)


@functools.cache
def imports(module: str, at_run_time: bool = False) -> frozenset[str]:
    """All that a module imports anywhere, as whole names; ``at_run_time``: without those for types alone."""
    found = set()
    for node in nodes(ast.parse(MODULES[module].read_text()), at_run_time):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                found.add(inner if inner in MODULES else node.module or "")
    return frozenset(found - {module})


def own_imports(module: str) -> set[str]:
    return {name for name in imports(module) if name in MODULES}


def part_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def test_every_part_has_its_place_in_the_order() -> None:
    assert {part_of(module) for module in MODULES} - set(PACKAGES) == set(ORDER)


def test_imports_point_down() -> None:
    upward = [
        f"{module} imports {name}"
        for module in MODULES
        for name in own_imports(module)
        # A package's __init__.py shows names of all its parts; inside, they are taken from where they are.
        if module not in PACKAGES and (name in PACKAGES or ORDER.index(part_of(name)) > ORDER.index(part_of(module)))
    ]
    assert not upward


def test_imports_point_down_inside_training() -> None:
    order = [f"steps_pytorch.training.{part}" for part in TRAINING]
    inside = {m: ".".join(m.split(".")[:3]) for m in MODULES if m.startswith("steps_pytorch.training.")}
    assert set(inside.values()) == set(order)
    upward = [
        f"{module} imports {name}"
        for module, part in inside.items()
        for name in own_imports(module)
        if name in inside and order.index(inside[name]) > order.index(part)
    ]
    assert not upward


def test_no_circles() -> None:
    """A package's __init__.py that shows names of its modules is no module of its own here."""
    state: dict[str, str] = {}
    way: list[str] = []

    def visit(module: str) -> None:
        state[module] = "open"
        way.append(module)
        for name in sorted(own_imports(module) - SURFACES):
            assert state.get(name) != "open", " -> ".join([*way[way.index(name) :], name])
            if name not in state:
                visit(name)
        way.pop()
        state[module] = "done"

    for module in MODULES:
        if module not in state and module not in SURFACES:
            visit(module)


COMMANDS = [module for module in MODULES if ".commands." in module and module not in SURFACES]


def test_nothing_imports_a_command() -> None:
    found = [f"{m} imports {name}" for m in MODULES for name in own_imports(m) if ".commands" in name]
    assert not found


@pytest.mark.parametrize("module", COMMANDS)
def test_commands_are_short(module: str) -> None:
    assert len(MODULES[module].read_text().splitlines()) <= LONGEST_COMMAND


def reached(module: str) -> set[str]:
    """All modules that importing this one and calling it may import."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found and name in MODULES:
            found.add(name)
            waiting += imports(name, at_run_time=True)
    return found


def test_what_speaks_kaldi_knows_no_network() -> None:
    """No command of kaldi_bridge, and nothing that one may reach, imports nnet3_compat or torch."""
    for module in MODULES:
        if module.startswith("kaldi_bridge."):
            for name in reached(module):
                outside = {i.partition(".")[0] for i in imports(name, at_run_time=True)}
                assert not outside & {"torch", "nnet3_compat", "steps_pytorch"}, f"{module} reaches {name}"


def test_tests_mirror_the_packages() -> None:
    """Each folder of tests is named after one of a package, but for utils/, egs/ and what tests share."""
    tests = ROOT / "tests"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")} - {Path(".")}
    assert {str(f) for f in folders if not (ROOT / f).is_dir()} <= {"helpers"}
