"""The case: what is public about it, and what we suppose where nothing is. docs/scenarios.md says which is which."""

from __future__ import annotations

from msgspec import Struct

from pool.fleet.times import parse_time

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

BEGINS_MS = parse_time("2021-06-10T00:00Z")
ENDS_MS = parse_time("2021-08-25T00:00Z")
NOTICE_MS = parse_time("2021-06-18T12:00+08:00")
DARK_MS = parse_time("2021-06-19T09:00+08:00")
DARK_BY_PRESS_MS = parse_time("2021-06-19T21:00+08:00")
DARK_WORDS = "power off at nine, Beijing time"

SUBSIDY_SAT = 625_000_000
OWNER = "bitmining"
FLEET = f"{OWNER}/main"


class Epoch(Struct, frozen=True):
    """The blocks of one difficulty, from a height on. from_ms: when the block before them came, and the first of them
    was worked on. difficulty: whole, as it was published; nbits stands for it."""

    from_ms: int
    height: int
    nbits: int
    difficulty: int


EPOCHS = (
    Epoch(parse_time("2021-05-30T00:00Z"), 685_440, 0x170D5F7B, 21_047_730_572_451),
    Epoch(parse_time("2021-06-13T00:00Z"), 687_456, 0x170E1EF9, 19_932_791_027_262),
    Epoch(parse_time("2021-07-03T00:00Z"), 689_472, 0x171398CE, 14_363_025_673_659),
    Epoch(parse_time("2021-07-17T00:00Z"), 691_488, 0x17149624, 13_672_594_272_814),
    Epoch(parse_time("2021-07-31T00:00Z"), 693_504, 0x17136AA2, 14_496_442_856_349),
    Epoch(parse_time("2021-08-13T00:00Z"), 695_520, 0x1712180B, 15_556_093_717_702),
    Epoch(parse_time("2021-08-25T00:00Z"), 697_536, 0x170FFAA0, 17_615_033_039_278),
)
"""The last one only ends the one before."""


class Place(Struct, frozen=True):
    """A site. endpoint: of its region, as miners see it. from_ms: since when it can be used."""

    name: str
    title: str
    country: str
    time_zone: str
    host: str
    region: str
    endpoint: str
    capacity_w: int
    from_ms: int
    contract: str
    steps: str
    is_joint_venture: bool = False


_SPRING_MS = parse_time("2021-01-01T00:00+08:00")
GANZI = Place(
    "ganzi", "Ganzi, Sichuan", "CN", "Asia/Shanghai", "Ganzi hydro", "sichuan", "sichuan.pool.example",
    40_000_000, _SPRING_MS, "ganzi-hosting", "net 700 ganzi",
)  # fmt: skip
KZ_HOSTING = Place(
    "kz-hosting", "Kazakhstan, hosted", "KZ", "Asia/Almaty", "hosting company", "kazakhstan", "kz.pool.example",
    20_000_000, parse_time("2021-06-20T00:00+06:00"), "kz-hosting", "net 450 kz-operator; left 100 tax:KZ",
)  # fmt: skip
KZ_JV = Place(
    "kz-jv", "Kazakhstan, joint venture", "KZ", "Asia/Almaty", "data centre of the venture", "kazakhstan",
    "kz.pool.example", 100_000_000, parse_time("2021-08-01T00:00+06:00"), "kz-venture",
    "net 450 kz-operator; left 100 tax:KZ; share @owner 8000 kz-partner 2000", True,
)  # fmt: skip
TEXAS = Place(
    "texas", "Texas", "US", "America/Chicago", "data centre in Texas", "texas", "texas.pool.example",
    57_200_000, parse_time("2021-08-10T00:00-05:00"), "texas-hosting", "net 300 texas-operator",
)  # fmt: skip
PLACES = (GANZI, KZ_HOSTING, KZ_JV, TEXAS)
PARTIES = ("ganzi", "kz-operator", "kz-partner", "texas-operator")
TAXES = ("tax:KZ",)


class Lot(Struct, frozen=True):
    """A batch of machines. nominal_ghs: of all. on_ms: when it is to hash at its new place; on_words: as people there
    say it. ramp_hours: from its first machine there to its last one. stood: where it hashed before; None for
    machines that are new. price_minor: of all, in US cents."""

    key: str
    title: str
    machines: int
    nominal_ghs: int
    watts: int
    goes: Place
    on_ms: int
    on_words: str
    ramp_hours: int
    stood: Place | None = GANZI
    price_minor: int = 0

    @property
    def ramp_ms(self) -> int:
        return self.ramp_hours * HOUR_MS

    @property
    def name(self) -> str:
        """Of the batch."""
        return f"{FLEET}/{self.key}"

    @property
    def pattern(self) -> str:
        """Of its workers."""
        return f"{self.key}-*"


LOTS = (
    Lot("b1", "batch 1", 320, 18_200_000, 2_560, KZ_HOSTING, parse_time("2021-06-27T00:00+06:00"), "27 June", 6),
    Lot(
        "b2", "batches 2 and 3", 2_600, 102_300_000, 2_160, KZ_HOSTING, parse_time("2021-07-01T00:00+06:00"), "1 July",
        36,
    ),
    Lot(
        "b4", "899 by 28 July", 899, 31_443_431, 2_100, KZ_HOSTING, parse_time("2021-07-21T00:00+06:00"), "21 July",
        24,
    ),
    Lot(
        "b5", "4,033 on the way", 4_033, 141_056_569, 2_100, KZ_JV, parse_time("2021-08-10T00:00+06:00"), "10 August",
        48,
    ),
    Lot(
        "b6", "2,500 bought", 2_500, 165_000_000, 3_170, TEXAS, parse_time("2021-08-14T00:00-05:00"), "14 August", 48,
        stood=None, price_minor=660_000_000,
    ),
)  # fmt: skip
BOUGHT_MS, BOUGHT_WORDS = parse_time("2021-07-28T00:00Z"), "28 July"


class Others(Struct, frozen=True):
    """The rest of the pool: a few accounts of equal machines that never move."""

    accounts: int
    machines: int
    ghs: int


OTHERS = Others(accounts=12, machines=3_000, ghs=100_000)
"""300 PH/s. Together with the fleet a small pool: its window of eight blocks outlasts the eight days of the first
batch's way."""


class Case(Struct, frozen=True):
    """What is played. scale: a machine for so many, as fast as they together. difficulty, others_difficulty: of the
    shares. step_ms: how often both ledgers take what is new. late_percent: machines that come a day or more late;
    broken_permille: that never do."""

    seed: int = 2021
    scale: int = 1
    difficulty: int = 1 << 27
    others_difficulty: int = 1 << 29
    ends_ms: int = ENDS_MS
    step_ms: int = 6 * HOUR_MS
    late_percent: int = 2
    broken_permille: int = 5


def case_of(seed: int, scale: int = 1) -> Case:
    """The case with a machine for each so many, which finds as many shares as one of them did.

    A step of a small case is a day: else its transactions would take longer than its shares.
    """
    whole = Case()
    return Case(
        seed=seed,
        scale=scale,
        difficulty=whole.difficulty * scale,
        others_difficulty=whole.others_difficulty * scale,
        step_ms=whole.step_ms if scale < _SMALL else DAY_MS,
    )


_SMALL = 10
