"""Zips built by hand, field by field, so that every field can be wrong."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field, replace

ROWS = b"Last_Name,Company\nOne,A\nTwo,B\nThree,C\n"


def deflate(data: bytes, level: int = 9) -> bytes:
    """Raw deflate, as zips hold it."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@dataclass(frozen=True)
class Entry:
    """One member; every field that is None gets its right value."""

    data: bytes = ROWS
    name: bytes = b"leads.csv"
    method: int = 8
    packed: bytes | None = None
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    packed_size: int | None = None
    attributes: int = 0
    extra: bytes = b""
    local_extra: bytes = b""
    local_extra_size: int | None = None
    local_name: bytes | None = None
    local_crc: int | None = None
    local_size: int | None = None
    local_method: int | None = None
    local_signature: bytes = b"PK\x03\x04"
    descriptor: bytes = b""
    offset: int | None = None
    dos_date: int = 0x5821
    needs: int = 20
    disk: int = 0
    local: bool = True

    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflate(self.data) if self.method == 8 else self.data


def archive(
    *entries: Entry,
    prefix: bytes = b"",
    suffix: bytes = b"",
    comment: bytes = b"",
    count: int | None = None,
    directory_offset: int | None = None,
    disk: int = 0,
) -> bytes:
    """A zip of these entries."""
    out = bytearray(prefix)
    directory = bytearray()
    for e in entries:
        body = e.body()
        crc = zlib.crc32(e.data) if e.crc is None else e.crc
        size = len(e.data) if e.size is None else e.size
        packed = len(body) if e.packed_size is None else e.packed_size
        offset = len(out) - len(prefix) if e.offset is None else e.offset
        if e.local:
            late = bool(e.flags & 8)
            name = e.name if e.local_name is None else e.local_name
            out += struct.pack(
                "<4s5H3L2H",
                e.local_signature,
                e.needs,
                e.flags,
                e.method if e.local_method is None else e.local_method,
                0,
                e.dos_date,
                0 if late else (crc if e.local_crc is None else e.local_crc),
                0 if late else packed & 0xFFFFFFFF,
                0 if late else (size if e.local_size is None else e.local_size) & 0xFFFFFFFF,
                len(name),
                len(e.local_extra) if e.local_extra_size is None else e.local_extra_size,
            )
            out += name + e.local_extra + body + e.descriptor
        directory += struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            0x0314,
            e.needs,
            e.flags,
            e.method,
            0,
            e.dos_date,
            crc,
            packed,
            size,
            len(e.name),
            len(e.extra),
            0,
            e.disk,
            0,
            e.attributes << 16,
            offset,
        )
        directory += e.name + e.extra
    start = len(out)
    out += directory
    number = len(entries) if count is None else count
    out += struct.pack(
        "<4s4H2LH",
        b"PK\x05\x06",
        disk,
        disk,
        number & 0xFFFF,
        number & 0xFFFF,
        len(directory),
        (start - len(prefix)) if directory_offset is None else directory_offset,
        len(comment),
    )
    return bytes(out) + comment + suffix


def zip64_sizes(size: int, packed: int) -> bytes:
    """The extra field that carries sizes of 64 bits."""
    return struct.pack("<HHQQ", 1, 16, size, packed)


def overlapping(files: int, kernel: bytes) -> bytes:
    """Every directory entry points to one and the same member."""
    one = Entry(data=kernel, name=b"0.csv")
    others = [replace(one, local=False, offset=0) for _ in range(files - 1)]
    return archive(one, *others)


def quoted_overlap(files: int, kernel: bytes) -> bytes:
    """Each member's data run through the next member's header, hidden in a stored deflate block."""
    packed = deflate(kernel)
    parts: list[tuple[bytes, bytes]] = []  # name, everything from its data start
    tail, tail_data = packed, kernel
    headers: list[tuple[bytes, int, bytes, bytes]] = []
    for number in reversed(range(files)):
        name = b"%05d.csv" % number
        header = struct.pack(
            "<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0x5821, zlib.crc32(tail_data),
            len(tail), len(tail_data), len(name), 0,
        ) + name  # fmt: skip
        headers.append((name, len(tail), tail_data, header))
        parts.insert(0, (name, header))
        quote = struct.pack("<BHH", 0, len(header), 0xFFFF ^ len(header))
        tail, tail_data = quote + header + tail, header + tail_data
    out = bytearray()
    offsets = {}
    first = True
    for name, header in parts:
        if not first:
            out += struct.pack("<BHH", 0, len(header), 0xFFFF ^ len(header))
        first = False
        offsets[name] = len(out)
        out += header
    out += packed
    directory = bytearray()
    for name, packed_size, data, _ in reversed(headers):
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 0x5821, zlib.crc32(data),
            packed_size, len(data), len(name), 0, 0, 0, 0, 0, offsets[name],
        ) + name  # fmt: skip
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, files, files, len(directory), len(out), 0)
    return bytes(out + directory) + end


@dataclass
class Flaky:
    """A file that fails after `reads` reads, as remote storage may."""

    data: bytes
    reads: int
    position: int = field(default=0)

    def seek(self, offset: int, whence: int = 0) -> int:
        self.position = offset if whence == 0 else len(self.data) + offset
        return self.position

    def read(self, size: int = -1) -> bytes:
        self.reads -= 1
        if self.reads < 0:
            raise ConnectionError("storage went away")
        end = len(self.data) if size < 0 else self.position + size
        found = self.data[self.position : end]
        self.position += len(found)
        return found


def nested(levels: int) -> bytes:
    """A zip in a zip, `levels` deep."""
    made = archive(Entry())
    for _ in range(levels):
        made = archive(Entry(made, b"r/r.zip"))
    return made
