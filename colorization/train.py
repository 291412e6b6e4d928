"""Train a network to colour grey pictures.

    python -m colorization.train                                  COCO, U-Net, regression
    python -m colorization.train data=scenes budget.time=2m       no data needed: rendered scenes
    python -m colorization.train data=folder data.root=PHOTOS     your own pictures
    python -m colorization.train model=cnn data.subset=20000      another network, fewer pictures
    python -m colorization.train -m model=cnn,unet seed=0,1,2     a sweep: six runs; see sweep --help
    python -m colorization.train resume=runs/RUN                  go on with a stopped run
    python -m colorization.train find=lr                          a learning rate to paste, in a minute
    torchrun --nproc-per-node 8 -m colorization.train ...         one process for each of eight GPUs

Everything of a run is written to runs/DATE_TIME_NAME/. Then: evaluate, predict, compare.
"""

import logging
import sys

from colorization import ranks
from colorization.command import command_request, errors_in_words, log_to_terminal


def main() -> None:
    """The command; further processes of a run take what the first one tells them."""
    with errors_in_words():
        if not ranks.is_first():
            folder = ranks.run_folder()
            from colorization.training import run_trial

            logging.getLogger().setLevel(logging.WARNING)
            run_trial(folder)
            return
        with ranks.telling() as tell:
            asked = command_request("train", __doc__)
            log_to_terminal(asked)
            if asked.multirun:
                ranks.refuse_several("train -m")
                from colorization.sweep import sweep

                sys.exit(sweep(asked))
            if {"find=lr", "find=batch_size"} & set(asked.overrides):
                ranks.refuse_several("find")
                from colorization.finding import find

                find(asked.composed())
                return
            from colorization.job import begun
            from colorization.training import train

            job = begun(asked)
            tell(job.folder)
        train(job)


if __name__ == "__main__":
    main()
