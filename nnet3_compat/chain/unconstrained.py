"""Supervisions of transition-ids as flat-start ones, within which phones may move (chain/chain-supervision.cc)."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.fsts.acceptors import INFINITY, Acceptor, Arc, without_epsilons
from kaldi_bridge.hmm.transition_model import TransitionModel
from nnet3_compat.chain.normalization import MOST_STATES


def unconstrained(supervision: Supervision, model: TransitionModel, random: Random) -> Supervision:
    """An acceptor of pdfs with the same phones in order, each of any length; labels of the other are transition-ids.

    Phones that are cut in half at the beginning stay so. ``alignment_pdfs`` are those of one path, drawn at random.
    Raises KaldiError where the supervision was made with --convert-to-pdfs=true.
    """
    if supervision.fst is None or supervision.label_dim != model.num_transition_ids:
        raise KaldiError("these supervisions hold no transition-ids: make them with --convert-to-pdfs=false")
    graph = without_epsilons(Acceptor.from_fst(supervision.fst))
    pdfs = [int(model.id_to_pdf[tid]) for tid in _random_path(graph, random)]
    loops = model.is_self_loop.tolist()
    arcs = [
        [(0 if loops[label] and s != graph.start else label, 0.0, t) for label, _, t in out]
        for s, out in enumerate(graph.arcs)
    ]
    phones = Acceptor(graph.start, arcs, [0.0 if f < INFINITY else f for f in graph.finals]).packed()
    phones = phones.without_epsilons().determinized(MOST_STATES).minimized()
    graph = _with_self_loops(Acceptor.unpacked(phones), model)
    pdf = (model.id_to_pdf + 1).tolist()
    graph.arcs = [[(pdf[label], cost, t) for label, cost, t in out] for out in graph.arcs]
    return replace(supervision, label_dim=model.num_pdfs, fst=None, e2e_fsts=[graph.to_fst()], alignment_pdfs=pdfs)


def _random_path(graph: Acceptor, random: Random) -> list[int]:
    labels = []
    state = graph.start
    while graph.arcs[state]:
        label, _, state = random.choice(graph.arcs[state])
        labels.append(label)
    return labels


def _with_self_loops(graph: Acceptor, model: TransitionModel) -> Acceptor:
    """Each state split by the transition state that leads to it, with the self-loop of that."""
    state_of = model.id_to_state.tolist()
    numbers = {(graph.start, 0): 0}
    order = [(graph.start, 0)]
    arcs: list[list[Arc]] = []
    finals: list[float] = []
    for state, last in order:
        out: list[Arc] = []
        for label, cost, target in graph.arcs[state]:
            place = (target, state_of[label])
            if place not in numbers:
                numbers[place] = len(numbers)
                order.append(place)
            out.append((label, cost, numbers[place]))
        loop = model.self_loop_of(last) if last else 0
        if loop:
            out.append((loop, 0.0, numbers[(state, last)]))
        arcs.append(out)
        finals.append(graph.finals[state])
    return Acceptor(0, arcs, finals)
