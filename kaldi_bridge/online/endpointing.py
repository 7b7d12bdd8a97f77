"""When to stop listening (online2/online-endpoint.h): five rules on silence, final costs, length; one is enough."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError

_NONSILENCE = "Whether the rule needs something other than silence in the best path"
_SILENCE = "Least seconds of silence at the end of the best path"
_COST = "Most that the best path to a final state may cost more than the best path"
_LENGTH = "Least seconds decoded"
INF = math.inf


@dataclass
class EndpointOptions:
    """Kaldi's OnlineEndpointConfig."""

    silence_phones: str = option("", "Silence phones, colon-separated, e.g. 1:2:3", name="endpoint.silence-phones")
    rule1_nonsilence: bool = option(False, _NONSILENCE, name="endpoint.rule1.must-contain-nonsilence")
    rule1_silence: float = option(5.0, _SILENCE, name="endpoint.rule1.min-trailing-silence")
    rule1_cost: float = option(INF, _COST, name="endpoint.rule1.max-relative-cost")
    rule1_length: float = option(0.0, _LENGTH, name="endpoint.rule1.min-utterance-length")
    rule2_nonsilence: bool = option(True, _NONSILENCE, name="endpoint.rule2.must-contain-nonsilence")
    rule2_silence: float = option(0.5, _SILENCE, name="endpoint.rule2.min-trailing-silence")
    rule2_cost: float = option(2.0, _COST, name="endpoint.rule2.max-relative-cost")
    rule2_length: float = option(0.0, _LENGTH, name="endpoint.rule2.min-utterance-length")
    rule3_nonsilence: bool = option(True, _NONSILENCE, name="endpoint.rule3.must-contain-nonsilence")
    rule3_silence: float = option(1.0, _SILENCE, name="endpoint.rule3.min-trailing-silence")
    rule3_cost: float = option(8.0, _COST, name="endpoint.rule3.max-relative-cost")
    rule3_length: float = option(0.0, _LENGTH, name="endpoint.rule3.min-utterance-length")
    rule4_nonsilence: bool = option(True, _NONSILENCE, name="endpoint.rule4.must-contain-nonsilence")
    rule4_silence: float = option(2.0, _SILENCE, name="endpoint.rule4.min-trailing-silence")
    rule4_cost: float = option(INF, _COST, name="endpoint.rule4.max-relative-cost")
    rule4_length: float = option(0.0, _LENGTH, name="endpoint.rule4.min-utterance-length")
    rule5_nonsilence: bool = option(False, _NONSILENCE, name="endpoint.rule5.must-contain-nonsilence")
    rule5_silence: float = option(0.0, _SILENCE, name="endpoint.rule5.min-trailing-silence")
    rule5_cost: float = option(INF, _COST, name="endpoint.rule5.max-relative-cost")
    rule5_length: float = option(20.0, _LENGTH, name="endpoint.rule5.min-utterance-length")

    def rules(self) -> tuple[tuple[bool, float, float, float], ...]:
        """Of each rule what it asks for: something other than silence, seconds of silence, cost, seconds in all."""
        return (
            (self.rule1_nonsilence, self.rule1_silence, self.rule1_cost, self.rule1_length),
            (self.rule2_nonsilence, self.rule2_silence, self.rule2_cost, self.rule2_length),
            (self.rule3_nonsilence, self.rule3_silence, self.rule3_cost, self.rule3_length),
            (self.rule4_nonsilence, self.rule4_silence, self.rule4_cost, self.rule4_length),
            (self.rule5_nonsilence, self.rule5_silence, self.rule5_cost, self.rule5_length),
        )


def phone_set(text: str, option_name: str) -> set[int]:
    """The phones of an option, with colons (or commas) between them. Raises KaldiError for anything else."""
    try:
        return {int(phone) for phone in text.replace(",", ":").split(":") if phone}
    except ValueError:
        raise KaldiError(f"Bad --{option_name}={text}: should be a colon-separated list of phones") from None


def endpoint_rule(options: EndpointOptions, seconds: float, silence: float, relative_cost: float) -> int:
    """The first rule that says to stop, 1 to 5; 0 when none does.

    Args:
        seconds: decoded so far; silence: of them, at the end of the best path.
        relative_cost: of the best path to a final state over the best path, >= 0 or infinite.
    """
    for rule, (nonsilence, least_silence, most_cost, least_length) in enumerate(options.rules(), 1):
        contains_nonsilence = seconds > silence
        if (
            (contains_nonsilence or not nonsilence)
            and silence >= least_silence
            and relative_cost <= most_cost
            and seconds >= least_length
        ):
            log.vlog(
                2,
                f"Endpointing rule rule{rule} activated: {'true' if contains_nonsilence else 'false'},{silence:g},"
                f"{relative_cost:g},{seconds:g}",
            )
            return rule
    return 0
