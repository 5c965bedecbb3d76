"""What is prepared for our own Redis; pool/store/redis_server.py."""

import os
import tempfile
from pathlib import Path

import pytest

from pool.store.redis_server import RedisServerError, prepare


def found(_: str) -> str:
    return "/usr/bin/redis-server"


def test_a_missing_program_says_what_to_install_or_to_set(tmp_path: Path) -> None:
    with pytest.raises(RedisServerError, match=r"apt install redis-server.*or set redis.url"):
        prepare(tmp_path / "redis", lambda _: None)


def test_it_answers_on_a_socket_in_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    assert prepare(folder, found).url == f"unix://{folder}/redis.sock"


def test_the_folder_is_closed_to_others(tmp_path: Path) -> None:
    prepare(tmp_path / "redis", found)
    assert (tmp_path / "redis").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "line", ["port 0", "unixsocketperm 700", "appendonly yes", 'save ""', "maxmemory-policy noeviction", "daemonize no"]
)
def test_the_configuration_says(tmp_path: Path, line: str) -> None:
    prepared = prepare(tmp_path / "redis", found)
    assert line in Path(prepared.argv[1]).read_text().splitlines()


def test_a_path_with_spaces_and_quotes_is_one_word(tmp_path: Path) -> None:
    folder = tmp_path / 'my "pool" ö'
    prepared = prepare(folder, found)
    assert f'dir "{tmp_path}/my \\x22pool\\x22 \\xc3\\xb6"' in Path(prepared.argv[1]).read_text()


def test_a_path_too_long_for_a_socket_leads_to_a_private_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # pytest's own folders may be too long themselves
        monkeypatch.setattr("tempfile.tempdir", short)
        prepared = prepare(tmp_path / ("x" * 120), found)
        path = Path(prepared.url.removeprefix("unix://"))
        assert len(os.fsencode(path)) <= 107
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_folder_in_the_way_that_others_may_enter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / ("x" * 120)
    Path(prepare(folder, found).url.removeprefix("unix://")).parent.chmod(0o755)
    with pytest.raises(RedisServerError, match="not a folder of this user alone"):
        prepare(folder, found)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RedisServerError, match=r"cannot be used: .*Not a directory"):
        prepare(tmp_path / "file" / "redis", found)
