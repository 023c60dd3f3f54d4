"""Serial ports of the host, by pyserial: the only module that knows it."""

from __future__ import annotations

from quantunet.errors import DeviceSilentError, ToolMissingError
from quantunet.serial_link import Port

_READ_SECONDS = 0.02
"""How long a read waits for its first byte."""


class SerialPort:
    """An open serial port: eight bits of data, no parity, one stop bit, no flow control.

    Args:
        name: The port, as ``/dev/ttyUSB0``.
        baud: Bits a second.
        timeout: Seconds that a write may take.

    Raises:
        ToolMissingError: pyserial is not installed.
        DeviceSilentError: There is no such port, it cannot be opened, or it does not do the baud rate.
    """

    def __init__(self, name: str, baud: int, timeout: float) -> None:
        try:
            import serial
        except ModuleNotFoundError as error:
            raise ToolMissingError(
                "pyserial",
                expected="the Python package pyserial",
                got="none",
                hint="Install it: pip install 'quantunet[device]'",
            ) from error
        self._name = name
        self._error = serial.SerialException
        try:
            self._port = serial.Serial(name, baud, timeout=_READ_SECONDS, write_timeout=timeout, exclusive=True)
        except (serial.SerialException, ValueError, OSError) as error:
            raise self._gone("a serial port that can be opened", error) from error

    def __enter__(self) -> Port:
        return self

    def __exit__(self, *error: object) -> None:
        self._port.close()

    @property
    def in_waiting(self) -> int:
        """Bytes that have come and have not been read."""
        try:
            return int(self._port.in_waiting)
        except OSError as error:  # pyserial's own errors are of this kind
            raise self._gone("a serial port that can be read", error) from error

    def read(self, size: int = 1) -> bytes:
        """Return at least one byte, or none after :data:`_READ_SECONDS`."""
        try:
            return bytes(self._port.read(size))
        except OSError as error:
            raise self._gone("a serial port that can be read", error) from error

    def write(self, data: bytes, /) -> int | None:
        """Send bytes."""
        try:
            return int(self._port.write(data) or 0)
        except OSError as error:
            raise self._gone("a serial port that takes what is sent", error) from error

    def _gone(self, expected: str, error: Exception) -> DeviceSilentError:
        return DeviceSilentError(
            self._name, expected=expected, got=str(error), hint="Look for its name in /dev, and at its permissions."
        )
