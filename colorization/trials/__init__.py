"""A sweep as a study on disk: its space, its trials, who runs them and who watches."""
