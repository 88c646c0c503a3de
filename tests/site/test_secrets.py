"""The key that signs sessions."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jilink.site.secrets import secret_key


def test_processes_that_start_together_get_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(secret_key, [tmp_path] * 64))
    assert len(keys) == 1 and len(keys.pop()) > 40
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_where_there_is_no_data_folder_nothing_is_written(tmp_path: Path) -> None:
    assert secret_key(tmp_path / "none") != secret_key(tmp_path / "none")
    assert not (tmp_path / "none").exists()
