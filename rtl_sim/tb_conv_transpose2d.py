"""Bench of ``qun_conv_transpose2d``."""

from quantunet.rtl_sim.scenarios import full_speed, random_stalls, reset_in_mid_frame

__all__ = ["full_speed", "random_stalls", "reset_in_mid_frame"]
