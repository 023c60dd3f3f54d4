"""The trained side of the project: U-Net, quantizers, loss, data, training and export to QONNX.

Only this room knows torch and Brevitas, and this file imports neither, so that ``quantunet.model.phantoms`` and
``quantunet.model.config`` stay usable where torch is not installed.
"""
