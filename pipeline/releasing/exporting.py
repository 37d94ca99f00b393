"""The program as files: for torch (`torch.export`) and for ONNX Runtime; neither holds a pickle."""

from __future__ import annotations

import logging
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.errors import InputError
from pipeline.releasing.manifest import INPUT, OUTPUTS

Outputs = dict[str, np.ndarray]
"""The program's outputs by name, a row a case."""

Runner = Callable[[np.ndarray], Outputs]
"""Prepared images, (cases, *spatial, channels) of any type, to outputs."""

OPSET = 20
"""Of ONNX: the first that has double precision for all that is computed after the network."""

VALUES_AT_ONCE = 2**20
"""Input values in one batch, as in training."""

PICKLED = re.compile(rb'"use_pickle"\s*:\s*true')

EXAMPLE_BATCH = 2
"""Cases that the program is traced with: a batch of one would be taken for a constant."""


def export(program: nn.Module, shape: tuple[int, ...]) -> torch.export.ExportedProgram:
    """Trace a program for images of one shape, (channels, *spatial), and any number of cases."""
    example = torch.zeros(EXAMPLE_BATCH, *shape)
    dynamic = {INPUT: {0: torch.export.Dim("cases")}}
    with torch.no_grad():
        exported = torch.export.export(program.eval(), (example,), dynamic_shapes=dynamic)
    # Without them the file would hold a pickle, and paths of this machine.
    exported.example_inputs = None
    for node in exported.graph.nodes:
        node.meta.pop("stack_trace", None)
    return exported


def write_program(exported: torch.export.ExportedProgram, path: Path) -> None:
    """Write a program for `torch.export.load`."""
    torch.export.save(exported, path)
    require_no_pickle(path)


def write_onnx(exported: torch.export.ExportedProgram, path: Path) -> None:
    """Write a program as ONNX, without what says where on this machine it was made."""
    import onnx

    with _quiet():
        made = torch.onnx.export(
            exported,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    model = made.model_proto  # type: ignore[union-attr]
    for each in [model.graph, *model.graph.node, *model.graph.value_info, *model.functions]:
        del each.metadata_props[:]
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def require_no_pickle(path: Path) -> None:
    """Raise `InputError` if a program's file holds a pickle, which loading would run."""
    if not zipfile.is_zipfile(path):
        message = f"{path}: a program of torch.export expected, which is a zip archive"
        raise InputError(message)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if _is_pickled(archive, entry):
                message = f"{path}: a program without pickles expected, got {entry.filename}"
                raise InputError(message)


def _is_pickled(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a pickle, or says that another one is."""
    if entry.filename.endswith("_config.json"):
        return PICKLED.search(archive.read(entry)) is not None
    return entry.filename.endswith(".pt") and entry.file_size > 0


def load_program(path: Path) -> Runner:
    """Return what runs a program that `write_program` wrote."""
    require_no_pickle(path)
    module = torch.export.load(path).module()

    def run(batch: Tensor) -> list[np.ndarray]:
        with torch.no_grad():
            return [each.numpy() for each in module(batch)]

    return _in_batches(run)


def load_onnx(path: Path) -> Runner:
    """Return what runs an ONNX program, in ONNX Runtime on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return _in_batches(lambda batch: session.run(list(OUTPUTS), {INPUT: batch.numpy()}))


def run_module(program: nn.Module) -> Runner:
    """Return what runs a program that is still a module."""

    def run(batch: Tensor) -> list[np.ndarray]:
        with torch.no_grad():
            return [each.numpy() for each in program(batch)]

    return _in_batches(run)


def _in_batches(run: Callable[[Tensor], list[np.ndarray]]) -> Runner:
    def run_all(images: np.ndarray) -> Outputs:
        size = max(1, VALUES_AT_ONCE // images[0].size)
        parts = [run(_batch(images[i : i + size])) for i in range(0, len(images), size)]
        return {
            name: np.concatenate([part[place] for part in parts])
            for place, name in enumerate(OUTPUTS)
        }

    return run_all


def _batch(images: np.ndarray) -> Tensor:
    channels_first = np.moveaxis(np.asarray(images, dtype=np.float32), -1, 1)
    return torch.from_numpy(np.ascontiguousarray(channels_first))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's own deprecations and notes from the terminal."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
