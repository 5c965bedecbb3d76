"""The configuration: each mistake is named by file, line, key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pool.config_file import ConfigurationError, load
from pool.config_words import sample
from pool.stratum_options import Door

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
NODE = """
[[node]]
url = "http://127.0.0.1:18443"
cookie_file = "node/.cookie"
"""
GOOD = f"""\
[pool]
chain = "regtest"
payout_address = "{ADDRESS}"
{NODE}"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "steppe.toml"
    file.write_text(text)
    return file


def mistakes(tmp_path: Path, text: str) -> list[str]:
    file = written(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    return [str(mistake).removeprefix(str(file)) for mistake in caught.value.mistakes]


def test_a_file_with_the_required_keys_is_enough(tmp_path: Path) -> None:
    assert load(written(tmp_path, GOOD)).stratum.listen == ["0.0.0.0:3333"]


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD))
    assert config.pool.data_dir == str(tmp_path / "data")
    assert config.node[0].cookie_file == str(tmp_path / "node/.cookie")


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_known_one(tmp_path: Path) -> None:
    said = mistakes(tmp_path, GOOD + '\n[stratum]\nlisten = ["0.0.0.0:3333"]\ndificulty = 1\n')
    assert said == [":11: stratum.dificulty: there is no such key; did you mean difficulty?"]


def test_an_unknown_section_is_named(tmp_path: Path) -> None:
    assert mistakes(tmp_path, GOOD + "\n[acounting]\n") == [
        ":9: acounting: there is no such section; did you mean accounting?"
    ]


def test_a_value_out_of_bounds_comes_with_the_bounds(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + "\n[work]\nrefresh_seconds = 3600\n")
    assert said.startswith(":10: work.refresh_seconds: 3600 will not do")
    assert "Allowed: 1 to 45." in said


def test_a_value_of_the_wrong_type_is_refused(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + '\n[stratum]\ndifficulty = "high"\n')
    assert said.startswith(':10: stratum.difficulty: "high" will not do: Expected `float`, got `str`.')


def test_a_choice_comes_with_the_choices(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD.replace("regtest", "regtset"))
    assert "Allowed: one of main, testnet4, signet, regtest." in said


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    said = mistakes(tmp_path, "[pool]\nchain = 7\n\n[work]\npoll_seconds = 0\n")
    assert [line.split(": ")[1] for line in said] == ["pool.chain", "pool.payout_address", "work.poll_seconds", "node"]


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD.partition("[[node]]")[0])
    assert said == ": node: section [[node]] is missing; `steppe config sample` shows it"


def test_an_address_of_another_network_is_refused(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD.replace("regtest", "main"))
    assert said.startswith(":3: pool.payout_address:")


def test_a_node_needs_exactly_one_way_to_log_in(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD.replace('cookie_file = "node/.cookie"\n', ""))
    assert said == ":5: node[0]: give either cookie_file, or user and password_file"


def test_several_nodes_stand_in_order_of_preference(tmp_path: Path) -> None:
    second = NODE.replace("18443", "18444")
    config = load(written(tmp_path, GOOD + second))
    assert [node.url for node in config.node] == ["http://127.0.0.1:18443", "http://127.0.0.1:18444"]


def test_a_node_that_is_listed_twice_is_refused(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + NODE)
    assert said.endswith("node[1].url: this node is listed before; each stands here once")


def test_a_password_in_the_address_is_refused(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD.replace("http://", "http://user:secret@"))
    assert said.startswith(":6: node[0].url:")


def test_the_difficulty_lies_between_its_bounds(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + "\n[stratum]\ndifficulty = 0.00005\n")
    assert said.startswith(":10: stratum.difficulty: must lie between difficulty_min (0.0001)")


PORT = '\n[[port]]\nlisten = "0.0.0.0:3334"\ndifficulty = 0.001\n'


def test_a_further_port_has_what_it_is_given_and_else_what_the_first_has(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD + "\n[stratum]\nshares_per_minute = 12\n" + PORT))
    first, further = config.stratum.doors(config.port)
    assert further == Door(["0.0.0.0:3334"], 0.001, first.difficulty_min, first.difficulty_max, 12)


def test_its_difficulty_lies_between_its_bounds(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + PORT + "difficulty_min = 1\n")
    assert said.startswith(":11: port[0].difficulty: must lie between difficulty_min (1)")


def test_a_port_that_is_no_port_is_named_with_its_line(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + PORT.replace("3334", "70000"))
    assert said.startswith(":10: port[0].listen:")


def test_nine_further_ports_are_too_many(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + 9 * PORT)
    assert said.endswith("1 to 8 [[port]] are supported, 9 are given")


def test_one_bracket_makes_no_port(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + PORT.replace("[[port]]", "[port]"))
    assert "must be written [[port]]" in said


def test_text_that_is_not_toml_is_named_with_its_line(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + "difficulty 5\n")
    assert said.startswith(":8: is not TOML:")


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "steppe.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is not UTF-8 text"):
        load(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")


def test_a_port_out_of_range_is_refused(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + '\n[web]\nlisten = "127.0.0.1:99999"\n')
    assert said == ":10: web.listen: '127.0.0.1:99999' has no port between 1 and 65535"


def test_a_list_of_networks_holds_networks(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + '\n[stratum]\nproxy_from = ["10.0.0.0/8", "10.0.0.1/8"]\n')
    assert said.startswith(":10: stratum.proxy_from: 10.0.0.1/8 has host bits set; give addresses or networks")


def test_a_name_of_the_operators_listener_has_no_scheme_and_no_port(tmp_path: Path) -> None:
    said = mistakes(
        tmp_path,
        GOOD + '\n[web]\nadmin_hosts = ["ops.example", "10.9.8.7", "fd00::1", "https://a.example", "10.9.8.7:80"]\n',
    )
    assert [each.partition("; ")[0].partition(": no scheme")[0] for each in said] == [
        ":10: web.admin_hosts: 'https://a.example' is no host name or address",
        ":10: web.admin_hosts: '10.9.8.7:80' is no host name or address",
    ]


def test_a_certificate_and_its_key_belong_together(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + '\n[stratum]\ntls_key = "pool.key"\n')
    assert said == ":10: stratum.tls_key: tls_certificate and tls_key belong together"


def test_their_paths_start_at_the_file(tmp_path: Path) -> None:
    door = load(written(tmp_path, GOOD + '\n[stratum]\ntls_certificate = "a.pem"\ntls_key = "a.key"\n')).stratum
    assert (door.tls_certificate, door.tls_key) == (str(tmp_path / "a.pem"), str(tmp_path / "a.key"))


def test_the_processes_have_ranges_below_256(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + "\n[stratum]\nextranonce_range = 254\nprocesses = 3\n")
    assert said == ":11: stratum.processes: 3 processes from extranonce_range 254 on end above 255"


def test_the_sample_becomes_good_once_the_open_keys_are_filled_in(tmp_path: Path) -> None:
    text = sample().replace('"your bitcoin address"', f'"{ADDRESS}"').replace('chain = "main"', 'chain = "regtest"')
    text = text.replace('#cookie_file = ""', 'cookie_file = "x"')
    assert load(written(tmp_path, text)).pool.coinbase_tag == "/steppe/"


def test_the_sample_shows_defaults_that_load(tmp_path: Path) -> None:
    text = sample().replace('"your bitcoin address"', f'"{ADDRESS}"').replace('chain = "main"', 'chain = "regtest"')
    text = text.replace('#cookie_file = ""', 'cookie_file = "x"')
    everything = "\n".join(
        line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in text.splitlines()
    )
    plain, commented_in = load(written(tmp_path, text)), load(written(tmp_path, everything))
    assert msgspec.structs.replace(commented_in, port=[], checkpoint=[]) == plain
    first, further = commented_in.stratum.doors(commented_in.port)
    assert further == msgspec.structs.replace(first, listen=["0.0.0.0:3334"])


def test_work_may_not_be_released_before_it_is_renewed(tmp_path: Path) -> None:
    said = mistakes(tmp_path, GOOD + "\n[stratum]\nrelease_seconds = 50\n")
    assert said == [
        ":10: stratum.release_seconds: must be at least twice work.refresh_seconds (30): work is that old at times"
    ]


def test_where_a_node_announces_is_a_tcp_address(tmp_path: Path) -> None:
    assert load(written(tmp_path, GOOD + 'zmq = "tcp://127.0.0.1:28332"\n')).node[0].zmq == "tcp://127.0.0.1:28332"
    [said] = mistakes(tmp_path, GOOD + 'zmq = "127.0.0.1:28332"\n')
    assert "node[0].zmq" in said


CHECKPOINT = "\n[[checkpoint]]\nheight = 7\n"


def test_a_checkpoint_has_a_height_and_a_hash(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD + CHECKPOINT + f'hash = "{"0f" * 32}"\n'))
    assert [(each.height, each.hash) for each in config.checkpoint] == [(7, "0f" * 32)]


def test_two_checkpoints_at_a_height_are_a_mistake(tmp_path: Path) -> None:
    twice = (CHECKPOINT + f'hash = "{"0f" * 32}"\n') * 2
    assert mistakes(tmp_path, GOOD + twice) == [":14: checkpoint[1].height: there is a checkpoint at 7 before this one"]


def test_a_hash_that_is_cut_is_a_mistake(tmp_path: Path) -> None:
    [said] = mistakes(tmp_path, GOOD + CHECKPOINT + 'hash = "0f0f"\n')
    assert said.startswith(":11: checkpoint[0].hash:")


ALERTS = '\n[alerts]\nsmtp = "mail.test:587"\nemail_from = "a@b.test"\nemail_to = ["c@d.test"]\n'


def test_messages_need_a_server_a_sender_and_somebody(tmp_path: Path) -> None:
    assert load(written(tmp_path, GOOD + ALERTS)).alerts.email_to == ["c@d.test"]
    (said,) = mistakes(tmp_path, GOOD + ALERTS.replace('email_from = "a@b.test"\n', ""))
    assert said.endswith("alerts.email_from: smtp, email_from and email_to belong together")


def test_a_mail_server_has_a_port(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + ALERTS.replace("587", "99999"))
    assert said.endswith("alerts.smtp: 'mail.test:99999' has no port between 1 and 65535")


def test_no_line_can_be_put_into_a_mail_by_an_address(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + ALERTS.replace("c@d.test", "c@d.test\\nBcc: e@f.test"))
    assert ": alerts.email_to: " in said


def test_a_password_for_mail_is_not_sent_in_the_clear_but_on_this_machine(tmp_path: Path) -> None:
    clear = ALERTS + 'smtp_user = "u"\nsmtp_password_file = "p"\nsmtp_security = "none"\n'
    (said,) = mistakes(tmp_path, GOOD + clear)
    assert said.endswith("alerts.smtp_security: a password is not sent in the clear: starttls or tls")
    loaded = load(written(tmp_path, GOOD + clear.replace("mail.test", "127.0.0.1")))
    assert loaded.alerts.smtp_password_file == str(tmp_path / "p")
    (said,) = mistakes(tmp_path, GOOD + ALERTS + 'smtp_user = "u"\n')
    assert said.endswith("alerts.smtp_user: smtp_user and smtp_password_file belong together")
