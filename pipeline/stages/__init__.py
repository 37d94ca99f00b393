"""One module a stage of `dvc.yaml`: files in, files out, no arithmetic; none imports another."""
