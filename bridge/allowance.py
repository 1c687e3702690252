"""How often each sender is answered: a token bucket a sender. It reads no clock."""

from __future__ import annotations

from bridge.protocol import Sender

MAX_SENDERS = 256  # whose allowance is remembered


class Allowance:
    """Tokens for each sender, refilled with time: who floods is answered slowly, the others as ever. One thread."""

    def __init__(self, per_s: float, senders: int = MAX_SENDERS) -> None:
        self._per_s = per_s
        self._max_senders = senders
        self._tokens: dict[Sender, tuple[float, float]] = {}

    def take(self, sender: Sender, now_s: float) -> bool:
        """Whether this sender has a token left; uses it up."""
        tokens, since_s = self._tokens.pop(sender, (self._per_s, now_s))
        tokens = min(self._per_s, tokens + (now_s - since_s) * self._per_s)
        has_token = tokens >= 1.0
        self._tokens[sender] = (tokens - has_token, now_s)
        if len(self._tokens) > self._max_senders:
            del self._tokens[next(iter(self._tokens))]  # the one heard longest ago
        return has_token
