"""What a run's bits depend on beside code, data, settings and versions: the processor."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from typing import Any

import torch

# What each instruction set that oneDNN tells apart asks of a processor: all that another one asks
# for, and flags of `torch.cpu.get_capabilities`. The last one that a processor has is in use.
INSTRUCTION_SETS = {
    "SSE41": ("", "sse4_1"),
    "AVX": ("SSE41", "avx"),
    "AVX2": ("AVX", "avx2"),
    "AVX2_VNNI": ("AVX2", "avx_vnni"),
    "AVX2_VNNI_2": ("AVX2_VNNI", "avx_vnni_int8 avx_ne_convert"),
    "AVX512_CORE": ("AVX2", "avx512_f avx512_bw avx512_vl avx512_dq"),
    "AVX512_CORE_VNNI": ("AVX512_CORE", "avx512_vnni"),
    "AVX512_CORE_BF16": ("AVX512_CORE_VNNI", "avx512_bf16"),
    "AVX512_CORE_FP16": ("AVX512_CORE_BF16", "avx_vnni avx512_fp16"),
    "AVX512_CORE_AMX": ("AVX512_CORE_FP16", "amx_tile amx_int8 amx_bf16"),
    "AVX512_CORE_AMX_FP16": ("AVX512_CORE_AMX", "amx_fp16"),
}
ONEDNN_ALIASES = {
    "AVX10_1_512": "AVX512_CORE_FP16",
    "AVX10_1_512_AMX": "AVX512_CORE_AMX",
    "AVX10_1_512_AMX_FP16": "AVX512_CORE_AMX_FP16",
}
MKL_ALIASES = {"AVX512": "AVX512_CORE", "SSE4_2": "SSE41"}


def processor(device: torch.device) -> dict[str, str | int]:
    """Return what a run's bits depend on beside code, data, settings and versions.

    Two machines for which it is the same are expected to give the same bits. On CUDA it is the
    device's name and compute capability. On the CPU it is

    - ``architecture``, such as x86_64;
    - ``kernels``: torch's own, such as AVX512 (`ATEN_CPU_CAPABILITY` limits them);
    - ``onednn``: the instruction set of convolutions (`ONEDNN_MAX_CPU_ISA` limits it);
    - ``mkl``: what MKL chooses the kernels of matrix products by;
    - ``threads``: over how many a sum is divided.

    References
    ----------
    oneDNN developer guide, "CPU dispatcher control".
    oneMKL developer guide, "Obtaining numerically reproducible results".
    """
    if device.type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        return {"name": torch.cuda.get_device_name(device), "capability": f"{major}.{minor}"}
    # Older versions of torch do not tell; its version is part of a checkpoint's key as well.
    tells = hasattr(torch.cpu, "get_capabilities")
    capabilities: Mapping[str, Any] = torch.cpu.get_capabilities() if tells else {}
    return {
        "architecture": platform.machine(),
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "onednn": _onednn(capabilities),
        "mkl": _mkl(capabilities),
        "threads": torch.get_num_threads(),
    }


def _onednn(capabilities: Mapping[str, Any]) -> str:
    if not torch.backends.mkldnn.is_available():
        return "none"
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA", "")
    return _instruction_set(capabilities, limit.upper(), ONEDNN_ALIASES)


def _mkl(capabilities: Mapping[str, Any]) -> str:
    if not torch.backends.mkl.is_available():
        return "none"
    # MKL looks at the maker first: it heeds MKL_ENABLE_INSTRUCTIONS on Intel's processors alone,
    # and neither of the limits of torch and oneDNN anywhere.
    maker = str(capabilities.get("cpu_name", "unknown")).split(" ")[0]
    limit = os.environ.get("MKL_ENABLE_INSTRUCTIONS", "").upper()
    if maker == "Intel":
        maker = f"Intel {_instruction_set(capabilities, limit, MKL_ALIASES)}"
    branch = os.environ.get("MKL_CBWR", "").upper()
    return f"{maker}, MKL_CBWR={branch}" if branch else maker


def _instruction_set(
    capabilities: Mapping[str, Any], limit: str, aliases: Mapping[str, str]
) -> str:
    """Return the most that a processor has within a limit; an unknown limit is passed over.

    >>> flags = dict.fromkeys(["sse4_1", "avx", "avx2", "avx_vnni"], True)
    >>> _instruction_set(flags, "", {}), _instruction_set(flags, "AVX512_CORE", {})
    ('AVX2_VNNI', 'AVX2')
    """
    limit = aliases.get(limit, limit)
    has = {name for name, value in capabilities.items() if value is True}
    if not has:
        return limit or "unknown"
    may = _asked(limit) if limit in INSTRUCTION_SETS else has
    usable = [each for each in INSTRUCTION_SETS if _asked(each) <= has & may]
    # Other architectures: whatever there is, and the limit as it stands.
    return usable[-1] if usable else " ".join([*sorted(has), limit]).rstrip()


def _asked(name: str) -> set[str]:
    """Return every flag that an instruction set asks for."""
    below, more = INSTRUCTION_SETS[name]
    return set(more.split()) | (_asked(below) if below else set())
