"""Commands about people who sign in, and about the keys of those who are served."""

import json
import re

from tests.site.installation import environment, jilink, prepared


def test_an_invitation_is_a_link_and_lost_factors_are_reset(tmp_path):
    env = prepared(tmp_path / "data")
    link = jilink("user", "invite", "王芳", "--role", "agent", env=env)
    assert link.returncode == 0, link.stderr
    assert re.fullmatch(rf"http://{re.escape(env['JILINK_WEB'])}/accounts/invitation/[a-z2-7]{{52}}/", link.stdout.strip())
    assert jilink("user", "invite", " ", env=env).returncode == 2
    assert jilink("user", "factors", "admin", env=env).returncode == 0
    assert jilink("user", "factors", "nobody", env=env).returncode == 2


def test_keys_are_renewed_and_the_old_one_is_gone(tmp_path):
    env = prepared(tmp_path / "data")
    for expected in ("k2", "k3"):
        done = jilink("keys", "renew", env=env)
        assert done.returncode == 0 and f"the key {expected}" in done.stdout, done.stderr
        path = tmp_path / "data" / "identity_keys"
        assert list(json.loads(path.read_text())["keys"]) == [expected] and path.stat().st_mode & 0o777 == 0o600


def test_the_doctor_warns_where_a_password_alone_opens_everything(tmp_path):
    for word, level in (("off", "warn"), ("required", "ok")):
        done = jilink("doctor", "--json", env=environment(tmp_path / word, JILINK_TWO_FACTORS=word))
        found = {finding["name"]: finding for finding in map(json.loads, done.stdout.splitlines())}
        assert found["two factors"]["level"] == level, found
