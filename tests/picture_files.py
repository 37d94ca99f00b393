"""Pictures byte by byte, of depths and kinds that no library here writes."""

import struct
import zlib
from itertools import accumulate


def chunk(kind, data=b""):
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png(pixels, colour_type, more=b""):
    """A PNG of (rows, columns, channels) pixels of 8 or 16 bits, of a colour type of the format."""
    rows, columns, _ = pixels.shape
    big = pixels.astype(pixels.dtype.newbyteorder(">"))
    lines = b"".join(b"\0" + row.tobytes() for row in big)
    bits = pixels.dtype.itemsize * 8
    header = struct.pack(">IIBBBBB", columns, rows, bits, colour_type, 0, 0, 0)
    parts = chunk(b"IHDR", header), more, chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff(pixels, *, photometric, rows_a_strip=None, sample_format=None):
    """An uncompressed TIFF of (rows, columns, channels) pixels, of one strip whatever it says."""
    rows, columns, channels = pixels.shape
    bits = [pixels.dtype.itemsize * 8] * channels
    short, long = "H", "I"
    tags = {
        256: (long, [columns]),
        257: (long, [rows]),
        258: (short, bits),
        259: (short, [1]),
        262: (short, [photometric]),
        273: (long, [0]),
        277: (short, [channels]),
        278: (long, [rows_a_strip or rows]),
        279: (long, [pixels.nbytes]),
    }
    if sample_format is not None:
        tags[339] = (short, [sample_format] * channels)
    size = 8 + 2 + 12 * len(tags) + 4
    values = {tag: struct.pack(f"<{len(each)}{kind}", *each) for tag, (kind, each) in tags.items()}
    far = {tag: each for tag, each in values.items() if len(each) > 4}
    places = dict(zip(far, accumulate(map(len, far.values()), initial=size), strict=False))
    values[273] = struct.pack("<I", size + sum(map(len, far.values())))
    entries = b"".join(
        struct.pack("<HHI", tag, {short: 3, long: 4}[kind], len(each))
        + (struct.pack("<I", places[tag]) if tag in far else values[tag].ljust(4, b"\0"))
        for tag, (kind, each) in tags.items()
    )
    start = b"II*\0" + struct.pack("<IH", 8, len(tags))
    return start + entries + bytes(4) + b"".join(far.values()) + pixels.tobytes()
