"""Any explanation in words: what `steppe explain` prints, and the API answers beside the figures."""

from __future__ import annotations

from collections.abc import Iterator

from payout.explain import balance, credit, fee_day, payment, per_share
from payout.explain.balance import BalanceExplained
from payout.explain.credit import CreditExplained
from payout.explain.fee_day import FeeDayExplained
from payout.explain.payment import PayoutExplained
from payout.explain.per_share import PerShareExplained
from pool.explain import reject
from pool.explain.reject import RejectExplained

CreditFigures = CreditExplained | PerShareExplained | FeeDayExplained
Figures = CreditFigures | PayoutExplained | BalanceExplained | RejectExplained


def words(figures: Figures) -> Iterator[str]:
    """Line by line."""
    match figures:
        case CreditExplained():
            return credit.words(figures)
        case PerShareExplained():
            return per_share.words(figures)
        case FeeDayExplained():
            return fee_day.words(figures)
        case PayoutExplained():
            return payment.words(figures)
        case BalanceExplained():
            return balance.words(figures)
        case RejectExplained():
            return reject.words(figures)
