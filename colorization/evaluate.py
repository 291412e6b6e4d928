"""Score a trained run, any tool's pictures, or nothing but floors and ceilings.

    python -m colorization.evaluate run=runs/RUN                                on its own test pictures
    python -m colorization.evaluate run=best.ckpt data=folder data.root=PHOTOS  on other pictures
    python -m colorization.evaluate predictions=DIR reference=DIR               any tool's, matched by name
    python -m colorization.evaluate data=coco data.root=COCO                    what needs no network
    python -m colorization.evaluate run=runs/RUN protocol=val5k_256             as a paper scores
    python -m colorization.evaluate run=runs/RUN vivid=1                        as colourful as the truth
    python -m colorization.evaluate run=runs/RUN every_protocol=true            what protocol alone moves

Writes FOLDER/evaluation/DATA_SPLIT/ (the run's folder, or runs/NAME): pictures.csv (one row per picture),
baselines/NAME.csv (the same for every floor and ceiling), manifest.csv (what exactly was scored),
summary.json, and the pictures as PNG. What vivid takes of a run is fitted on its validation photos, in
training; for a run that lacks it it is fitted here, and keep_vividness=true writes it into the checkpoint.
"""

from pathlib import Path

from omegaconf import DictConfig

from colorization.command import command


@command("evaluate", __doc__)
def main(cfg: DictConfig) -> None:
    """Score, print the model between its floors and its ceilings, record it where that is asked for."""
    from rich.console import Console

    from colorization import build
    from colorization.evaluation import every_protocol, subject
    from colorization.report.summary import summary_table
    from colorization.study import record_run

    if cfg.every_protocol:
        every_protocol(cfg)
        return
    chosen = subject(cfg, build.protocol(cfg))
    summary = chosen.scoring.write(chosen.folder)
    Console().print(summary_table(summary, chosen.name))
    evaluation = chosen.folder / "evaluation" / chosen.scoring.name
    if cfg.record:
        record_run(Path(cfg.record), chosen.run.folder if chosen.run else None, evaluation)
    print(f"tables and pictures: {evaluation}/")


if __name__ == "__main__":
    main()
