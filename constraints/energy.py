"""Between what and what the energy of a frame lies, as far as measurements of a board say it: docs/energy.md."""

from __future__ import annotations

from dataclasses import dataclass

from quantunet.constraints.board import Power

_MW_US = 1e-6
"""mJ of a mW in a µs."""

_PJ = 1e-9
"""mJ of a pJ."""


@dataclass(frozen=True)
class FrameEnergy:
    """The energy of a frame by what takes it, in mJ. LUTs, long wires, block RAM and multipliers are in none of it.

    Attributes:
        idle_mj: The whole board in reset for the time of a frame.
        toggles_mj: Registers that toggle, least and most.
        ceiling_mj: The registers, if each of them toggled in every cycle: their clock is in this, and what they take
            cannot be more.
    """

    idle_mj: float
    toggles_mj: tuple[float, float]
    ceiling_mj: float

    @property
    def bracket_mj(self) -> tuple[float, float]:
        """The board with its registers: with the least for those that toggle, and with the most for all."""
        return self.idle_mj + self.toggles_mj[0], self.idle_mj + self.ceiling_mj


def frame_energy(power: Power, *, toggles: float, registers: int, cycles: int, mhz: float) -> FrameEnergy:
    """Return the energy of a frame.

    Args:
        power: What has been measured of the board.
        toggles: Toggles of registers in a frame.
        registers: How many registers there are.
        cycles: Cycles from one frame to the next.
        mhz: The clock in MHz.
    """
    least, most = power.toggle_pj
    return FrameEnergy(
        idle_mj=power.idle_mw * cycles / mhz * _MW_US,
        toggles_mj=(toggles * least * _PJ, toggles * most * _PJ),
        ceiling_mj=registers * cycles * most * _PJ,
    )
