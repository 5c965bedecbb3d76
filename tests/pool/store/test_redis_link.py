"""What Redis' errors mean to an operator; pool/store/redis_link.py."""

import pytest
from redis import exceptions

from pool.ports import StoreUnavailable
from pool.store.redis_link import address_of, connect, errors_of

CASES = [
    (exceptions.ConnectionError("Error 111 connecting to localhost:6379. Connection refused."), "start it, or correct"),
    (exceptions.TimeoutError("Timeout reading from socket"), "does not answer within 5 s"),
    (exceptions.AuthenticationError("Authentication required."), "refuses the login"),
    (exceptions.AuthenticationError("invalid username-password pair"), "correct name and password in redis.url"),
    (exceptions.NoPermissionError("User pool has no permissions"), "its ACL must allow"),
    (exceptions.BusyLoadingError("Redis is loading the dataset in memory"), "wait until it has"),
    (exceptions.ReadOnlyError("You can't write against a read only replica."), "set redis.url to the primary"),
    (exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), "raise its maxmemory"),
    (exceptions.InvalidResponse("Protocol Error: 'H'"), "another program listens there"),
    (exceptions.ResponseError("MISCONF Redis is configured to save RDB snapshots"), "make room there"),
    (exceptions.ResponseError("WRONGTYPE Operation against a key"), "a database of its own"),
    (exceptions.ResponseError("unknown command 'XADD'"), "version 6.2 or newer"),
    (exceptions.ResponseError("something else"), "refuses: something else"),
    (FileNotFoundError(2, "No such file or directory"), "start it, or correct redis.url"),
]


@pytest.mark.parametrize(("error", "mend"), CASES, ids=lambda case: str(case)[:40])
def test_an_error_says_where_what_and_how_to_mend_it(error: Exception, mend: str) -> None:
    with pytest.raises(StoreUnavailable) as raised, errors_of("redis://localhost:6379/0"):
        raise error
    assert str(raised.value).startswith("Redis at redis://localhost:6379/0 ")
    assert mend in str(raised.value)


def test_other_errors_are_bugs_and_stay_what_they_are() -> None:
    with pytest.raises(ZeroDivisionError), errors_of("redis"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://pool:secret@10.0.0.7/3", "redis://10.0.0.7:6379/3"),
        ("rediss://:secret@redis.example:7000", "rediss://redis.example:7000"),
        ("unix:///var/lib/steppe/my%20pool/redis.sock", "/var/lib/steppe/my pool/redis.sock"),
    ],
)
def test_an_address_never_shows_the_password(url: str, address: str) -> None:
    assert address_of(url) == address


@pytest.mark.parametrize("url", ["redis://localhost", "rediss://localhost:1/2", "unix:///run/redis.sock"])
def test_nothing_is_connected_before_it_is_used(url: str) -> None:
    connect(url).close()


def test_another_kind_of_url_is_refused() -> None:
    with pytest.raises(ValueError, match="scheme"):
        connect("http://localhost")
