"""Frames of `steppe top`: what an operator reads there."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pool.dashboard.fleet_rows import AlarmSign
from pool.dashboard.rows import Rate
from pool.top.frame import frame, once, query_of
from pool.top.seen import Maintenance, answer
from pool.top.view import Pane, View
from tests.pool.dashboard.fakes import HOSTILE_NAMES, NOW_MS, farm, live_view, worker
from tests.pool.dashboard.test_live import Sign
from tests.pool.top.pictures import AWAY, Pool, drawn, move, pool_of


def line_of(lines: list[str], label: str) -> str:
    return next(line for line in lines if line.startswith(label))


class TestTheHead:
    def test_hashrates_have_their_error(self) -> None:
        view = live_view([worker("a.b")])
        rates = replace(view.pool.hashrate, five_minutes=Rate(102.4e12, 0.042), hour=Rate(1.5e15, None))
        lines = drawn(pool_of(replace(view, pool=replace(view.pool, hashrate=rates))).look(), width=120)
        assert "5m 102 TH/s +-4.2 %" in line_of(lines, "hashrate")
        assert "1h 1.50 PH/s  " in line_of(lines, "hashrate")

    def test_it_tells_who_is_online_and_why_shares_were_refused(self) -> None:
        rows = [
            worker("a.b", accepted=90, rejected={"stale": 8, "low_difficulty": 2}),
            worker("a.c", sessions=0, accepted=0, rejected={}),
        ]
        lines = drawn(pool_of(live_view(rows)).look())
        assert line_of(lines, "workers") == "workers  1 of 2 online  1 sessions  1 accounts"
        shares = line_of(lines, "shares")
        assert shares == "shares   90 accepted  10 % rejected:  stale 8.0 %  low difficulty 2.0 %"

    def test_it_tells_what_is_mined_on_and_who_says_so(self) -> None:
        lines = drawn(Pool().look(), width=120)
        assert (
            line_of(lines, "mines on")
            == "mines on block 689,472 on ..f5a4b3c2  template 11 s old  node 127.0.0.1:8332  chain majority"
        )

    def test_it_tells_what_luck_may_bring(self) -> None:
        luck = line_of(drawn(Pool().look(), width=120), "luck")
        assert "round at 42 % of expected" in luck
        assert "a block each " in luck
        assert "% within a day" in luck

    def test_it_tells_the_last_blocks_with_their_states(self) -> None:
        lines = drawn(Pool().look(), width=160)
        assert "689,471 candidate 90 min ago  689,434 immature 38 deep 12 h ago" in line_of(lines, "blocks")

    def test_it_tells_of_moves_that_are_open_alone(self) -> None:
        pool = Pool()
        pool.moves.known = (move("summer", "running", 120, late=12), move("winter", "closed", 320))
        lines = drawn(pool.look(), width=120)
        moves = [line for line in lines if line.startswith("move")]
        assert moves == ["move     summer  running  sichuan -> texas  120 of 320 arrived  7 gone  12 late"]

    def test_a_role_without_a_sign_of_life_is_away(self) -> None:
        view = live_view([worker("a.b")])
        without = replace(view.roles, accounting=None, web_heartbeat_ms=NOW_MS - 500)
        roles = line_of(drawn(pool_of(replace(view, roles=without)).look(), width=120), "roles")
        assert roles == "roles    work 0 s  stratum 0 1 s  accounting AWAY  web 0 s"

    def test_without_an_alarm_it_says_so(self) -> None:
        assert line_of(drawn(Pool().look()), "alarms") == "alarms   none"

    def test_alarms_of_checks_roles_and_fleets_stand_there_the_worst_first(self) -> None:
        view = live_view([worker("a.b")])
        assert view.roles.accounting is not None
        dark = AlarmSign("site", "sichuan", 30, 32, NOW_MS, ("rack-1",))
        accounting = replace(view.roles.accounting, alarms=(dark,))
        pool = pool_of(replace(view, roles=replace(view.roles, accounting=accounting)))
        said = {"key": "x", "severity": "warn", "title": "clock is off", "text": "by 3 s"}
        pool.signs.signs = [Sign("work", "cn", NOW_MS, {"alerts": [said]})]
        lines = drawn(pool.look(), width=100)
        told = [line for line in lines if line.startswith(("PAGE", "WARN"))]
        assert told == ["PAGE  site sichuan is dark: 30 of 32 machines", "WARN  clock is off"]

    def test_maintenance_is_told(self) -> None:
        pool = Pool()
        pool.signs.silence = Maintenance(NOW_MS + 600_000, "new switch")
        assert "maintenance for 10 min new switch" in drawn(pool.look())[0]

    def test_a_picture_that_grows_old_says_so(self) -> None:
        seen = Pool().look()
        assert "ready" in drawn(seen, later_ms=9_000)[0]
        assert "as it was 42 s ago" in drawn(seen, later_ms=42_000)[0]


class TestWhatIsAway:
    def test_without_redis_the_books_are_shown_and_the_reason(self) -> None:
        pool = Pool()
        pool.lose_redis()
        lines = drawn(pool.look())
        assert "NOT READY" in lines[0]
        assert any(AWAY in line for line in lines)
        assert line_of(lines, "blocks")
        assert "no table while Redis is away" in lines

    def test_without_the_database_the_miners_are_shown_and_the_reason(self) -> None:
        pool = Pool()
        pool.lose_database()
        lines = drawn(pool.look())
        assert any("The database cannot be reached" in line for line in lines)
        assert line_of(lines, "workers")
        assert not any(line.startswith("blocks") for line in lines)

    def test_without_both_there_is_a_frame(self) -> None:
        pool = Pool()
        pool.lose_redis()
        pool.lose_database()
        assert len(drawn(pool.look())) == 24


class TestTheTable:
    def test_the_greatest_hashrate_comes_first(self) -> None:
        rows = [worker("a.slow", 50e12), worker("a.fast", 100e12)]
        lines = drawn(pool_of(live_view(rows)).look())
        assert lines.index(line_of(lines, "  a.fast")) < lines.index(line_of(lines, "  a.slow"))

    def test_by_rejects_the_worst_part_comes_first_not_the_greatest_number(self) -> None:
        rows = [
            worker("a.big", accepted=10_000, rejected={"stale": 50}),
            worker("a.bad", accepted=10, rejected={"stale": 5}),
            worker("a.new", accepted=0, rejected={}),
        ]
        lines = drawn(pool_of(live_view(rows)).look(), View(sort="rejects"))
        places = [lines.index(line_of(lines, f"  a.{name}")) for name in ("bad", "big", "new")]
        assert places == sorted(places)

    def test_who_is_offline_has_a_mark(self) -> None:
        lines = drawn(pool_of(live_view([worker("a.gone", sessions=0)])).look())
        assert line_of(lines, "- a.gone")

    def test_a_filter_leaves_those_that_have_the_words(self) -> None:
        rows = [worker("a.rack-1-1"), worker("a.rack-2-1")]
        lines = drawn(pool_of(live_view(rows)).look(), View(search="rack-2"))
        assert line_of(lines, "1 like rack-2 by hashrate")
        assert not any("rack-1-1" in line for line in lines)

    def test_a_page_beyond_the_last_is_the_last(self) -> None:
        seen = Pool().look()
        lines, view = frame(seen, View(page=99), NOW_MS, 80, 24)
        assert len(lines) == 24
        assert 1 < view.page < 99

    def test_sites_are_a_pane(self) -> None:
        lines = drawn(Pool().look(), View(pane=Pane.SITES))
        assert any(line.startswith("no sites") for line in lines)

    def test_alarms_are_a_pane_with_what_to_do(self) -> None:
        pool = Pool()
        pool.lose_database()
        lines = drawn(pool.look(), View(pane=Pane.ALARMS), height=40)
        assert any(line.startswith("PAGE  database") for line in lines)


class TestEveryTerminal:
    @pytest.mark.parametrize("width", [1, 20, 40, 79, 80, 200])
    @pytest.mark.parametrize("height", [1, 2, 5, 24, 60])
    @pytest.mark.parametrize("pane", list(Pane))
    def test_a_frame_never_is_larger_than_it(self, width: int, height: int, pane: Pane) -> None:
        pool = Pool()
        pool.moves.known = (move("summer", "running", 120),)
        lines = drawn(pool.look(), View(pane=pane), width, height)
        assert len(lines) == height
        assert max(map(len, lines)) <= width

    def test_80_by_24_has_room_for_ten_workers(self) -> None:
        pool = Pool()
        pool.moves.known = (move("summer", "running", 120),)
        lines = drawn(pool.look())
        assert sum(line.startswith(("  ", "- ")) and "rack-" in line for line in lines) >= 9  # of 24 lines

    def test_a_narrow_one_keeps_hashrate_and_rejects(self) -> None:
        lines = drawn(Pool().look(), width=42)
        assert any("5m" in line and "rejects" in line and "1h" not in line for line in lines if "workers" in line)

    def test_what_strangers_wrote_steers_no_terminal(self) -> None:
        rows = [worker(f"acct.{name}") for name in HOSTILE_NAMES]
        pool = pool_of(live_view(rows))
        hostile = "\x1b]0;owned\x07\x9b31m\u202e\uff10 \r\n"
        pool.moves.known = (replace(move("m", "running", 1), name=hostile),)
        pool.signs.silence = Maintenance(NOW_MS + 600_000, hostile)
        alert = {"key": hostile, "severity": "page", "title": hostile, "text": hostile, "mend": hostile}
        pool.signs.signs = [Sign("work", "cn", NOW_MS, {"alerts": [alert]})]
        seen = pool.look()
        for pane in Pane:
            for line in drawn(seen, View(pane=pane, search=""), width=100, height=60):
                assert all(" " <= char <= "~" for char in line), repr(line)
        for text in once(seen, View(), 100, 50):
            assert all(" " <= char <= "~" for char in text), repr(text)


def test_once_has_every_alarm_and_so_many_rows() -> None:
    pool = Pool()
    pool.lose_database()
    lines = once(pool.look(), View(), 100, 7)
    assert sum("rack-" in line for line in lines) == 7
    assert lines[-1].strip()


def test_one_object_for_programs_has_the_same() -> None:
    found = answer(pool_of(live_view(farm(5))).look(), query_of(View(sort="name"), 3))
    assert found.workers is not None
    assert [row.account for row in found.workers.rows or ()] == ["kz-ekibastuz", "sichuan-fleet", "sichuan-fleet"]
    assert found.workers.total == 5
    assert found.overview.pool.chain == "main"
    assert found.blocks is not None
