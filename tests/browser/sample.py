"""What the preview shows: fleets at four sites, payouts, who may come in, what was done."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from msgspec.structs import replace

from payout.contracts import parse_steps
from payout.desk_views import (
    AccountTerms,
    AccountView,
    AddressReport,
    PlannedLine,
    PlanReport,
    PlanView,
    ReserveReport,
    ThresholdReport,
    WaitingBlock,
)
from payout.explain.balance import BalanceExplained
from payout.explain.payment import PayoutExplained
from payout.planning import Waiting
from payout.reserve import Standing
from payout.statement import Line
from payout.store.payout_reports import AttemptReport, EntryReport, LineReport, PayoutDetail, PayoutReport
from pool.access.log import entry
from pool.dashboard.access.fleet_orders import Strays
from pool.dashboard.access.money_orders import WaitingBlocks
from pool.dashboard.fleet_rows import AlarmSign
from pool.dashboard.role_rows import Disk, HeldBlock, MovesSign, ReserveSign, Roles, WorkChain, WorkNode
from pool.dashboard.rows import AccountCredit, Reject, Worker
from pool.explain.reject import RejectExplained
from pool.explain.words import CreditFigures
from pool.fleet.facts import Fact
from pool.fleet.kinds import (
    Assignment,
    Batch,
    Capacity,
    Contract,
    ContractKind,
    Count,
    EventKind,
    Fleet,
    Model,
    Site,
    SiteEvent,
    Tariff,
)
from pool.fleet.kinds import Rate as CoinRate
from pool.fleet.register import Register
from pool.fleet.report import Stray
from pool.reports.asked import Asked, Report
from pool.reports.downtime import Journey
from pool.reports.facts import Dark, Span, Work
from pool.reports.losses import downtime
from pool.reports.papers import Made
from pool.reports.power import power
from pool.reports.progress import commissioning
from pool.reports.uptime import uptime
from pool.reports.weak import Measured, weak
from tests.browser.sample_moves import DRAFT
from tests.pool.dashboard.access.fakes import FakeCredentials
from tests.pool.dashboard.explained import BALANCE, CREDIT, PAYOUT, REJECT, SHARE, FakeExplaining
from tests.pool.dashboard.fakes import FakeBooks, stratum_role
from tests.pool.fleet.rows import entries
from tests.pool.reports.kazakhstan import DAY_MS, HOUR_MS, LOGINS, NEW, ON_MS, facts, known, move, travellers
from tests.pool.reports.test_relocation import NOW_MS as REPORTED_MS
from tests.pool.reports.test_relocation import story

PASSWORD = "in the preview"
FIRMWARE = ("bmminer/2.0.0", "BOSminer/23.04", "cgminer/4.11.1", "vnish/1.2.6", "")
ADDRESS = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
OTHER = "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3"


def firmware(rows: list[Worker]) -> list[Worker]:
    """The machines with what they say they are, and one with a name that somebody chose to be a nuisance."""
    known_as = [replace(row, agent=FIRMWARE[place * 7 // 5 % len(FIRMWARE)]) for place, row in enumerate(rows)]
    known_as[2:3] = [replace(row, agent="<script>alert(1)</script>" + "W" * 39) for row in known_as[2:3]]
    return known_as


def register(now_ms: int) -> Register:
    """Three accounts at four sites, of which one closes tomorrow; a batch is on its way."""
    made = Register()
    made.add(entries(_facts(now_ms // HOUR_MS * HOUR_MS)), now_ms)
    return made


def _facts(now_ms: int) -> list[Fact]:
    since: dict[str, Any] = {"valid_from_ms": now_ms - 90 * DAY_MS}
    here: dict[str, Any] = {"valid_from_ms": now_ms - 80 * DAY_MS}
    sites = (
        ("ganzi", "CN", "Asia/Shanghai", "Ganzi Changhe Hydropower Consumption Service", "sichuan", 435_000_000),
        ("ekibastuz", "KZ", "Asia/Almaty", "Host LLP", "kazakhstan", 60_000_000),
        ("almaty", "KZ", "Asia/Almaty", "", "kazakhstan", 20_000_000),
        ("rockdale", "US", "America/Chicago", "Whinstone US", "texas", 300_000_000),
    )
    told: list[Fact] = [
        Model(name="S17", nominal_ghs=56_875, nominal_w=3_250, **since),
        Model(name="S19", nominal_ghs=95_000, nominal_w=3_250, **since),
        Contract(name="ganzi-1", kind=ContractKind.HOSTING, steps=parse_steps("net 700 ganzi-host"), **since),
        Contract(
            name="kz-jv",
            kind=ContractKind.JOINT_VENTURE,
            steps=parse_steps("net 450 kz-operator; share @owner 8000 kz-partner 2000"),
            reserved_w=15_000_000,
            site="ekibastuz",
            **since,
        ),
    ]
    for name, country, zone, host, region, capacity_w in sites:
        told += [
            Site(name=name, country=country, time_zone=zone, host=host, region=region, **since),
            Capacity(site=name, capacity_w=capacity_w, **since),
        ]
    for account, model, site, contract, hashing, transit in (
        ("sichuan-fleet", "S17", "ganzi", "ganzi-1", 5_320, 0),
        ("texas-2", "S19", "rockdale", "", 2_440, 560),
        ("kz-ekibastuz", "S17", "ekibastuz", "kz-jv", 2_592, 320),
    ):
        machines = hashing + transit
        fleet, batch = f"{account}/main", f"{account}/main/2021-q2"
        nominal_ghs = machines * (95_000 if model == "S19" else 56_875)
        planned: dict[str, Any] = {"planned_ms": now_ms + 6 * DAY_MS} if transit else {}
        told += [
            Fleet(name=fleet, **since),
            Batch(name=batch, model=model, machines=machines, nominal_ghs=nominal_ghs, **planned, **since),
            Count(batch=batch, hashing=hashing, in_transit=transit, **here),
            Assignment(
                account=account, pattern="rack-*", fleet=fleet, site=site, batch=batch, contract=contract,
                valid_from_ms=now_ms + HOUR_MS,
            ),
        ]  # fmt: skip
    told.append(
        SiteEvent(
            site="ganzi",
            kind=EventKind.CLOSURE,
            announced_ms=now_ms - DAY_MS,
            source="State Grid",
            wording="all mining stops on the 20th, 24:00",
            time_zone="Asia/Shanghai",
            valid_from_ms=now_ms + DAY_MS,
        )
    )
    return [replace(each, valid_from_ms=now_ms - HOUR_MS) if isinstance(each, Assignment) else each for each in told]


def payouts(now_ms: int) -> list[PayoutDetail]:
    """Four batches, the newest first, each further than the one before."""
    states = ("exported", "broadcast", "confirmed", "final")
    return [_payout(len(states) - place, state, now_ms - place * DAY_MS) for place, state in enumerate(states)]


def payments(now_ms: int) -> tuple[Line, ...]:
    """What each account was paid, as its statement has it, the oldest first."""
    return tuple(
        Line(
            number,
            now_ms - (4 - number) * DAY_MS,
            "payout.confirmed",
            f"payout:{number}:confirmed",
            f"{number}",
            0,
            0,
            -960_099_544 - number,
            -960_099_544 - number,
            txid=f"{number + 0x4A51C07:064x}"[::-1],
        )
        for number in (1, 2)
    )


def _payout(number: int, state: str, now_ms: int) -> PayoutDetail:
    txid = f"{number + 0x4A51C07:064x}"[::-1]
    is_sent, in_chain = state != "exported", state in ("confirmed", "final")
    lines = (
        LineReport("sichuan-fleet", ADDRESS, "0014" + "75" * 20, 3_216_000_984),
        LineReport("texas-2", OTHER, "0020" + "18" * 32, 960_099_544 + number),
    )
    total_sat = sum(line.amount_sat for line in lines)
    payout = PayoutReport(
        number,
        state,
        total_sat,
        now_ms - 4 * HOUR_MS,
        now_ms - HOUR_MS,
        now_ms - 2 * HOUR_MS if is_sent else None,
        txid if is_sent else None,
        4_710 if is_sent else None,
        f"{number + 0x51C07:064x}" if in_chain else None,
        689_400 - number if in_chain else None,
        {"confirmed": 3, "final": 288}.get(state, 0),
        None if is_sent else "pay",
    )
    attempt = AttemptReport(1, "pay", txid, 4_710, 314, is_sent, (f"{'3f' * 32}:0",), "02000000")
    ledger = tuple(
        EntryReport(f"payout:{number}:reserve", "payout_reserve", now_ms, account, amount_sat)
        for account, amount_sat in (("liab:texas-2:available", 960_099_544), ("liab:texas-2:reserved", -960_099_544))
    )
    return PayoutDetail(payout, lines, (attempt,), ledger)


def credits(kept: FakeBooks) -> dict[str, tuple[AccountCredit, ...]]:
    """What each account has of the blocks."""
    return {
        account.name: tuple(
            AccountCredit(block.hash_hex, block.height, block.state, part.amount_sat, block.found_ms)
            for block, part in ((each.block, part) for each in kept.details for part in each.credits)
            if part.account == account.name
        )
        for account in kept.known
    }


def rejects(now_ms: int) -> tuple[Reject, ...]:
    """Refused shares of one machine."""
    told = (
        ("stale", "Job not found: a block came before it"),
        ("low_difficulty", "Low difficulty share: it has 61,003 and needs 262,144"),
        ("duplicate", "Duplicate share"),
    )
    return tuple(
        Reject(now_ms - 40_000 * n, *told[n % 5 % 3], f"17a6d3f8c{n:02x}", 31_000 + n if n % 4 else None, SHARE)
        for n in range(1, 13)
    )


class SampleReporting:
    """The move of the 320 machines to Kazakhstan, and reports of what they did there, whatever fleet is asked for."""

    async def make(self, asked: Asked) -> Made:
        hours = range(ON_MS, REPORTED_MS, HOUR_MS)
        darks = [
            Dark(login, ON_MS + 5 * HOUR_MS, ON_MS + (8 + place % 9) * HOUR_MS)
            for place, login in enumerate(LOGINS[::9])
        ]
        works = [
            Work("bit", NEW, at, at + HOUR_MS, int(18_200_000 * 10**9 * 3_600 * (0.97 + 0.02 * math.sin(at))), 10**15)
            for at in hours
        ]  # fmt: skip
        tariff = Tariff(
            contract="kz-jv", party="bit", currency="USD", per_kwh=Fraction(5, 2), valid_from_ms=ON_MS - DAY_MS
        )
        worth = CoinRate(currency="USD", sat_per_minor=Fraction(30), valid_from_ms=ON_MS - DAY_MS)
        found = known(REPORTED_MS, [*facts(), tariff, worth], darks=darks, works=works)
        span, journeys = Span(ON_MS, REPORTED_MS), [Journey(move(), travellers())]
        match asked.report:
            case Report.COMMISSIONING:
                return commissioning(found, span)
            case Report.POWER:
                return power(found, [*hours, REPORTED_MS])
            case Report.DOWNTIME:
                return downtime(found, span, "", journeys)
            case Report.SLA:
                return uptime(found, span, "kz-jv", journeys)
            case Report.WEAK:
                tried = [
                    Measured(login, 86_400, 56_875e9 * (0.66 if place % 53 == 7 else 1.0), 8_000, ON_MS - 30 * DAY_MS)
                    for place, login in enumerate(LOGINS)
                ]
                return weak(found, tried)
            case _:
                return story()


class SampleExplaining(FakeExplaining):
    """The same explanations, whatever is asked for."""

    async def credit(self, _credit_id: str) -> CreditFigures:
        return CREDIT

    async def payout(self, _number: int, _account: str | None) -> PayoutExplained:
        return PAYOUT

    async def balance(self, _account: str) -> BalanceExplained:
        return BALANCE

    async def share(self, _share_id: str) -> RejectExplained:
        return REJECT


def terms(now_ms: int) -> AccountTerms:
    """How texas-2 is paid: on another address and plan in some days."""
    plans = (
        PlanView("fpps", 300, now_ms - 90 * DAY_MS, "", None, "past"),
        PlanView("pplns", 150, now_ms - 30 * DAY_MS, "", now_ms - 31 * DAY_MS, "in_force"),
        PlanView("pplns", 120, now_ms + 2 * DAY_MS, "", now_ms - DAY_MS, "planned"),
    )
    account = AccountView("texas-2", "", "pplns", 150, "pplns", plans, 240_024_886, 960_099_544, 0, "0")
    addresses = (
        AddressReport(ADDRESS, now_ms - 60 * DAY_MS, now_ms - 60 * DAY_MS, "", None),
        AddressReport(OTHER, now_ms - DAY_MS, now_ms + 2 * DAY_MS, "", None),
    )
    return AccountTerms(account, addresses, ThresholdReport("texas-2", 1_000_000, "its own"))


def answers(now_ms: int, *, is_troubled: bool) -> dict[str, Any]:
    """What operators are told when they look."""
    standing = Standing(
        held_sat=60_000_000_000, block_sat=631_204_517, margin_bps=250, alarm_sat=53_966_838_118,
        close_sat=35_977_892_079, floor_sat=0, stopped_height=None,
    )  # fmt: skip
    lines = (PlannedLine("sichuan-fleet", ADDRESS, 3_216_000_984), PlannedLine("texas-2", OTHER, 960_099_544))
    waiting = (
        WaitingBlock(f"{0x4A51C08:064x}", "held", now_ms - HOUR_MS, "its fees are ten times the usual: 12.41 BTC"),
        WaitingBlock(f"{0x4A51C77:064x}", "stray", now_ms - DAY_MS, "pays us and no share of ours made it"),
    )
    strays = tuple(
        Stray(n, f"{account}.rack-0{n}-7", account, region, "kazakhstan", now_ms - n * HOUR_MS)
        for account, region in (("texas-2", "texas"), ("sichuan-fleet", "sichuan"))
        for n in range(1, 4)
    )
    return {
        "payouts.plan": PlanReport(
            12_000, 4_176_100_528, lines, (Waiting("kz-ekibastuz", 48_120_773, "no_address", 0),)
        ),
        "accounts.terms": terms(now_ms),
        "reserve.show": ReserveReport(standing.level, standing, ()),
        "blocks.held": WaitingBlocks(waiting if is_troubled else ()),
        "strays.show": Strays(strays if is_troubled else ()),
    }


def troubled(roles: Roles, now_ms: int) -> Roles:
    """Most of what can be wrong at once, most of it in one of two regions."""
    work = roles.work["main"]
    assert work.job is not None
    assert roles.accounting is not None
    behind = "its tip is 3 blocks behind the best of the others; it is used again once it has caught up"
    nodes = (
        WorkNode("10.0.0.5:8332", "lagging", behind, 689_468, False, True, "minority"),
        WorkNode("node-b.almaty.pool.example:8332", "good", None, 689_471, True, False, "majority"),
        WorkNode("10.0.0.7:8332", "down", "does not answer within 5 s: is it running?", None, False, None, None),
    )
    alone = "no second node agrees"
    disk = Disk(9 * 2**30, 500 * 2**30, True)
    job = replace(work.job, template_ms=now_ms - 95_000)
    alarms = (
        AlarmSign("site", "ekibastuz", 2_501, 2_592, now_ms - 900_000, ("rack-01", "rack-02")),
        AlarmSign("racks", "rockdale", 96, 2_440, now_ms - 5 * HOUR_MS, tuple(f"rack-{n:02}" for n in range(9, 21))),
        AlarmSign("firmware", "vnish/1.2.6", 41, 44, now_ms - 80_000_000, ("texas-2.rack-04-11",)),
    )
    return replace(
        roles,
        work={
            "kazakhstan": replace(work, nodes=nodes, disk=disk, job=job, chain=WorkChain("unknown", alone)),
            "texas": replace(work, chain=WorkChain("unknown", alone)),
        },
        stratum=(
            *roles.stratum,
            replace(stratum_role("1", 0), journal_refusal="No space left on device", heartbeat_ms=now_ms - 4_000),
        ),
        accounting=replace(
            roles.accounting,
            payouts_stopped="the wallet has 3.00000000 BTC less than the ledger",
            held=(HeldBlock(f"{0x4A51C08:064x}", "its fees are ten times the usual: 12.41 BTC"),),
            reserve=ReserveSign("low", 40_000_000_000, 53_966_838_118, 35_977_892_079, 0),
            moves=MovesSign(1, {"arrived": 230}, {"ganzi-out": 23}, 3, (DRAFT.name,)),
            alarms=alarms,
            lag_shares=180_000,
        ),
    )


def admitted(credentials: FakeCredentials, now_ms: int) -> str:
    """Who may come in, and what was done lately. Returns the secret of a link to watch a site."""
    credentials.operator("operator", PASSWORD)
    secret = credentials.make("link", "noc-almaty", "site:ekibastuz")
    credentials.make("key", "texas-2", "account:texas-2", days=None)
    credentials.make("token", "grafana", "pool", "moves", days=365)
    done = (
        ("operator:anna", "login", "1", "10.0.0.21", "done"),
        ("operator:anna", "link.made", "2", "10.0.0.21", "done"),
        ("nobody", "login", "operator:root", "203.0.113.77", "refused: name or password is wrong"),
        ("cli:root", "accounts.plan", "texas-2 pplns 120 from 2021-07-06T00:00Z", "this machine", "done"),
        ("operator:anna", "moves.start", "ganzi-out reason=the notice of State Grid", "10.0.0.21", "done"),
        ("operator:bert", "payouts.bump", "payout=3 fee_rate=50 newest=" + "3f" * 32, "10.0.0.22", "done"),
    )
    for place, said in enumerate(done):
        credentials.entries_kept.append(entry(now_ms - (len(done) - place) * 700_000, *said))
    return secret
