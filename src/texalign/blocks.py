"""Files whose every block has a checksum at the end of the file: what is read is what was written.

A disk, a copy or a network that changes a bit says nothing of it, and HDF5 would hand on the number that
comes of it. Its own checksum, fletcher32, covers the values of chunked datasets alone, lets a chunk of
zeros pass, and takes ten times as long (see docs/integrity.md).

Behind the content stand one 64-bit sum for each block of 64 KiB, and a footer. HDF5 ignores what stands
behind its own end, so that any program can read these files.
"""

import io
import os
import struct
import zlib

import numpy as np

from texalign.errors import InputError

#: Bytes that have one sum.
BLOCK = 2**16

#: Bytes above which a write can only be a dataset's values: HDF5's own tables come in smaller pieces.
VALUES = 2**16

#: A block as 4 pages of 16 KiB, each of 32 rows of 64 words.
_SHAPE = (4, 32, 64)

#: Powers of an odd number, so that each is odd: no change of one column of one page keeps the sum.
_WEIGHTS = np.multiply.accumulate(np.full(4 * 64, 0x9E3779B97F4A7C15, np.uint64))

_MAGIC = b"texsums1"

#: Magic, bytes of content, CRC-32 of the sums with this number.
_FOOTER = struct.Struct("<8sQI")

#: Blocks that are kept to be read again: HDF5's own tables are read by a few bytes at a time.
_KEPT = 16


def sums(data):
    """Sum each block of some bytes, the last one filled up with zeros, to 64 bits.

    Columns of words are added within a page, and weighted over pages and columns. Any change within 512
    bytes changes the sum; another one keeps it by a chance of 1e-5 where two single bits change, and of
    less than 1e-9 where more do. By two passes of NumPy, at ten gigabytes a second: eight times as fast as
    CRC-32 and as HDF5's fletcher32.

    Parameters
    ----------
    data : bytes-like

    Returns
    -------
    array, uint64, shape (ceil(len(data) / `BLOCK`),)
    """
    data = np.frombuffer(data, np.uint8)
    if len(data) % BLOCK:
        data = np.pad(data, (0, -len(data) % BLOCK))
    words = np.require(data.view("<u8"), requirements="A").reshape(-1, *_SHAPE)
    columns = words.sum(axis=2).reshape(-1, len(_WEIGHTS))
    columns ^= columns >> np.uint64(32)  # times an odd number, the highest bit alone, a sign, stays itself
    return columns @ _WEIGHTS


class Writer(io.FileIO):
    """A new file to write to, in any order, which ends with its sums after `finish`.

    It keeps the first error, as of a full disk: HDF5 crashes the process where one of its own tables cannot
    be written, so it is not told of that. It survives, and stops at once, where a dataset's values cannot.

    Parameters
    ----------
    path : str or Path
    """

    error = None

    def __init__(self, path):
        super().__init__(path, "w+")
        self._sums, self._edges = {}, set()

    def write(self, data):
        """Write all of some bytes."""
        data = memoryview(data).cast("B")
        start, size = self.tell(), len(data)
        self._note(start, data)
        try:
            if self.error:
                raise self.error
            while data:  # the system takes 2 GiB at a time, and less where the disk is almost full
                data = data[super().write(data) :]
        except OSError as error:
            self.error = error
            if size > VALUES:
                raise
        return size

    def _note(self, start, data):
        """Sum the blocks that come as a whole; those at the edges are read back, later or at the end."""
        # While the neighbours of what came long ago are still in the system's memory.
        if len(self._edges) > 256:
            self._read_back()
        stop = start + len(data)
        first, last = -(-start // BLOCK), stop // BLOCK
        if first < last:
            found = sums(data[first * BLOCK - start : last * BLOCK - start])
            self._sums.update(zip(range(first, last), found.tolist(), strict=True))
            self._edges.difference_update(range(first, last))
        if start < first * BLOCK:
            self._edges.add(first - 1)
        if last * BLOCK < stop:
            self._edges.add(last)

    def _read_back(self):
        for block in self._edges:
            data = os.pread(self.fileno(), BLOCK, block * BLOCK)
            self._sums[block] = int(sums(data)[0]) if data else 0
        self._edges.clear()

    def finish(self):
        """Write the sums. Nothing may be written after it."""
        size = os.fstat(self.fileno()).st_size
        count = -(-size // BLOCK)
        self._edges |= set(range(count)) - self._sums.keys()  # left empty
        self._edges = {block for block in self._edges if block < count}
        if size % BLOCK:
            self._edges.add(count - 1)
        self._read_back()
        table = np.array([self._sums[block] for block in range(count)], "<u8").tobytes()
        self.seek(0, os.SEEK_END)
        self.write(table + _FOOTER.pack(_MAGIC, size, _check(table, size)))
        if self.error:
            raise self.error


class Reader(io.FileIO):
    """The content of a file that `Writer` wrote; every byte is checked before it is handed out.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    InputError
        The file is missing, is not as long as it was, or has no sums; when reading, a block is not as it
        was written.
    """

    def __init__(self, path):
        try:
            super().__init__(path, "r")
        except OSError as error:
            raise InputError(f"{path}: cannot be opened ({error}); run again") from error
        self._path, self._kept = path, {}
        end = os.fstat(self.fileno()).st_size
        footer = os.pread(self.fileno(), _FOOTER.size, max(end - _FOOTER.size, 0))
        if len(footer) < _FOOTER.size or not footer.startswith(_MAGIC):
            self._refuse("it does not end with its checksums: cut short, or not written by texalign")
        _, self.size, check = _FOOTER.unpack(footer)
        count = -(-self.size // BLOCK)
        if end != self.size + 8 * count + _FOOTER.size:
            self._refuse("it is not as long as it was")
        table = os.pread(self.fileno(), 8 * count, self.size)
        if check != _check(table, self.size):
            self._refuse("its checksums are damaged")
        self._sums = np.frombuffer(table, "<u8")

    def __del__(self):
        self.close()

    def _refuse(self, reason):
        raise InputError(f"{self._path}: {reason}; delete it and run again")

    def readinto(self, buffer):
        """Fill a buffer from where the file stands, as far as there is content."""
        view = memoryview(buffer).cast("B")
        start = self.tell()
        view = view[: max(self.size - start, 0)]
        stop = start + len(view)
        first, last = -(-start // BLOCK), stop // BLOCK
        if first < last:  # whole blocks go where they are asked for
            whole = view[first * BLOCK - start : last * BLOCK - start]
            self._read(whole, first * BLOCK)
            self._check(whole, first)
        for block in {start // BLOCK, last}:
            if not first <= block < last:
                low, high = max(start, block * BLOCK), min(stop, (block + 1) * BLOCK)
                if low < high:
                    view[low - start : high - start] = self._block(block)[
                        low - block * BLOCK : high - block * BLOCK
                    ]
        self.seek(stop)
        return len(view)

    def _block(self, block):
        if block not in self._kept:
            data = bytearray(min(BLOCK, self.size - block * BLOCK))
            self._read(memoryview(data), block * BLOCK)
            self._check(data, block)
            if len(self._kept) >= _KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[block] = memoryview(data)
        return self._kept[block]

    def _read(self, view, offset):
        while view:  # the system gives 2 GiB at a time
            count = os.preadv(self.fileno(), [view], offset)
            if not count:
                self._refuse("it is not as long as it was")
            view, offset = view[count:], offset + count

    def _check(self, data, first):
        found = sums(data)
        wrong = np.flatnonzero(found != self._sums[first : first + len(found)])
        if len(wrong):
            place = (first + int(wrong[0])) * BLOCK
            self._refuse(f"damaged: what stands at byte {place} is not what was written")


def _check(table, size):
    return zlib.crc32(table, zlib.crc32(struct.pack("<Q", size)))
