"""What a picture file is and how large, read from its first bytes: before a decoder trusts it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_JPEG_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_JPEG_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..15 without DHT, JPG and DAC
_JPEG_SCAN = 0xDA
_PNG = b"\x89PNG\r\n\x1a\n"
# Pictures that people have and OpenCV's wheels do not read, or not everywhere.
_FOREIGN = (
    (b"GIF8", "a GIF"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1a\x45\xdf\xa3", "a Matroska video"),
)
_ISO_BRANDS = {
    b"heic": "a HEIC photograph",
    b"heix": "a HEIC photograph",
    b"mif1": "a HEIC photograph",
    b"avif": "an AVIF picture",
}


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """kind : JPEG, PNG, BMP or WebP; is_whole : the file ends where its format says it does"""

    kind: str
    width: int
    height: int
    is_whole: bool


def read_header(content: bytes) -> PictureHeader | None:
    """The header of a JPEG, PNG, BMP or WebP; None when the bytes are none of these, or end inside the header."""
    try:
        if content.startswith(b"\xff\xd8\xff"):
            return _jpeg(content)
        if content.startswith(_PNG):
            return _png(content)
        if content.startswith(b"BM"):
            return _bmp(content)
        if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            return _webp(content)
    except (struct.error, IndexError):
        return None
    return None


def describe(content: bytes) -> str:
    """What the bytes look like, for people."""
    for magic, name in _FOREIGN:
        if content.startswith(magic):
            return name
    if content[4:8] == b"ftyp":
        return _ISO_BRANDS.get(content[8:12], "an MP4 video")
    if content.startswith((b"\xff\xd8\xff", _PNG, b"BM", b"RIFF")):
        return "a picture that ends inside its header"
    is_text = all(32 <= byte < 127 or byte in b"\t\r\n" for byte in content[:256])
    return "text" if is_text else f"unknown bytes ({content[:8].hex(' ')})"


def _jpeg(content: bytes) -> PictureHeader | None:
    position, size = 2, None
    while position < len(content):
        if content[position] != 0xFF:
            return None
        marker = content[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker in _JPEG_STANDALONE:
            position += 2
            continue
        if marker in _JPEG_FRAME:
            size = struct.unpack_from(">HH", content, position + 5)
        if marker == _JPEG_SCAN:
            # The end marker can't occur inside a scan (0xFF is stuffed there), only in thumbnails before it.
            is_whole = content.find(b"\xff\xd9", position) >= 0
            return PictureHeader("JPEG", size[1], size[0], is_whole) if size else None
        position += 2 + int(struct.unpack_from(">H", content, position + 2)[0])
    return PictureHeader("JPEG", size[1], size[0], False) if size else None


def _png(content: bytes) -> PictureHeader:
    width, height = struct.unpack_from(">II", content, 16)
    position = len(_PNG)
    while position + 12 <= len(content):
        length, name = struct.unpack_from(">I4s", content, position)
        position += 12 + length
        if name == b"IEND":
            break
    else:
        return PictureHeader("PNG", width, height, False)
    return PictureHeader("PNG", width, height, position <= len(content))


def _bmp(content: bytes) -> PictureHeader:
    pixels_at, header_size = struct.unpack_from("<II", content, 10)
    if header_size == 12:  # OS/2
        width, height, _, bits = struct.unpack_from("<HHHH", content, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", content, 18)
    width, height = abs(width), abs(height)  # a negative height: rows from the top
    needed = pixels_at + (width * bits + 31) // 32 * 4 * height if compression in (0, 3) else pixels_at + 1
    return PictureHeader("BMP", width, height, len(content) >= needed)


def _webp(content: bytes) -> PictureHeader | None:
    is_whole = len(content) >= 8 + int(struct.unpack_from("<I", content, 4)[0])
    chunk = content[12:16]
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return PictureHeader("WebP", width & 0x3FFF, height & 0x3FFF, is_whole)
    if chunk == b"VP8L":
        bits = int(struct.unpack_from("<I", content, 21)[0])
        return PictureHeader("WebP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, is_whole)
    if chunk == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        height = int.from_bytes(content[27:30], "little") + 1
        return PictureHeader("WebP", width, height, is_whole and len(content) >= 30)
    return None
