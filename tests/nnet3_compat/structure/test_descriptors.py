"""Descriptors: Kaldi's notation, dimensions, moduli, normal form, and errors."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaldi_bridge.errors import KaldiError
from nnet3_compat.structure.descriptors import (
    Append,
    Const,
    Descriptor,
    Failover,
    IfDefined,
    NodeRef,
    Offset,
    ReplaceIndex,
    Round,
    Scale,
    Sum,
    Switch,
    normalize,
    parse,
)

DIMS = {"a": 3, "b": 3, "c": 5, "node-1.x": 2}


@pytest.mark.parametrize(
    ("text", "written", "dim", "modulus"),
    [
        ("a", "a", 3, 1),
        ("Append(a,c)", "Append(a, c)", 8, 1),
        ("Append( a , Append(b,c) )", "Append(a, b, c)", 11, 1),
        ("Sum(a, Scale(-2, b))", "Sum(a, Scale(-2, b))", 3, 1),
        ("Sum(a,b,a)", "Sum(a, Sum(b, a))", 3, 1),
        ("Const(1.5, 4)", "Const(1.5, 4)", 4, 1),
        ("Offset(a, -3)", "Offset(a, -3)", 3, 1),
        ("Offset(a, 1, 2)", "Offset(a, 1, 2)", 3, 1),
        ("Round(a, 3)", "Round(a, 3)", 3, 3),
        ("Switch(a, b)", "Switch(a, b)", 3, 2),
        ("Append(Switch(a,b,a), Round(c, 4))", None, 8, 12),
        ("ReplaceIndex(c, t, 0)", "ReplaceIndex(c, t, 0)", 5, 1),
        ("Failover(Offset(a,-1), b)", "Failover(Offset(a, -1), b)", 3, 1),
        ("IfDefined(Offset(node-1.x, -1))", "IfDefined(Offset(node-1.x, -1))", 2, 1),
    ],
)
def test_notation(text: str, written: str | None, dim: int, modulus: int) -> None:
    descriptor = parse(text, DIMS)
    assert descriptor.dim(DIMS.__getitem__) == dim
    assert descriptor.modulus() == modulus
    assert parse(str(descriptor), DIMS) == descriptor
    if written is not None:
        assert str(descriptor) == written


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "descriptor"),
        ("nowhere", "nowhere"),
        ("Append(a", r"\)"),
        ("Append()", "descriptor"),
        ("Append(a) b", "b"),
        ("Offset(a)", ","),
        ("Offset(a, x)", "x"),
        ("Offset(a, 1.5)", "1.5"),
        ("Round(a, 0)", "0"),
        ("ReplaceIndex(a, n, 0)", "n"),
        ("Const(1.5, -4)", "-4"),
        ("Scale(two, a)", "two"),
        ("Failover(a)", ","),
        ("Sum(a b)", "b"),
        ("Offset(a, 99999999999999999999)", "99999999999999999999"),
    ],
)
def test_errors_name_the_place(text: str, what: str) -> None:
    with pytest.raises(KaldiError, match=what):
        parse(text, DIMS)


@pytest.mark.parametrize("text", ["Sum(a, c)", "Failover(a, c)", "Switch(a, c)"])
def test_dimensions_must_be_equal(text: str) -> None:
    with pytest.raises(KaldiError, match="dim"):
        parse(text, DIMS).dim(DIMS.__getitem__)


def test_nesting_has_a_limit() -> None:
    with pytest.raises(KaldiError):
        parse("Offset(" * 100_000 + "a" + ", 1)" * 100_000, DIMS)


def test_normal_form() -> None:
    """What Kaldi writes into a model: Append outside, then Sum, then Scale, Offset inside."""
    assert str(normalize(parse("Offset(Append(a, b), 2)"))) == "Append(Offset(a, 2), Offset(b, 2))"
    assert str(normalize(parse("Offset(Offset(a, 1), 2)"))) == "Offset(a, 3)"
    assert str(normalize(parse("Offset(Offset(a, 1), -1)"))) == "a"
    assert str(normalize(parse("Scale(2, Scale(3, a))"))) == "Scale(6, a)"
    assert str(normalize(parse("Append(a, Append(b, c))"))) == "Append(a, b, c)"


NODES = st.sampled_from(sorted(DIMS)).map(NodeRef)
INTEGERS = st.integers(-20, 20)


def _deeper(inner: st.SearchStrategy[Descriptor]) -> st.SearchStrategy[Descriptor]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        several.map(Append),
        st.tuples(inner, inner).map(Sum),
        several.map(Switch),
        st.builds(Offset, inner, INTEGERS),
        st.builds(Round, inner, st.integers(1, 9)),
        st.builds(Scale, st.sampled_from([0.5, -1.0, 2.0]), inner),
        st.builds(IfDefined, inner),
        st.builds(Failover, inner, inner),
        st.builds(ReplaceIndex, inner, st.sampled_from(["t", "x"]), INTEGERS),
    )


DESCRIPTORS = st.recursive(st.one_of(NODES, st.builds(Const, st.just(1.0), st.just(3))), _deeper, max_leaves=8)


@given(DESCRIPTORS)
def test_text_round_trip(descriptor: Descriptor) -> None:
    assert set(descriptor.node_names()) <= set(DIMS)
    with contextlib.suppress(KaldiError):  # a form that Kaldi has no place for
        parsed = parse(str(descriptor), DIMS)
        assert parse(str(parsed), DIMS) == parsed


@given(DESCRIPTORS)
def test_normalizing_is_idempotent_and_keeps_the_dimension(descriptor: Descriptor) -> None:
    with contextlib.suppress(KaldiError):  # inequal dimensions, or a form that Kaldi has no place for
        dim = descriptor.dim(DIMS.__getitem__)
        normal = normalize(descriptor)
        assert normal.dim(DIMS.__getitem__) == dim
        assert str(normalize(normal)) == str(normal)


@given(st.text(alphabet="abc(),-.0123456789 AppendOfstSumRI", max_size=50))
def test_any_text_is_a_descriptor_or_an_error(text: str) -> None:
    with contextlib.suppress(KaldiError):
        parse(text, DIMS)
