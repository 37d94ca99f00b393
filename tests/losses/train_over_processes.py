"""Train two steps on one process's part of a batch; a script that the test starts once a process.

python train_over_processes.py RANK PROCESSES FOLDER: meets the others in FOLDER and leaves there
what each loss was worth and the gradients it gave.
"""

import sys
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed, nn

from pipeline.losses import make_loss

CASES, CLASSES = 16, 4
LOSSES = {
    "gce": {},
    "gce_ema": {"kind": "gce", "marginal": "ema"},
    "gce_half": {"kind": "gce", "weight": 0.5},
    "gce_focal": {},
    "gce_flsd53": {"kind": "gce_focal", "gamma": "flsd53"},
    "gce_logit_adjusted": {"class_counts": [8, 4, 2, 1]},
    "generative_focal": {},
    "generative_focal_weighted": {"kind": "generative_focal", "weighted_marginal": True},
    "mdca": {},
    "mmce": {},
}


def values_and_gradients(rank, processes):
    """Return, for each loss, what two steps were worth and the parameters' gradients."""
    part = slice(rank * CASES // processes, (rank + 1) * CASES // processes)
    found = {}
    for name, settings in LOSSES.items():
        loss = make_loss(**({"kind": name} | settings), num_classes=CLASSES)
        random = torch.Generator().manual_seed(0)
        network = nn.Linear(6, CLASSES, dtype=torch.float64)
        with torch.no_grad():
            network.weight.normal_(generator=random)
            network.bias.normal_(generator=random)
        trained = nn.parallel.DistributedDataParallel(network) if processes > 1 else network
        found[name] = []
        for _ in range(2):
            images = torch.randn(CASES, 6, generator=random, dtype=torch.float64)
            # The first process's labels lack a class that the second's have.
            labels = torch.randint(CLASSES, (CASES,), generator=random).sort().values
            network.zero_grad()
            value = loss(trained(images[part]), labels[part])
            value.backward()
            found[name].append([value.detach(), network.weight.grad + 0, network.bias.grad + 0])
    return found


if __name__ == "__main__":
    rank, processes, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{folder / 'meeting_point'}",
        rank=rank,
        world_size=processes,
        timeout=timedelta(seconds=60),
    )
    torch.save(values_and_gradients(rank, processes), folder / f"{rank}.pt")
    distributed.destroy_process_group()
