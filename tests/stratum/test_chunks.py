"""stratum.session: however TCP cuts the bytes, the same events and replies."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stratum.states import MAY_FOLLOW, State
from tests.stratum.scene import AUTHORIZE, CONFIGURE, SUBSCRIBE, request, submit
from tests.stratum.test_session import PING, Driver, ready

REQUESTS = [
    SUBSCRIBE,
    AUTHORIZE,
    CONFIGURE,
    PING,
    submit(),
    request("mining.suggest_difficulty", [5]),
    request("x", []),
    b"\n",
    b"\r\n",
    b'{"id":7,"result":true}\n',
    b'{"id":1,\n',
    b"\x16\x03\x01\n",
    b"{" + b" " * 5000 + b"\n",
    b"{" + b"[" * 40 + b"\n",
    b'{"unfinished":',
]


class TestChunks:
    @settings(max_examples=300)
    @given(st.lists(st.sampled_from(REQUESTS), max_size=12), st.data())
    def test_any_cutting_of_the_same_bytes_gives_the_same_events_and_replies(
        self, requests: list[bytes], data: st.DataObject
    ) -> None:
        sent = b"".join(requests)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
        whole, cut = Driver(), Driver()
        whole.receive(sent)
        cut.receive(*(sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)))
        assert (cut.events, cut.sent) == (whole.events, whole.sent)

    @settings(max_examples=300)
    @given(
        st.tuples(
            st.sampled_from(["alice.rig1", "bob", "", "\u00e4", "a\\b"]),
            st.sampled_from(["a1", "", "x y"]),
            st.sampled_from(["0" * 16, "0" * 15, "0x" + "0" * 14]),
            *[st.sampled_from(["1", "6553f100", "0x1", "fffffffff", ""])] * 3,
        ),
        st.integers(0, 7),
        st.sampled_from([0, 7, -1, 1.5, "x", '"', None]),
        st.data(),
    )
    def test_the_short_way_of_a_submission_leads_where_the_general_one_does(
        self, params: tuple[str, ...], count: int, request_id: object, data: st.DataObject
    ) -> None:
        line = request("mining.submit", (*params, "0")[:count], request_id)
        cut = data.draw(st.integers(1, len(line) - 1))
        short, general = ready(), ready()
        short.receive(line)
        general.receive(line[:cut], line[cut:])
        assert (short.events, short.sent) == (general.events, general.sent)

    @given(st.lists(st.binary(max_size=60), max_size=6))
    def test_no_bytes_break_it(self, chunks: list[bytes]) -> None:
        Driver().receive(*chunks)

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists))
    def test_no_params_break_it(self, params: object) -> None:
        driver = ready()
        for method in MAY_FOLLOW[State.READY]:
            driver.receive(request(method, params), request(method, [params] * 6))
