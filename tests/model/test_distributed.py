"""One training in two processes, as `torchrun` starts them."""

import subprocess
import sys

import torch

SCRIPT = """
import sys
from pathlib import Path
import torch
from quantunet.model import config, data, distributed
from quantunet.model.config import TrainConfig, UNetConfig
from quantunet.model.train import Trainer
torch.set_num_threads(1)
config.PRESETS["small"] = UNetConfig(base=2, depth=1, size=16)
quick = TrainConfig(
    "small",
    float_epochs=2,
    qat_epochs=2,
    tune_epochs=3,
    tune_lr=1e-2,
    tune_average=0.5,
    batch_size=4,
    width_lr=1.0,
    val_fraction=0.25,
)
out = Path(sys.argv[1])
with distributed.group(torch.device("cpu")) as device:
    outcome = Trainer(quick, data.load_phantoms(16, 16, seed=0), out / "training", device=device).run()
    torch.save(outcome.final_model.state_dict(), out / f"rank{distributed.rank()}.pt")
"""


def test_two_ranks_stay_equal(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run([*command, str(script), str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (torch.load(tmp_path / f"rank{n}.pt", weights_only=True) for n in range(2))
    assert first.keys() == second.keys()
    assert len(first) > 30
    assert all(torch.equal(second[name], value) for name, value in first.items())
    assert (tmp_path / "training" / "history.csv").exists()
