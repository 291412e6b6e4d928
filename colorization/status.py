"""Say which runs are running, stuck, stopped, finished: from their folders alone.

    python -m colorization.status                      all below runs/
    python -m colorization.status runs/sweep_1a2b3c4d  the trials of a sweep
    python -m colorization.status /shared/runs patience=10m

A run writes a heartbeat every ten seconds. One without a heartbeat for `patience` is stuck; one whose process
is known to be gone was killed. A shared file system is enough, whatever machine a run is on.
"""

from omegaconf import DictConfig

from colorization.command import command


@command("status", __doc__, positional="runs")
def main(cfg: DictConfig) -> None:
    """Look, and print a table."""
    from pathlib import Path

    from rich.console import Console

    from colorization.callback.budget import seconds
    from colorization.config import ConfigError
    from colorization.report.status import runs_below, standing, table

    places = [Path(str(path)).expanduser() for path in (cfg.runs[1:] if len(cfg.runs) > 1 else cfg.runs)]
    if missing := [str(place) for place in places if not place.is_dir()]:
        raise ConfigError([f"{place}: no such folder; give one that holds runs" for place in missing])
    try:
        patience = seconds(cfg.patience)
    except ValueError as error:
        raise ConfigError([str(error).replace("budget.time", "patience")]) from error
    found = [standing(folder, patience or 0.0) for folder in runs_below(places)]
    if not found:
        print(f"no run in {', '.join(map(str, places))}")
        return
    Console().print(table(found))
    counts = {
        state: sum(run.state == state for run in found) for state in dict.fromkeys(r.state for r in found)
    }
    print(", ".join(f"{count} {state}" for state, count in counts.items()))


if __name__ == "__main__":
    main()
