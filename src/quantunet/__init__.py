"""QuantU-Net: U-Nets with learned bit-widths, as streaming hardware that is proven bit-exact layer by layer."""

__version__ = "0.1.0"
