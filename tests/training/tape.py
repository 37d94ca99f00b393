"""A lane on the CPU that is as strict as a CUDA graph: it repeats operations, not Python."""

from contextlib import contextmanager

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pipeline.training.lanes import NUM_WARM_UPS

WAITING = {"_local_scalar_dense", "nonzero", "equal", "is_nonzero", "masked_select", "unique"}
"""Operations whose result the host needs before it can go on: a stream that captures refuses."""


class WaitsError(RuntimeError):
    """Work asks for a value that only the device knows."""


class Tape(TorchDispatchMode):
    """Every operation under autograd, with the very tensors that it read and wrote.

    `replay` does the operations again on these tensors. Whatever Python decided while the tape ran
    (numbers, branches, which tensor) stays as it was; whatever was computed and is not computed
    again before it is read is NaN.
    """

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, operation, types, arguments=(), keywords=None):  # noqa: PLR0913
        keywords = keywords or {}
        name = operation.overloadpacket.__name__
        if name in WAITING:
            message = f"{name} waits for the device"
            raise WaitsError(message)
        result = operation(*arguments, **keywords)
        if operation.namespace != "profiler":
            read = {_place(each) for each in _tensors((arguments, keywords))}
            made = [each for each in _tensors(result) if _place(each) not in read]
            self.calls.append((operation, arguments, keywords, result, made))
        return result

    @torch.no_grad()
    def replay(self):
        for *_, made in self.calls:
            for each in made:
                if each.is_floating_point():
                    each.fill_(torch.nan)
        for operation, arguments, keywords, result, made in self.calls:
            again = operation(*arguments, **keywords)
            fresh = dict(zip(map(id, _tensors(result)), _tensors(again), strict=True))
            for each in made:
                each.copy_(fresh[id(each)])


class TapeLane:
    """Warms up, tapes and replays, as a captured lane does; its random numbers are its own."""

    captures = True

    def __init__(self):
        self.num_recorded = self.num_replayed = 0
        self._random_state = torch.get_rng_state()

    @contextmanager
    def open(self):
        callers = torch.get_rng_state()
        torch.set_rng_state(self._random_state)
        try:
            yield
        finally:
            self._random_state = torch.get_rng_state()
            torch.set_rng_state(callers)

    def record(self, work):
        for _ in range(NUM_WARM_UPS):
            work()
        tape = Tape()
        with tape:
            work()
        self.num_recorded += 1

        def replay():
            self.num_replayed += 1
            tape.replay()

        return replay


def _tensors(tree):
    return [each for each in tree_leaves(tree) if isinstance(each, torch.Tensor)]


def _place(values):
    return values.untyped_storage().data_ptr()
