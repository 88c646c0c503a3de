"""Where the files of a table lie: a local folder, made durable with fsync, or an object store."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs
from deltalake.fs import DeltaStorageHandler

from jilink.kernel.errors import Refused, Unavailable


class StorageFull(Unavailable):
    """The files could not be written: the disk is full, or the store refuses. Nothing was committed."""


class StoreUnknown(Refused):
    """The setting of the history names a kind of store that it does not work with."""


SCHEMES = ("file", "s3", "s3a")
"""What has been tried; an object store of another kind as a rule has a gateway that speaks S3."""


class Storage:
    """The files of one table. `local` is its folder, or None where it lies in an object store."""

    def __init__(self, url: str) -> None:
        """Raises StoreUnknown."""
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES or (parts.scheme != "file" and not parts.netloc):
            raise StoreUnknown(
                f"JILINK_HISTORY_URL must be like file:///srv/history or s3://bucket/folder, not {url.removesuffix('/positions')!r};"
                " leave it empty for the data folder"
            )
        self.url = url
        self.local: Path | None = Path(unquote(parts.path)) if parts.scheme == "file" else None

    def write(self, path: str, produce: Callable[[BinaryIO | pa.NativeFile], None]) -> int:
        """Write a file that `produce` fills, durably; return its size in bytes. On failure nothing is left. Raises StorageFull."""
        if self.local is None:
            return self._write_remote(path, produce)
        target = self.local / path
        try:
            with _removed_on_failure(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    produce(file)
                    file.flush()
                    os.fsync(file.fileno())
                    size = file.tell()
                sync_folder(target.parent)
        except OSError as error:
            raise StorageFull(f"could not write {target}: {error.strerror or error}") from error
        return size

    def sync_log(self, version: int) -> None:
        """Make the log up to a version durable: a commit counts only after this."""
        if self.local is None:
            return
        log = self.local / "_delta_log"
        try:
            with (log / f"{version:020d}.json").open("rb") as file:
                os.fsync(file.fileno())
            sync_folder(log)
        except OSError as error:
            raise StorageFull(f"could not sync {log}: {error.strerror or error}") from error

    def remove(self, path: str) -> None:
        """Remove a file that no commit names. Missing is no error."""
        if self.local is not None:
            (self.local / path).unlink(missing_ok=True)
            return
        with contextlib.suppress(OSError):
            self._filesystem().delete_file(path)

    def dataset(self, paths: list[str], schema: pa.Schema) -> ds.Dataset:
        """Return the files as a pyarrow dataset, for stores that DuckDB cannot open by itself."""
        filesystem = pafs.SubTreeFileSystem(str(self.local), pafs.LocalFileSystem()) if self.local is not None else self._filesystem()
        return ds.dataset(paths, schema=schema, format="parquet", filesystem=filesystem)

    def open(self, path: str) -> pa.NativeFile:
        """Open a file for reading. Raises OSError."""
        if self.local is not None:
            return pa.memory_map(str(self.local / path)) if (self.local / path).stat().st_size else pa.OSFile(str(self.local / path))
        return self._filesystem().open_input_file(path)

    def _write_remote(self, path: str, produce: Callable[[BinaryIO | pa.NativeFile], None]) -> int:
        filesystem = self._filesystem()
        try:
            with filesystem.open_output_stream(path) as file:
                produce(file)
            size: int = filesystem.get_file_info(path).size
        except OSError as error:
            raise StorageFull(f"could not write {self.url}/{path}: {error}") from error
        return size

    def _filesystem(self) -> pafs.FileSystem:
        return pafs.PyFileSystem(DeltaStorageHandler(self.url))


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _removed_on_failure(target: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            target.unlink(missing_ok=True)
        raise
