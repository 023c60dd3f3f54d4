"""What type checkers read: __init__.py imports each of these when it is first asked for."""

from quantunet.api import cosim as cosim
from quantunet.api import fold as fold
from quantunet.api import infer as infer
from quantunet.api import load_network as load_network
from quantunet.api import write_rtl as write_rtl
from quantunet.commands._predict_run import predict as predict
from quantunet.errors import QuantUNetError as QuantUNetError

__version__: str
__all__: list[str]
