"""A sweep: which trainings, run once, resumed, results kept, errors typed."""

import contextlib
import csv
import json
import pickle
import signal
import subprocess
import sys
import time

import psutil
import pytest

from quantunet import cli
from quantunet.errors import FileFormatError, StorageError, TrainingError
from quantunet.model import results, sweep, sweep_run
from quantunet.model.sweep import Job, read_jobs
from quantunet.model.train import Trainer
from quantunet.model.training_folder import FLOAT, LAST

STUDIES = """
[study.first]
data = "phantoms"
preset = "tiny"
seed = [0, 1]
bits = ["learned", 4]
[study.second]
data = "phantoms"
preset = "tiny"
bit_lambda = [0.25, 1.0]
"""

QUICK = """
[study.quick]
data = "phantoms"
preset = "tiny"
bits = ["learned", 3, "float"]
float_epochs = 1
qat_epochs = 1
tune_epochs = 1
batch_size = 128
"""


def _file(folder, text):
    path = folder / "sweep.toml"
    path.write_text(text)
    return path


def test_lists_are_expanded_and_shared_trainings_stand_once(tmp_path):
    names = [job.name for job in read_jobs(_file(tmp_path, STUDIES))]
    assert names == [
        "phantoms_tiny_group_s0/lambda0.25_layers",
        "phantoms_tiny_group_s0/uniform4",
        "phantoms_tiny_group_s1/lambda0.25_layers",
        "phantoms_tiny_group_s1/uniform4",
        "phantoms_tiny_group_s0/lambda1_layers",
    ]
    assert [job.name for job in read_jobs(_file(tmp_path, STUDIES), ["second"])] == [names[0], names[4]]


def test_where_no_width_is_learned_lambda_makes_no_other_training(tmp_path):
    text = "[study.a]\ndata = 'phantoms'\npreset = 'tiny'\nbits = ['learned', 'float', 3]\nbit_lambda = [0.1, 0.2]"
    methods = [job.method for job in read_jobs(_file(tmp_path, text))]
    assert methods == ["lambda0.1_layers", "lambda0.2_layers", "float", "uniform3"]
    methods = [job.method for job in read_jobs(_file(tmp_path, f"{text}\ndescent_epochs = [0, 5]"))]
    assert methods == ["lambda0.1_layers", "lambda0.2_layers", "float", "uniform3", "uniform3_descent5"]
    methods = [job.method for job in read_jobs(_file(tmp_path, f"{text}\ntarget_bits = [3.5, 4]"))]
    lambdas = ["lambda0.1_layers_target3.5", "lambda0.1_layers_target4"]
    assert methods == [*lambdas, "lambda0.2_layers_target3.5", "lambda0.2_layers_target4", "float", "uniform3"]


def test_ranges_share_a_float_phase_and_have_no_meaning_without_quantisation(tmp_path):
    text = "[study.a]\ndata = 'phantoms'\npreset = 'tiny'\nbits = ['float', 3]\nweight_range = ['largest', 'learned']"
    jobs = read_jobs(_file(tmp_path, f"{text}\nrange_lr = 0.01\nequalise = [false, true]"))
    ranges = ["", "_range_learned"]
    assert [job.method for job in jobs] == [
        "float",
        *(f"uniform3{name}_rangelr0.01{balanced}" for name in ranges for balanced in ("", "_equalise")),
    ]
    assert len({job.start for job in jobs}) == 1
    assert jobs[0].changes == {}


def test_trainings_begin_in_the_order_of_the_file(tmp_path):
    jobs = read_jobs(_file(tmp_path, STUDIES))  # seed 0, 0, 1, 1, 0
    first, second = jobs[0].start, jobs[2].start
    assert sweep.next_step(jobs, set(), set()) == (jobs[0], True)
    assert sweep.next_step(jobs, set(), {first}) == (jobs[2], True)
    assert sweep.next_step(jobs, set(), {first, second}) is None
    assert sweep.next_step(jobs[1:], {first}, {second}) == (jobs[1], False)
    assert sweep.next_step(jobs[2:], {first}, {second}) == (jobs[4], False)


def test_names_tell_other_settings_apart(tmp_path):
    jobs = read_jobs(_file(tmp_path, STUDIES.replace("seed = [0, 1]", "qat_epochs = [3, 4]\ndistil = [0.0, 1.0]")))
    assert len({job.name for job in jobs}) == len(jobs) == 10
    assert jobs[0].changes == {"qat_epochs": 3}


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "expected tables"),
        ("[study.a]\ndata = 'phantoms'\npreset = 'tiny'\nlamda = 1", "lamda"),
        ("[study.a]\npreset = 'tiny'", "no data"),
        ("[study.a\n", "TOML"),
        ("[other]\na = 1", "other"),
    ],
)
def test_a_bad_file_is_refused(tmp_path, text, got):
    with pytest.raises(FileFormatError, match=got):
        read_jobs(_file(tmp_path, text))


def test_a_study_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="third"):
        read_jobs(_file(tmp_path, STUDIES), ["third"])
    with pytest.raises(StorageError):
        read_jobs(tmp_path / "none.toml")


@pytest.mark.parametrize(("field", "value"), [("bits", "1"), ("bits", "'int8'"), ("split_by", "'patient'")])
def test_a_value_out_of_range_is_refused(tmp_path, field, value):
    with pytest.raises(TrainingError):
        read_jobs(_file(tmp_path, f"[study.a]\ndata = 'phantoms'\npreset = 'tiny'\n{field} = {value}"))


def test_a_sweep_runs_once_and_keeps_its_results(tmp_path, capsys):
    command = ["sweep", str(_file(tmp_path, QUICK)), "--out", str(tmp_path / "runs"), "--jobs", "1"]
    assert cli.main(command) == 0
    with (tmp_path / results.RUNS).open(newline="") as file:
        rows = {row["name"].partition("/")[2]: row for row in csv.DictReader(file)}
    assert rows.keys() == {"lambda0.25_layers", "uniform3", "float"}
    assert float(rows["uniform3"]["mean_bits_layers"]) == 3
    assert rows["float"]["mean_bits_layers"] == "32"
    assert len({row["start_test_dice"] for row in rows.values()}) == 1
    assert all(0 <= float(row["final_test_accuracy"]) <= 1 for row in rows.values())
    with (tmp_path / results.WIDTHS).open(newline="") as file:
        (widths,) = list(csv.DictReader(file))
    assert widths["name"].endswith("lambda0.25_layers")
    assert all(2 <= int(bits) <= 8 for bits in widths["head"].split("/"))
    twins, networks = (
        sorted(
            path.parent.name for path in (tmp_path / "runs").rglob("*.onnx") if path.stem.endswith("_float") == is_twin
        )
        for is_twin in (True, False)
    )
    assert networks == ["lambda0.25_layers", "uniform3"]
    assert twins == ["float", "lambda0.25_layers", "uniform3"]
    assert len(list((tmp_path / "runs").rglob("start/float.pt"))) == 1
    capsys.readouterr()
    (start,) = (tmp_path / "runs").rglob("start/last.pt")
    before = start.stat().st_mtime_ns
    assert cli.main(command) == 0
    assert "3 trainings, 3 of them in" in capsys.readouterr().out
    assert start.stat().st_mtime_ns == before
    assert cli.main([*command, "--list"]) == 0
    assert capsys.readouterr().out.count("done") == 3


def test_a_float_phase_goes_on_under_another_job(tmp_path, monkeypatch):
    first, *_, last = read_jobs(_file(tmp_path, QUICK.replace('"float"]', '"float"]\ndistil = [0.0, 1.0]')))
    place = sweep_run.Place(tmp_path / "runs", threads=1, device="cpu", precision="auto")
    assert first.method != last.method

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "_advance", interrupted)
        sweep_run.run_start(first, place)
    folder = sweep_run.start_folder(first, place.folder)
    assert (folder / LAST).exists()
    assert not (folder / FLOAT).exists()
    sweep_run.run_start(last, place)
    assert (folder / FLOAT).exists()


def test_a_training_without_a_float_phase_runs(tmp_path):
    text = QUICK.replace("float_epochs = 1", "float_epochs = 0\ndistil = 0.0").replace(', 3, "float"', "")
    (job,) = read_jobs(_file(tmp_path, text))
    place = sweep_run.Place(tmp_path / "runs", threads=1, device="cpu", precision="auto")
    sweep_run.run_start(job, place)
    sweep_run.run_job(job, place)
    document = json.loads((place.folder / job.name / sweep_run.RESULT).read_text())
    assert [row["phase"] for row in document["history"]] == ["qat", "tune"]


def test_a_training_that_fails_is_named_and_leaves_no_row(tmp_path, capsys):
    text = QUICK.replace('"phantoms"', f'"{tmp_path / "missing.npz"}"')
    assert cli.main(["sweep", str(_file(tmp_path, text)), "--out", str(tmp_path / "runs"), "--jobs", "1"]) == 2
    assert "missing.npz" in capsys.readouterr().err
    assert not (tmp_path / results.RUNS).exists()


def test_a_scheduler_that_is_not_there_is_a_typed_error(tmp_path, capsys):
    command = ["sweep", str(_file(tmp_path, QUICK)), "--out", str(tmp_path / "runs"), "--scheduler", "nowhere"]
    assert cli.main(command) == 2
    assert "scheduler" in capsys.readouterr().err


@pytest.fixture
def scheduler(tmp_path):
    """Address of a Dask scheduler with one worker, each a process of its own."""
    found = tmp_path / "scheduler.json"
    where = ["--scheduler-file", str(found)]
    options = {
        "scheduler": ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
        "worker": ["--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path / "worker")],
    }
    with contextlib.ExitStack() as stack:
        for kind, words in options.items():
            command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *where, *words]
            process = stack.enter_context(subprocess.Popen(command, stderr=subprocess.DEVNULL))
            stack.callback(process.terminate)
            for _ in range(600):
                if found.exists():
                    break
                time.sleep(0.1)
        yield json.loads(found.read_text())["address"]


def test_a_dask_cluster_runs_the_same_sweep(scheduler, tmp_path):
    text = QUICK.replace('["learned", 3, "float"]', "3")
    command = [sys.executable, "-m", "quantunet", "sweep", str(_file(tmp_path, text)), "--out", str(tmp_path / "runs")]
    done = subprocess.run([*command, "--scheduler", scheduler], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (row,) = results.read_rows(tmp_path / results.RUNS)
    assert row["mean_bits_layers"] == "3.0"
    assert "uniform3: 3.0 bits" in done.stdout


def test_a_killed_sweep_leaves_no_training_behind():
    program = """
import os, time
from pathlib import Path
from quantunet.model.executor import executor

if __name__ == "__main__":
    with executor(1, None, Path()) as (pool, *_):
        print(pool.submit(os.getpid).result(), flush=True)
        pool.submit(time.sleep, 600).result()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        worker = psutil.Process(int(parent.stdout.readline()))
        assert worker.is_running()
        parent.kill()
    gone, _ = psutil.wait_procs([worker], timeout=20)
    assert gone or worker.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sweep_that_is_asked_to_end_waits_for_no_training(number):
    program = """
import os, sys, time
from pathlib import Path
from quantunet import processes
from quantunet.model.executor import executor

if __name__ == "__main__":
    try:
        with processes.terminated_like_interrupt(), executor(2, None, Path()) as (pool, *_):
            print(pool.submit(os.getpid).result(), flush=True)
            for _ in range(3):
                future = pool.submit(time.sleep, 600)
            future.result()
    except KeyboardInterrupt as interrupt:
        sys.exit(processes.exit_code(interrupt))
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        worker = psutil.Process(int(parent.stdout.readline()))
        workers = psutil.Process(parent.pid).children(recursive=True)
        assert worker in workers
        parent.send_signal(number)
        assert parent.wait(60) == 128 + number  # what it runs sleeps for ten minutes
    gone, _ = psutil.wait_procs(workers, timeout=5)
    assert len(gone) == len(workers)


def test_errors_cross_processes():
    error = TrainingError("here", expected="this", got="that", hint="Do so.")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (TrainingError, str(error))


def test_results_are_replaced_by_name_and_kept_in_order(tmp_path):
    jobs = [Job("phantoms", sweep.TrainConfig("tiny", seed=seed)) for seed in (1, 0)]
    for job, dice in ((jobs[0], 0.5), (jobs[1], 0.6), (jobs[0], 0.7)):
        scores = {part: dict.fromkeys(results._SCORES, dice) for part in ("val", "test")}
        card = {
            "data": {"source": "phantoms"},
            "scores": {"float": scores, "control": scores},
            "training": {"hours": 0.1, "precision": "float32", "signatures": []},
        }
        result = tmp_path / "result.json"
        result.write_text(json.dumps({"name": job.name, "card": card, "history": []}))
        results.add(tmp_path, job, result)
    rows = results.read_rows(tmp_path / results.RUNS)
    assert [(row["seed"], row["final_test_dice"]) for row in rows] == [("0", "0.6"), ("1", "0.7")]
