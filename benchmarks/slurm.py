"""A trial on a real SLURM cluster, preempted, beside an undisturbed one: python -m benchmarks.slurm.

The cluster is of this machine alone (benchmarks/cluster.py; Debian's slurm-wlm and munge, as root). A job of
a partition with precedence takes the node while the trial trains: SLURM sends SIGTERM, the trial writes a
checkpoint, its job goes back into the queue and on, once the other one has ended.
"""

import json
import re
import time
from pathlib import Path

from benchmarks.cluster import cluster, said
from benchmarks.proof import started, table, verdict, workplace
from colorization.files import read_csv
from colorization.trials.record import Trial, trials_of

STEPS = 240
SETTINGS = (
    "-m", "data=scenes", "data.pictures=200", "data.val_pictures=16", "data.test_pictures=16",
    "data.cache_dir=cache", "data.image_size=32", "data.batch_size=8", "model.width=8", "model.depth=1",
    "logger.mode=offline", "trainer.accelerator=cpu", "metric=[psnr]", "callback=[]", "budget.epochs=null",
    f"budget.steps={STEPS}", "trainer.val_check_interval=20", "trainer.log_every_n_steps=20",
)  # fmt: skip
SLURM = ("launcher=slurm", "launcher.gpus=0", "launcher.cpus=1", "launcher.partition=low", "jobs=2")


def main() -> None:
    with workplace() as folder, cluster(folder / "slurm") as variables:
        undisturbed = swept(folder, "undisturbed", **variables)
        disturbed = swept(folder, "disturbed", preempt=True, **variables)
        curves = [losses(trial) for trial in (undisturbed, disturbed)]
        record = json.loads((disturbed.folder / "run.json").read_text(encoding="utf-8"))
        job = json.loads(disturbed.path.with_suffix(".job").read_text(encoding="utf-8"))["job"]
        restarts = re.search(r"Restarts=(\d+)", said(["scontrol", "show", "job", job], **variables))
        ids = {path.name.rpartition("-")[2] for path in disturbed.folder.glob("wandb/offline-run-*")}
        pieces = [part["pictures_seen"] for part in record["parts"]]
        rows = [(step, *(f"{value:.6f}" for value in values)) for step, values in merged(*curves)]
    print(table("Validation PSNR, dB", ("step", "undisturbed", "preempted"), rows))
    print(f"Parts of the preempted run ended after {pieces} pictures; job {job}: Restarts={restarts[1]}.\n")
    verdict(
        {
            "SLURM has put the trial's job back into its queue": bool(restarts and int(restarts[1]) >= 1),
            "the preempted trial went on from its checkpoint": len(pieces) == 2 and 0 < pieces[0] < STEPS * 8,
            "both curves are the same to the last digit that is written": curves[0] == curves[1],
            "both parts are one run of W&B": ids == {record["wandb_id"]},
        }
    )


def swept(folder: Path, name: str, preempt: bool = False, **variables: str) -> Trial:
    """A sweep of one trial, preempted once or not."""
    sweep = started("train", folder, *SETTINGS, *SLURM, f"hydra.sweep.dir={name}", **variables)
    if preempt:
        while not ((found := trials_of(folder / name)) and len(found[0].curve("psnr")) >= 3):
            if sweep.poll() is not None:
                raise SystemExit((folder / "log.txt").read_text(encoding="utf-8")[-3000:])
            time.sleep(0.1)
        taking = ["sbatch", "--partition=high", "--exclusive", "--output=/dev/null", "--wrap", "sleep 5"]
        print(said(taking, **variables).strip())
    if sweep.wait():
        text = (folder / "log.txt").read_text(encoding="utf-8")[-3000:]
        logs = [
            path.read_text(errors="replace", encoding="utf-8")[-2000:]
            for path in (folder / name).rglob("*.log")
        ]
        raise SystemExit("\n".join([text, *logs]))
    return trials_of(folder / name)[0]


def losses(trial: Trial) -> dict[int, float]:
    """Step -> validation PSNR."""
    rows = read_csv(trial.folder / "metrics.csv")
    return {int(row["step"]): float(row["val/psnr"]) for row in rows if row.get("val/psnr")}


def merged(*curves: dict[int, float]) -> list[tuple[int, list[float]]]:
    steps = sorted(set().union(*curves))
    return [(step, [curve.get(step, float("nan")) for curve in curves]) for step in steps]


if __name__ == "__main__":
    main()
