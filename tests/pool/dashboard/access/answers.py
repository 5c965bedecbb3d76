"""What is answered to orders, as whoever carries them out would: one of each type."""

from __future__ import annotations

from typing import Any

from payout.charges import Charged, EnergyCharge
from payout.desk_views import (
    AccountTerms,
    AccountView,
    AddressReport,
    BrokenReport,
    PlannedLine,
    PlanReport,
    PlanView,
    ReserveReport,
    StatusReport,
    ThresholdReport,
    WaitingBlock,
)
from payout.foreign import Foreign
from payout.planning import Waiting
from payout.ports import Stop
from payout.reserve import Standing
from pool.dashboard.access.fleet_orders import ChargesMade, FleetFiles, MovePlanned, Recorded, Strays
from pool.dashboard.access.money_orders import Drafted, ForeignPayments, GivenOut, WaitingBlocks
from pool.fleet.kinds import Site
from pool.fleet.planning import Due, Planned
from pool.fleet.report import Stray
from pool.fleet.views import GROUPS, view
from tests.pool.fleet.moves import PLAN

HASH = f"{0x4A51C08:064x}"
_PLAN = PlanView("pplns", 100, 1, "1970-01-01 00:00:00+00:00", None, "in_force")
_ACCOUNT = AccountView("texas-2", "1970-01-01", "pplns", 100, "pplns", (_PLAN,), 1, 2, 3, "4")
_STANDING = Standing(
    held_sat=5, block_sat=6, margin_bps=100, alarm_sat=7, close_sat=None, floor_sat=0, stopped_height=None
)
_PLANNED = Planned("out", PLAN, 5, (Due("acme.sc-r01-1", "sc-r01", 6),), is_kept=False)
_SITE = Recorded(
    "1 rows recorded",
    (view(Site(name="ganzi", country="CN", time_zone="Asia/Shanghai", row_id=1, valid_from_ms=1_600_000_000_000)),),
)

ANSWERS: dict[str, Any] = {
    "payouts.plan": PlanReport(
        5_000, 7, (PlannedLine("texas-2", "bcrt1q", 7),), (Waiting("other", 3, "below_minimum", 5),)
    ),
    "payouts.status": StatusReport(True, 1, "look", {"built": 1}, (BrokenReport(1, "title", "what", "mend"),)),
    "payouts.foreign": ForeignPayments((Foreign(HASH, 6, 700, 5, (("bcrt1q", 700, ("texas-2",)),)),)),
    "payouts.bump": Drafted("drafted", 1, HASH, 500),
    "payouts.cancel": Drafted("drafted", 1, HASH, 500),
    "payouts.export": GivenOut("sign it", 1, "cHNidP8="),
    "blocks.held": WaitingBlocks((WaitingBlock(HASH, "held", 5, "a test"),)),
    "accounts.terms": AccountTerms(
        _ACCOUNT,
        (AddressReport("bcrt1q", 1, 2, "1970-01-01", None),),
        ThresholdReport("texas-2", 5_000, "its own"),
    ),
    "reserve.show": ReserveReport(_STANDING.level, _STANDING, (Stop(7, True, 5, "used up"),)),
    "moves.plan": MovePlanned("planned", _PLANNED),
    "moves.due": _PLANNED,
    "moves.due_back": _PLANNED,
    "strays.show": Strays((Stray(1, "texas-2.rig-1", "texas-2", "sc", "kz", 5),)),
    **{f"{group}.{verb}": _SITE for group in GROUPS for verb in ("add", "end")},
    "contracts.charge": ChargesMade("charged", Charged(1, 5, [EnergyCharge(1, 2, "texas-2", "host", 9, 5, 1)])),
    "fleets.export": FleetFiles({"site.csv": "name\nganzi\n"}),
    "fleets.export.file": "name\nganzi\n",
    "fleets.import": _SITE,
    "fleets.import.file": _SITE,
}
