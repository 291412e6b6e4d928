"""A researcher's own package: what contract 2 takes, one file and one YAML each."""
