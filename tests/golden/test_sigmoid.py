"""sigmoid: the table against high-precision arithmetic, and the check that it keeps the mask's threshold."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import numpy as np
import pytest

from quantunet.errors import ModelError
from quantunet.golden.ops.sigmoid import sigmoid
from quantunet.graph_check import check_table
from quantunet.ir import PROBABILITY_TYPE, QType
from quantunet.sigmoid_table import sigmoid_table


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("frac", [0, 3, 6])
def test_every_entry_is_correctly_rounded(bits: int, frac: int) -> None:
    source = QType(bits, True, frac)
    table = sigmoid_table(source, PROBABILITY_TYPE)
    codes = np.arange(source.qmin, source.qmax + 1)
    with localcontext() as context:
        context.prec = 60
        for q, got in zip(codes, sigmoid(codes, table, source), strict=True):
            exact = 256 / (1 + (-Decimal(int(q)) / 2**frac).exp())
            assert got == min(255, int(exact.to_integral_value(ROUND_HALF_EVEN)))


def test_a_table_that_moves_the_threshold_is_refused() -> None:
    source = QType(8, True, 7)
    with pytest.raises(ModelError, match="rounds a negative logit up"):
        check_table("sigmoid", sigmoid_table(source, PROBABILITY_TYPE), source, PROBABILITY_TYPE)
