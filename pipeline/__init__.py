"""Train, calibrate and report medical-image classifiers whose confidence can be trusted."""
