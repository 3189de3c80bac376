"""The zip archive of a torch checkpoint: what torch writes, and nothing that only pretends to be it.

Torch stores its entries one after another without compression. Whatever a crafted archive could claim beyond that
(compressed or overlapping entries, two of one name, sizes that the file does not have) is refused.
"""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO

import torch

from xai_assets.vision.checkpoint_errors import CheckpointError, damaged

MAX_DIRECTORY = 16 * 2**20
"""Bytes of the archive's directory: some 60 an entry, one entry a tensor."""

MAX_ENTRIES = 100_000

MAX_PICKLE = 32 * 2**20
"""Bytes of the pickle, which names the tensors: some 200 a tensor."""

_BLOCK = 1 << 24
_LOCAL = struct.Struct("<4s22xHH")  # signature, length of the name, length of the extra field
_END, _END_64 = b"PK\5\6", b"PK\6\6"
_LOCATOR = struct.Struct("<4s4xQ4x")


@dataclass(frozen=True)
class Entry:
    """Where the bytes of an entry are in the file, how many they are, and their CRC-32."""

    start: int
    size: int
    crc: int


class CheckpointZip:
    """The entries of a torch checkpoint.

    Args:
        file: open for reading; stays the caller's.
        size: of the file in bytes.
        name: what to call the file in errors.

    Raises:
        CheckpointError: no archive as torch writes it, or one of another format.
    """

    def __init__(self, file: IO[bytes], size: int, name: str) -> None:
        self._file, self._name = file, name
        if self._directory_size(size) > MAX_DIRECTORY:
            raise damaged(name, f"the archive's directory has more than {MAX_DIRECTORY:,} bytes")
        try:
            with zipfile.ZipFile(file) as archive:
                infos = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
            raise damaged(name, f"{type(error).__name__}: {str(error)[:200]}") from error
        if len(infos) > MAX_ENTRIES:
            raise damaged(name, f"the archive has {len(infos):,} entries, more than {MAX_ENTRIES:,}")
        self._refuse_others({info.filename.partition("/")[2] or info.filename for info in infos})
        self._entries = self._checked(infos, size)
        self._prefix = self._find_prefix()
        self._storages: dict[str, torch.UntypedStorage] = {}
        if self._text("byteorder", "little") != "little":
            raise CheckpointError(name, "it was saved on a big-endian machine", "Save it on another machine.")

    def pickle(self) -> io.BytesIO:
        """The pickle that names the tensors."""
        entry = self._entries[f"{self._prefix}/data.pkl"]
        if entry.size > MAX_PICKLE:
            why = f"its pickle has {entry.size:,} bytes, more than {MAX_PICKLE:,}"
            raise CheckpointError(self._name, why, "Save the weights alone.")
        return io.BytesIO(self._read(entry))

    def storage(self, key: str, size: int) -> torch.UntypedStorage:
        """The storage of a key, read once; raises CheckpointError where it is absent or has less than `size` bytes."""
        if key not in self._storages:
            entry = self._entries.get(f"{self._prefix}/data/{key}")
            if entry is None:
                raise damaged(self._name, f"the storage {key[:80]!r} is not there")
            self._storages[key] = self._load(entry)
        found = self._storages[key]
        if found.nbytes() < size:
            why = f"the storage {key[:80]!r} has {found.nbytes():,} bytes where {size:,} are claimed"
            raise damaged(self._name, why)
        return found

    def _directory_size(self, size: int) -> int:
        """Of the central directory, as the end of the archive claims it."""
        length = min(size, 42)
        self._file.seek(size - length)
        tail = self._file.read(length)
        if tail[-22:-18] != _END:  # a comment behind it, which torch never writes, or a cut file
            raise damaged(self._name, "a zip archive without its end")
        (claimed,) = struct.unpack_from("<I", tail, len(tail) - 10)
        if len(tail) == 42 and tail[:4] == b"PK\6\7":
            self._file.seek(min(_LOCATOR.unpack_from(tail)[1], size))
            record = self._file.read(56)
            if len(record) == 56 and record[:4] == _END_64:
                claimed = max(
                    claimed if claimed != 0xFFFFFFFF else 0, struct.unpack_from("<Q", record, 40)[0]
                )
        return int(claimed)

    def _checked(self, infos: list[zipfile.ZipInfo], size: int) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        lowered: set[str] = set()
        behind = 0
        for info in sorted(infos, key=lambda info: info.header_offset):
            if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
                why = f"the entry {info.filename[:80]!r} is compressed, which torch never does"
                raise CheckpointError(self._name, why, "Save it again with torch.save.")
            if info.flag_bits & 1 or info.filename != info.orig_filename:
                raise damaged(self._name, f"the entry {info.filename[:80]!r} is none of torch's")
            # zipfile moves the offsets of a directory that says another size than it has, also to below 0.
            inside = behind <= info.header_offset < size
            header = b""
            if inside:
                self._file.seek(info.header_offset)
                header = self._file.read(_LOCAL.size)
            if not inside or len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
                raise damaged(
                    self._name, f"the entry {info.filename[:80]!r} overlaps another, or is not there"
                )
            _, name_length, extra_length = _LOCAL.unpack(header)
            start = info.header_offset + _LOCAL.size + name_length + extra_length
            behind = start + info.file_size
            if behind > size:
                raise damaged(self._name, f"the entry {info.filename[:80]!r} ends behind the end of the file")
            if (
                info.filename.lower() in lowered
            ):  # torch finds its entries by their names without regard to case
                raise damaged(self._name, f"the entry {info.filename[:80]!r} is there twice")
            lowered.add(info.filename.lower())
            found[info.filename] = Entry(start, info.file_size, info.CRC)
        return found

    def _find_prefix(self) -> str:
        prefixes = [
            name.removesuffix("/data.pkl")
            for name in self._entries
            if name.count("/") == 1 and name.endswith("/data.pkl")
        ]
        if len(prefixes) != 1:
            raise damaged(self._name, "a zip archive without the pickle of a torch checkpoint")
        return prefixes[0]

    def _refuse_others(self, names: set[str]) -> None:
        """Archives of other formats, by the names that they have below their first folder."""
        if "constants.pkl" in names:
            raise CheckpointError(
                self._name,
                "it is a TorchScript file (torch.jit.save): a program with its weights",
                "Save its weights alone: torch.save(torch.jit.load(FILE).state_dict(), ...).",
            )
        if "archive_format" in names or "serialized_exported_program.json" in names:
            raise CheckpointError(
                self._name,
                "it is an exported program (torch.export.save), no checkpoint",
                "Save its weights alone: torch.save(torch.export.load(FILE).state_dict, ...).",
            )
        if any(name.endswith(".npy") for name in names):
            raise CheckpointError(
                self._name, "it is a NumPy archive, no checkpoint", "Save it with torch.save."
            )

    def _text(self, name: str, default: str) -> str:
        entry = self._entries.get(f"{self._prefix}/{name}")
        return default if entry is None or entry.size > 100 else self._read(entry).decode("latin-1").strip()

    def _read(self, entry: Entry) -> bytes:
        return bytes(_bytes_of(self._load(entry)))

    def _load(self, entry: Entry) -> torch.UntypedStorage:
        storage = read_storage(self._file, entry.start, entry.size, self._name)
        if zlib.crc32(_bytes_of(storage)) != entry.crc:
            raise damaged(self._name, "the content of an entry does not fit its checksum")
        return storage


def read_storage(file: IO[bytes], start: int, size: int, name: str) -> torch.UntypedStorage:
    """`size` bytes of a file from `start` as a storage; raises CheckpointError where the file is shorter."""
    values = torch.empty(size, dtype=torch.uint8)
    view = values.numpy().data
    file.seek(start)
    done = 0
    while done < size and (got := file.readinto(view[done : done + _BLOCK])):  # type: ignore[attr-defined]
        done += got
    if done < size:
        raise damaged(name, f"{size:,} bytes from byte {start:,} on are not all there")
    return values.untyped_storage()


def _bytes_of(storage: torch.UntypedStorage) -> memoryview:
    return torch.empty(0, dtype=torch.uint8).set_(storage).numpy().data
