"""Damaged files, made from whole ones by a seeded generator: accidents, and files of somebody who knows the format.

Accidents are flipped bits, cuts, insertions, doubled and zeroed ranges. The others keep what a reader checks first
(checksums, compression, syntax) right and change what stands inside: sizes, types, names, numbers, depth.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import onnx
from google.protobuf.message import Message

Damage = Callable[[bytes, random.Random], bytes]

_BYTES = (0x00, 0x01, 0x7F, 0x80, 0xFF, 0x0A, 0x22, 0x5B, 0x7B)
_NUMBERS = (0, 1, 2, 3, 7, 255, 256, 1 << 15, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
_NAMES = ("", "../../escaped", "/tmp/escaped", "a\nb", "a\0b", "x" * 300, "ü", "module", '"; $system("x")', "\ud800")
_DEEP, _HUGE, _INFINITE, _LONG = "@deep@", "@huge@", "@infinite@", "@long@"


def bytewise(data: bytes, rng: random.Random) -> bytes:
    """Return the data with one to four accidents."""
    raw = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        _accident(raw, rng)
    return bytes(raw)


def _accident(raw: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(raw) + 1)
    length = rng.choice((1, 2, 4, 8, 64, 1024))
    kind = rng.randrange(10)
    if kind == 0 and raw:
        raw[at % len(raw)] ^= 1 << rng.randrange(8)
    elif kind == 1 and raw:
        raw[at % len(raw)] = rng.choice(_BYTES)
    elif kind == 2:
        del raw[at:]
    elif kind == 3:
        del raw[at : at + length]
    elif kind == 4:
        raw[at:at] = rng.randbytes(length)
    elif kind == 5:
        raw[at:at] = raw[at : at + length]
    elif kind == 6:
        raw[at : at + length] = bytes(len(raw[at : at + length]))
    elif kind == 7:
        raw[at : at + 4] = struct.pack(rng.choice("<>") + "I", rng.choice(_NUMBERS))
    elif kind == 8:
        raw += rng.randbytes(length)
    else:
        other = rng.randrange(len(raw) + 1)
        raw[at : at + length], raw[other : other + length] = raw[other : other + length], raw[at : at + length]


def _changed(value: Any, rng: random.Random) -> Any:
    """Return another value in the place of one of a document."""
    near = [None, True, False, "", [], {}, 0, 1, -1, 0.5, *_NAMES[1:], _DEEP, _HUGE, _INFINITE, _LONG, float("nan")]
    near += [10**30, 1 << 62, 1 << 31, -(1 << 63), [value], {"a": value}, [value] * 3]
    if isinstance(value, bool):
        near += ["yes", "no", not value] * 3
    elif isinstance(value, int | float):
        near += [value + 1, value - 1, 2 * value, -value, str(value), float(value), 1 << rng.randrange(40)] * 3
    elif isinstance(value, str):
        near += [value + value, value[:-1], value[::-1], value + " ", value.upper()] * 3
    elif isinstance(value, list):
        near += [value[:-1], value + value, value[::-1], value + [rng.choice(_NUMBERS)]] * 3
    elif isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        near += [{key: value[key] for key in keys[1:]}, {**value, "unknown": 1}, list(value.values())] * 3
    return rng.choice(near)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return container and key of every value inside a document."""
    found = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        keys = list(each) if isinstance(each, dict) else range(len(each)) if isinstance(each, list) else ()
        for key in keys:
            found.append((each, key))
            waiting.append(each[key])
    return found


def _document(text: str, rng: random.Random) -> str:
    document = json.loads(text)
    if rng.random() < 0.2:  # one number or word, by little: what passes the first checks
        container, key = rng.choice([(c, k) for c, k in _places(document) if isinstance(c[k], int | str)])
        value = container[key]
        if isinstance(value, bool):
            container[key] = not value
        else:
            container[key] = value + rng.choice((-1, 1)) if isinstance(value, int) else value + rng.choice("_1")
        return json.dumps(document)
    for _ in range(rng.randint(1, 3)):
        places = _places(document)
        if not places or rng.random() < 0.02:
            document = _changed(document, rng)
            break
        container, key = rng.choice(places)
        if rng.random() < 0.1:
            del container[key]
        elif isinstance(container, dict) and rng.random() < 0.1:
            container[rng.choice(_NAMES)] = container.pop(key)
        else:
            container[key] = _changed(container[key], rng)
    text = json.dumps(document, indent=rng.choice((None, 1)))
    depth = rng.choice((500, 100_000))
    text = text.replace(f'"{_DEEP}"', "[" * depth + "]" * depth).replace(f'"{_HUGE}"', "9" * rng.choice((40, 5000)))
    text = text.replace(f'"{_INFINITE}"', "1e999").replace(f'"{_LONG}"', '"' + "y" * rng.choice((300, 100_000)) + '"')
    keys = list(re.finditer(r'"\w+": ', text))
    if keys and rng.random() < 0.1:
        place = rng.choice(keys)
        text = f"{text[: place.start()]}{place.group()}{rng.choice(('null', '1', '[]'))}, {text[place.start() :]}"
    return text


def json_file(data: bytes, rng: random.Random) -> bytes:
    """Damage a JSON file."""
    if rng.random() < 0.3:
        return bytewise(data, rng)
    return _document(data.decode(), rng).encode()


_TOML_VALUES = (
    "true", "-1", "0", "1.5", "nan", "inf", "1e999", str(10**30), "9" * 5000, '""', '"../x"', '"a\\nb"', '"\\u0000"',
    "1979-05-27", "07:32:00", "[]", "[1, 2]", "[[1], [2]]", "{a = 1}", f'"{"x" * 5000}"', "[" * 100_000,
    "[" * 300 + "]" * 300, f"[{', '.join('1' for _ in range(2000))}]", "'''\n'''", "0x_1",
)  # fmt: skip


def toml_file(data: bytes, rng: random.Random) -> bytes:
    """Damage a TOML file."""
    if rng.random() < 0.3:
        return bytewise(data, rng)
    lines = data.decode().splitlines()
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines))
        key, equals, value = lines[at].partition("=")
        kind = rng.randrange(8)
        if kind == 0:
            lines.insert(at, lines[at])
        elif kind == 1 and len(lines) > 1:
            del lines[at]
        elif kind == 2 and equals:
            lines[at] = f"{rng.choice(('unknown', 'a.b', '', chr(34) * 2, key[:-2]))} ={value}"
        elif kind == 3:
            lines.insert(at, rng.choice(("[other]", "[[list]]", "[a.b.c]", "[study]", "[budget]", "[" * 200, "a" * 9)))
        elif kind == 4:
            lines[at] = re.sub(r"\d+(\.\d+)?", lambda _: rng.choice(_TOML_VALUES[1:9]), lines[at], count=1)
        elif equals:
            lines[at] = f"{key}= {rng.choice(_TOML_VALUES)}"
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def packed_file(data: bytes, rng: random.Random) -> bytes:
    """Damage a packed network; most of the time its checksum is right."""
    if rng.random() < 0.1:
        return bytewise(data, rng)
    magic, body = data[:8], data[8:-4]
    length = struct.unpack_from("<I", body)[0]
    header, arrays = body[4 : 4 + length], body[4 + length :]
    kind = rng.random()
    if kind < 0.3:
        body = bytewise(body, rng)
    else:
        if kind < 0.75:
            header = zlib.compress(_document(zlib.decompress(header).decode(), rng).encode("utf-8", "surrogatepass"))
        elif kind < 0.8:
            header = zlib.compress(bytewise(zlib.decompress(header), rng))
        elif kind < 0.85:
            header = bytewise(header, rng)
        elif kind < 0.86:
            header = zlib.compress(b" " * rng.choice((1 << 24, 1 << 26)), 1)
        else:
            arrays = bytewise(arrays, rng)
        length = len(header) if rng.random() < 0.9 else rng.choice(_NUMBERS)
        body = struct.pack("<I", length) + header + arrays
    return magic + body + struct.pack("<I", zlib.crc32(magic + body))


def _zip_members(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(entry.filename, archive.read(entry)) for entry in archive.infolist()]


def _zip(members: list[tuple[str, bytes]], method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name.encode("utf-8", "replace").decode()), content, method)
    return file.getvalue()


def zip_file(data: bytes, rng: random.Random) -> bytes:
    """Damage an archive: its members, with right checksums, or its bytes and directory."""
    kind = rng.random()
    if kind < 0.3:
        return bytewise(data, rng)
    if kind < 0.4:
        start = data.rindex(b"PK\x05\x06")  # the directory and its end, where the sizes stand
        start = data.index(b"PK\x01\x02") if rng.random() < 0.7 else start
        return data[:start] + bytewise(data[start:], rng)
    members = _zip_members(data)
    at = rng.randrange(len(members))
    name, content = members[at]
    if kind < 0.75:
        members[at] = name, array(content, rng)
    elif kind < 0.85:
        members[at] = name, bytewise(content, rng)
    elif kind < 0.9:
        del members[at]
    elif kind < 0.95:
        members[at] = rng.choice((*_NAMES, name[:-1], name + name)), content
    else:
        members.append((name, content) if rng.random() < 0.5 else ("more.npy", bytes(1 << 20)))
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there twice
        return _zip(members, rng.choice(methods))


_SHAPES = ("()", "(0,)", "(-1,)", "(3,)", "(1, 2, 3)", "(4294967296, 4294967296)", "(1000000000000,)", "3", "None",
           "(2, 32, 32, 1)", "(1, 1)", "(True, 32, 32)", "(1.5,)", "('a',)", "(" * 90 + ")" * 90)  # fmt: skip
_TYPES = ("'|u1'", "'<f8'", "'|O'", "'<c16'", "'<i8'", "'>i2'", "'|b1'", "'<U3'", "'|S0'", "'<M8[s]'", "'|V4'", "'zz'",
          "[('a', '<f4')]", "None", "'<f2'", "'<u8'", "'|V1000000000'")  # fmt: skip


def array(content: bytes, rng: random.Random) -> bytes:
    """Change what the header of an ``.npy`` states, with the right length of the header or a wrong one."""
    if content[:6] != b"\x93NUMPY":
        return bytewise(content, rng)
    length = struct.unpack_from("<H", content, 8)[0]
    text, values = content[10 : 10 + length].decode("latin1"), content[10 + length :]
    kind = rng.randrange(6)
    if kind == 0:
        text = re.sub(r"'shape': \([^)]*\)", f"'shape': {rng.choice(_SHAPES)}", text)
    elif kind == 1:
        text = re.sub(r"'descr': '[^']*'", f"'descr': {rng.choice(_TYPES)}", text)
    elif kind == 2:
        text = text.replace("False", rng.choice(("True", "1", "None", "'x'")))
    elif kind == 3:
        text = bytewise(text.encode("latin1"), rng).decode("latin1")
    elif kind == 4:
        values = bytewise(values, rng)
    else:
        values = bytes(rng.randrange(256) for _ in range(min(len(values), 4096))) + values[4096:]
    header = text.encode("latin1")
    length = len(header) & 0xFFFF if rng.random() < 0.9 else rng.choice(_NUMBERS) & 0xFFFF
    return content[:8] + struct.pack("<H", length) + header + values


def picture(data: bytes, rng: random.Random) -> bytes:
    """Damage a picture: a PNG chunk by chunk, with right checksums, any other by its bytes."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or rng.random() < 0.3:
        return bytewise(data, rng)
    chunks, at = [], 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunks.append((kind, data[at + 8 : at + 8 + length]))
        at += 12 + length
    for _ in range(rng.randint(1, 2)):
        _chunk(chunks, rng)
    raw = bytearray(data[:8])
    for kind, content in chunks:
        length = len(content) if rng.random() < 0.98 else rng.choice(_NUMBERS)
        raw += struct.pack(">I4s", length, kind) + content + struct.pack(">I", zlib.crc32(kind + content))
    return bytes(raw)


def _chunk(chunks: list[tuple[bytes, bytes]], rng: random.Random) -> None:
    at = rng.randrange(len(chunks))
    kind, content = chunks[at]
    choice = rng.randrange(7)
    if choice == 0:
        header = bytearray(chunks[0][1])
        where = rng.randrange(len(header) + 1)
        header[where : where + 1] = bytes([rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 128, 255))])
        chunks[0] = chunks[0][0], bytes(header)
    elif choice == 1:
        size = struct.pack(">II", rng.choice((0, 1, 32, 60_000, 1 << 30)), rng.choice((0, 1, 32, 60_000, 1 << 30)))
        chunks[0] = chunks[0][0], size + chunks[0][1][8:]
    elif choice == 2:
        chunks[at] = kind, bytewise(content, rng)
    elif choice == 3:
        chunks.insert(at, chunks[at])
    elif choice == 4 and len(chunks) > 1:
        del chunks[at]
    elif choice == 5:
        chunks[at] = (
            rng.choice((b"IDAT", b"PLTE", b"tRNS", b"tEXt", b"zTXt", b"iCCP", b"acTL", b"fdAT", b"eXIf")),
            content,
        )
    else:
        bomb = b"key\0\0" + zlib.compress(bytes(rng.choice((1 << 10, 1 << 23))), 9)
        chunks.insert(max(at, 1), (rng.choice((b"zTXt", b"iCCP", b"iTXt", b"tEXt", b"eXIf", b"acTL")), bomb))


def onnx_file(data: bytes, rng: random.Random) -> bytes:
    """Damage an ONNX file: its bytes, or fields of its messages, chosen among all that it has."""
    if rng.random() < 0.3:
        return bytewise(data, rng)
    model = onnx.load_model_from_string(data)
    for _ in range(rng.randint(1, 3)):
        messages = [model]
        for message in messages:  # grows while it is walked
            for field, value in message.ListFields():
                if field.message_type is not None:
                    messages += list(value) if isinstance(value, Message) is False else [value]
        message = rng.choice(messages[2:] or messages)
        fields = message.ListFields() if rng.random() < 0.9 else [(f, None) for f in message.DESCRIPTOR.fields]
        if fields:
            with contextlib.suppress(ValueError, TypeError, AttributeError):  # a value that the field cannot take
                _field(message, rng.choice(fields)[0], rng)
    return model.SerializeToString()


def _field(message: Message, field: Any, rng: random.Random) -> None:
    value = getattr(message, field.name)
    if hasattr(value, "append") or hasattr(value, "add"):
        kind = rng.randrange(5)
        if kind == 0 and len(value):
            del value[rng.randrange(len(value))]
        elif kind == 1 and len(value):
            value.append(value[rng.randrange(len(value))])
        elif kind == 2:
            message.ClearField(field.name)
        elif field.message_type is not None:
            value.add()
        elif len(value) and rng.random() < 0.8:
            value[rng.randrange(len(value))] = _scalar(value[0], rng)
        else:
            value.append(_scalar(value[0] if len(value) else 0, rng))
    elif field.message_type is not None or rng.random() < 0.15:
        message.ClearField(field.name)
    else:
        setattr(message, field.name, _scalar(value, rng))


def _scalar(value: Any, rng: random.Random) -> Any:
    if isinstance(value, bytes):
        return bytewise(value, rng) if rng.random() < 0.8 else rng.choice((b"", b"\xff\xfe", b"x" * 300))
    if isinstance(value, str):
        return rng.choice((*_NAMES[:-1], value + "_", value[:-1], "Quant", "Conv", "Relu", "Constant", "y", "x"))
    if isinstance(value, float):
        return rng.choice((0.0, -1.0, 0.5, 0.3, 2 * value, float("nan"), float("inf"), 1e30, 1e-30, value + 1))
    return rng.choice((0, 1, 2, -1, 3, 7, 9, 255, 1 << 20, (1 << 31) - 1, 1 << 40, (1 << 63) - 1, value + 1, -value))
