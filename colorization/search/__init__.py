"""What proposes the next trial of a sweep, beside the samplers of Optuna's that conf/search/ names."""
