"""stratum.session: what is asked for beside a subscription, an authorization and shares."""

from __future__ import annotations

import pytest

from stratum.states import State
from tests.stratum.scene import CONFIGURE, request
from tests.stratum.test_session import PING, Driver, ready


class TestConfigure:
    def test_the_mask_is_ours_and_the_miners_without_the_templates_bits(self) -> None:
        driver = Driver(template_version=0x30000000)
        driver.receive(CONFIGURE)
        [reply] = driver.lines()
        assert reply["result"] == {"version-rolling": True, "version-rolling.mask": "0fffe000"}

    def test_a_mask_of_no_bits_is_refused(self) -> None:
        driver = Driver()
        driver.receive(request("mining.configure", [["version-rolling"], {"version-rolling.mask": "00000fff"}]))
        [reply] = driver.lines()
        assert reply["result"] == {"version-rolling": False}

    def test_a_minimum_difficulty_holds(self) -> None:
        driver = ready(request("mining.configure", [["minimum-difficulty"], {"minimum-difficulty.value": 100}]))
        driver.issue()
        assert ("mining.set_difficulty", [100]) in driver.methods()

    def test_one_beyond_the_ports_range_is_refused(self) -> None:
        driver = Driver()
        driver.receive(request("mining.configure", [["minimum-difficulty"], {"minimum-difficulty.value": 4097}]))
        [reply] = driver.lines()
        assert reply["result"] == {"minimum-difficulty": False}

    @pytest.mark.parametrize("params", [None, [], {}, ["version-rolling"], [[1], {}], [["version-rolling"], []]])
    def test_params_of_the_wrong_type_get_code_20(self, params: object) -> None:
        driver = Driver()
        driver.receive(request("mining.configure", params))
        [reply] = driver.lines()
        assert reply["error"][0] == 20


class TestOtherMethods:
    def test_ping_gets_pong(self) -> None:
        driver = Driver()
        driver.receive(PING)
        assert driver.sent == b'{"id":"p","result":"pong","error":null}\n'

    def test_transactions_are_an_empty_list(self) -> None:
        driver = Driver()
        driver.receive(request("mining.get_transactions", ["a1"], "txlista1"))
        assert driver.sent == b'{"id":"txlista1","result":[],"error":null}\n'

    def test_extranonce_subscribe_is_granted(self) -> None:
        driver = Driver()
        driver.receive(request("mining.extranonce.subscribe", [], 3))
        assert driver.sent == b'{"id":3,"result":true,"error":null}\n'

    @pytest.mark.parametrize("params", [[1000], [0.00015], ["0.500000"], ["x"], [None], [], None, [[]]])
    def test_a_suggested_difficulty_has_no_answer(self, params: object) -> None:
        driver = ready()
        driver.receive(request("mining.suggest_difficulty", params))
        assert driver.sent == b""

    @pytest.mark.parametrize("method", ["mining.capabilities", "mining.multi_version", ""])
    def test_an_unknown_method_gets_an_error_and_keeps_the_connection(self, method: str) -> None:
        driver = Driver()
        driver.receive(request(method, []), PING)
        assert driver.lines()[0] == {"id": 1, "result": None, "error": [20, "unknown method", None]}
        assert driver.session.state is State.NEW

    @pytest.mark.parametrize("method", ["mining.ping", "mining.subscribe", "x", "mining.submit"])
    def test_a_notification_has_no_answer(self, method: str) -> None:
        driver = Driver()
        driver.receive(request(method, [], None))
        assert driver.sent == b""

    @pytest.mark.parametrize(
        "line", [b'{"id":1,"result":true,"error":null}\n', b'{"id":78,"method":"pong","params":[]}\n']
    )
    def test_replies_of_a_miner_are_taken_in_silence(self, line: bytes) -> None:
        driver = Driver()
        driver.receive(line)
        assert (driver.sent, driver.events) == (b"", [])
