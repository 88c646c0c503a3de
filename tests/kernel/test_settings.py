from pathlib import Path

import pytest

from jilink.kernel.settings import Settings, SettingsRefused, addresses


def test_the_environment_overrides_a_default() -> None:
    settings = Settings.from_environment({"JILINK_NATS_PORT": "4333", "JILINK_DATA": "/srv/jilink"})
    assert settings.nats_port == 4333
    assert settings.data == Path("/srv/jilink")


def test_a_wrong_number_is_refused_by_the_name_of_its_variable() -> None:
    with pytest.raises(SettingsRefused, match="JILINK_NATS_PORT must be a whole number, not 'soon'"):
        Settings.from_environment({"JILINK_NATS_PORT": "soon"})


@pytest.mark.parametrize("name", ["JILINK_LANGUAGE", "JILINK_LOG_FORMAT", "JILINK_TERMINALS_IO"])
def test_a_word_that_no_setting_knows_is_refused_with_those_it_knows(name: str) -> None:
    with pytest.raises(SettingsRefused, match=f"{name} must be one of .*, not 'other'"):
        Settings.from_environment({name: "other"})


def test_the_generated_password_of_the_bundled_spine_is_part_of_its_address(tmp_path: Path) -> None:
    (tmp_path / "spine").mkdir()
    (tmp_path / "spine" / "password").write_text("a/b\n")
    settings = Settings.from_environment({"JILINK_DATA": str(tmp_path)})
    assert settings.spine_url == "nats://jilink:a%2Fb@127.0.0.1:14222"


def test_an_address_of_another_cluster_is_used_as_it_is() -> None:
    assert Settings.from_environment({"JILINK_NATS_URL": "nats://one:4222,nats://two:4222"}).spine_url == "nats://one:4222,nats://two:4222"


def test_addresses_take_both_families_and_refuse_a_missing_port() -> None:
    assert addresses("0.0.0.0:7611, [::]:7611") == [("0.0.0.0", 7611), ("::", 7611)]
    with pytest.raises(SettingsRefused, match="is not an address with a port"):
        addresses("0.0.0.0")
    with pytest.raises(SettingsRefused):
        addresses("0.0.0.0:70000")
