"""Run a recorded study again, and compare its numbers with those that are recorded.

    python -m colorization.reproduce experiments/unet_l1 data.root=SHARED22K
    python -m colorization.reproduce experiments/loss_ablation data.root=SHARED22K only=[loss_ablation_mse_0]

Every run is trained with the overrides and the seed that results.json records, plus the other settings
given here (NAME=VALUE). Its pictures are packed and compared with the recorded ones first. Budgets of
pictures, steps or epochs must give the recorded numbers to the last digit with the recorded code, machine and
versions; budgets of time, and everything else, must come within the recorded 95% intervals. Exit code 1 says
that a number did not. What differs is printed before training; git checkout COMMIT -- colorization conf
restores the recorded code; code of before data.name= also wants git checkout 099e7e2 -- experiments.
"""

import sys
from pathlib import Path

from colorization.command import command_request, errors_in_words
from colorization.compose import composed
from colorization.config import ConfigError, command_line


def main() -> None:
    """The command: settings of its own go to conf/reproduce.yaml, all others to training."""
    with errors_in_words():
        asked = command_request("reproduce", __doc__, "studies")
        own = [o for o in asked.overrides if o.partition("=")[0] in ("only", "out")]
        cfg = composed("reproduce", own)
        if len(asked.paths) != 1:
            raise ConfigError([f"give one study: {command_line('reproduce', 'experiments/NAME')}"])
        from rich.console import Console

        from colorization.reproduction import outcome_table, reproduce, study_folder

        extra = [o for o in asked.overrides if o not in own]
        outcomes = reproduce(study_folder(asked.paths[0]), extra, cfg.only, Path(cfg.out))
        Console().print(outcome_table(outcomes))
        sys.exit(not all(outcome.reproduced for outcome in outcomes))


if __name__ == "__main__":
    main()
