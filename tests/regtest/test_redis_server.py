"""Our own redis-server, for real; pool/store/redis_server.py."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pool.ports import StoreUnavailable
from pool.store.redis import RedisStore
from pool.store.redis_server import RedisServer, RedisServerError, prepare, wait_until_ready
from tests.regtest.redis_child import RedisChild, redis_child


@pytest.fixture
def child() -> Iterator[RedisChild]:
    with redis_child() as started:
        yield started


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_answers_when_it_has_started(child: RedisChild) -> None:
    child.store.ping()


def test_it_listens_on_no_port(child: RedisChild) -> None:
    assert child.client.config_get("port") == {"port": "0"}


def test_others_cannot_use_its_socket(child: RedisChild) -> None:
    assert (child.folder / "redis" / "redis.sock").stat().st_mode & 0o077 == 0


def test_its_process_is_gone_after_the_stop(child: RedisChild) -> None:
    pid = child.server.pid
    assert pid is not None
    child.server.stop()
    assert not is_alive(pid)


def test_what_it_held_is_there_again_after_a_restart(child: RedisChild) -> None:
    child.store.publish_hwm({"a" * 16: 7})
    child.server.stop()
    child.server.start()
    assert child.store.place("a" * 16).committed == 7


def test_what_it_held_is_there_again_after_it_was_killed(child: RedisChild) -> None:
    child.store.publish_hwm({"a" * 16: 7})
    assert child.server.pid is not None
    os.kill(child.server.pid, signal.SIGKILL)
    child.server.stop()
    child.server.start()
    assert child.store.place("a" * 16).committed == 7


def test_a_second_one_in_the_same_folder_is_refused(child: RedisChild) -> None:
    with pytest.raises(RedisServerError, match=r"another Redis listens at .*end it"):
        prepare(child.folder / "redis", predecessor_seconds=0.1)
    child.store.ping()


def test_a_predecessor_that_is_just_ending_is_waited_for(child: RedisChild) -> None:
    ending = threading.Timer(0.3, child.server.stop)
    ending.start()
    successor = RedisServer(child.folder / "redis", child.log)
    successor.start()
    ending.join()
    successor.stop()


def test_a_server_that_ends_at_once_points_to_its_log(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", tmp_path / "log", wrap=lambda argv: ["false"])
    with pytest.raises(RedisServerError, match=r"ended at once with status 1; its log says why \(.*log\)"):
        server.start()


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", tmp_path / "log", wrap=lambda argv: ["/nonexistent"])
    with pytest.raises(RedisServerError, match=r"cannot be started: .*nonexistent"):
        server.start()


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(RedisServerError, match=r"did not answer within 0\.2 s"):
        wait_until_ready(f"unix://{tmp_path}/none", lambda: None, 0.2)


def test_a_path_with_spaces_works(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / 'a "b" c', tmp_path / "log")
    store = RedisStore(server.start())
    store.ping()
    store.close()
    server.stop()


class TestErrors:
    """What a real server answers, in the words of `pool.store.redis_link`."""

    def test_nobody_there(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable, match="cannot be reached: start it"):
            RedisStore(f"unix://{tmp_path}/none").ping()

    def test_a_password_is_wanted(self, child: RedisChild) -> None:
        child.client.config_set("requirepass", "secret")
        with pytest.raises(StoreUnavailable, match="refuses the login"):
            RedisStore(child.url).ping()

    def test_a_read_only_replica(self, child: RedisChild) -> None:
        child.client.replicaof("127.0.0.1", 1)
        with pytest.raises(StoreUnavailable, match="read-only replica"):
            child.store.publish_hwm({"a": 1})

    def test_memory_is_full(self, child: RedisChild) -> None:
        child.client.config_set("maxmemory", 1)
        with pytest.raises(StoreUnavailable, match="has no memory left"):
            child.store.publish_hwm({"a": 1})

    def test_memory_is_full_for_what_goes_together(self, child: RedisChild) -> None:
        child.client.config_set("maxmemory", 1)
        with pytest.raises(StoreUnavailable, match="has no memory left"):
            child.store.forget_shipped("a", 1)

    def test_other_data_under_our_keys(self, child: RedisChild) -> None:
        child.client.set("steppe:hwm", "1")
        with pytest.raises(StoreUnavailable, match="a database of its own"):
            child.store.publish_hwm({"a": 1})

    def test_another_kind_of_server(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            answering = threading.Thread(target=answer_like_http, args=(listener,))
            answering.start()
            with pytest.raises(StoreUnavailable, match="another program listens there"):
                RedisStore(f"redis://127.0.0.1:{listener.getsockname()[1]}").ping()
            answering.join()


def answer_like_http(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
