import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pipeline.training import processor as module
from pipeline.training.processor import processor

CPU = torch.device("cpu")

AVX2 = dict.fromkeys(["sse4_1", "avx", "avx2"], True)
ZEN3 = AVX2 | {"cpu_name": "AMD EPYC 7B13", "avx_vnni": False, "avx512_f": False}
AVX512 = dict.fromkeys(["avx512_f", "avx512_bw", "avx512_vl", "avx512_dq", "avx512_vnni"], True)
CASCADE_LAKE = AVX2 | AVX512 | {"cpu_name": "Intel Xeon Gold 6248", "num_sockets": 1}
ZEN5 = CASCADE_LAKE | {"cpu_name": "AMD EPYC", "avx_vnni": True, "avx512_bf16": True}
AMX = dict.fromkeys(["avx512_fp16", "amx_tile", "amx_int8", "amx_bf16"], True)
SAPPHIRE_RAPIDS = ZEN5 | AMX | {"cpu_name": "Intel Xeon Platinum 8480C"}
GRAVITON = {"neon": True, "bf16": True, "sve2": False, "sve_max_length": 32}
LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR")


@pytest.fixture
def machine(monkeypatch):
    """Return a function that makes this machine another one."""
    for name in LIMITS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: True)

    def become(capabilities, **environment):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return processor(CPU)

    return become


def test_the_processor_is_plain_json_of_torchs_own_words(machine, monkeypatch):
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    found = machine(ZEN3)
    assert found == {
        "architecture": "x86_64",
        "kernels": "AVX2",
        "onednn": "AVX2",
        "mkl": "AMD",
        "threads": 3,
    }
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("capabilities", "limit", "expected"),
    [
        (ZEN3, "", "AVX2"),
        (CASCADE_LAKE, "", "AVX512_CORE_VNNI"),
        (ZEN5, "", "AVX512_CORE_BF16"),
        (SAPPHIRE_RAPIDS, "", "AVX512_CORE_AMX"),
        # The lesser of the limit and what there is.
        (ZEN3, "AVX512_CORE", "AVX2"),
        (ZEN5, "AVX2", "AVX2"),
        (ZEN5, "avx2", "AVX2"),
        (ZEN5, "SSE41", "SSE41"),
        (ZEN5, "AVX512_CORE", "AVX512_CORE"),
        (SAPPHIRE_RAPIDS, "AVX10_1_512", "AVX512_CORE_FP16"),
        # AVX2_VNNI is not below every AVX-512: oneDNN then says "Intel AVX2".
        (AVX2 | {"avx_vnni": True}, "AVX512_CORE", "AVX2"),
        (CASCADE_LAKE, "AVX2_VNNI", "AVX2"),
        # oneDNN passes over what it does not know.
        (ZEN5, "DEFAULT", "AVX512_CORE_BF16"),
        (ZEN5, "AVX512", "AVX512_CORE_BF16"),
        (GRAVITON, "", "bf16 neon"),
        (GRAVITON, "ADVSIMD", "bf16 neon ADVSIMD"),
        # An older torch tells nothing of the processor.
        ({}, "", "unknown"),
        ({}, "AVX2", "AVX2"),
    ],
)
def test_onednn_uses_the_most_that_its_limit_and_the_processor_allow(
    machine, capabilities, limit, expected
):
    assert machine(capabilities, ONEDNN_MAX_CPU_ISA=limit)["onednn"] == expected


def test_the_older_name_of_onednns_limit_counts_where_the_newer_is_not_set(machine):
    assert machine(ZEN5, DNNL_MAX_CPU_ISA="AVX2")["onednn"] == "AVX2"
    assert machine(ZEN5, ONEDNN_MAX_CPU_ISA="SSE41")["onednn"] == "SSE41"


@pytest.mark.parametrize(
    ("capabilities", "environment", "expected"),
    [
        (ZEN3, {}, "AMD"),
        (ZEN5, {}, "AMD"),
        (ZEN5, {"MKL_ENABLE_INSTRUCTIONS": "AVX2"}, "AMD"),
        (ZEN5, {"ONEDNN_MAX_CPU_ISA": "AVX2"}, "AMD"),
        (ZEN5, {"MKL_CBWR": "compatible"}, "AMD, MKL_CBWR=COMPATIBLE"),
        (CASCADE_LAKE, {}, "Intel AVX512_CORE_VNNI"),
        (CASCADE_LAKE, {"ONEDNN_MAX_CPU_ISA": "AVX2"}, "Intel AVX512_CORE_VNNI"),
        (CASCADE_LAKE, {"MKL_ENABLE_INSTRUCTIONS": "AVX2"}, "Intel AVX2"),
        (SAPPHIRE_RAPIDS, {"MKL_ENABLE_INSTRUCTIONS": "AVX512"}, "Intel AVX512_CORE"),
        ({}, {}, "unknown"),
    ],
)
def test_mkl_chooses_by_the_maker_and_its_own_settings(
    machine, capabilities, environment, expected
):
    assert machine(capabilities, **environment)["mkl"] == expected


def test_a_torch_without_onednn_and_mkl_depends_on_neither(machine, monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: False)
    found = machine(ZEN5, MKL_CBWR="AUTO")
    assert (found["onednn"], found["mkl"]) == ("none", "none")


def test_a_torch_that_tells_no_capabilities_will_do(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert processor(CPU)["kernels"] == torch.backends.cpu.get_cpu_capability()


def test_on_cuda_the_device_counts_and_the_processor_beside_it_does_not(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H100 80GB HBM3")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    expected = {"name": "NVIDIA H100 80GB HBM3", "capability": "9.0"}
    assert processor(torch.device("cuda")) == expected


SCRIPT = """
import json

import torch

from pipeline.training import processor as module
from pipeline.training.processor import processor

print(json.dumps(processor(torch.device("cpu"))))
torch.nn.functional.conv2d(torch.rand(8, 16, 32, 32), torch.rand(16, 16, 3, 3))
"""
# As `get_isa_info` of oneDNN's `cpu_isa_traits.cpp` words them.
ONEDNNS_WORDS = {
    "AVX2": "Intel AVX2",
    "AVX2_VNNI": "Intel AVX2 with Intel DL Boost",
    "AVX2_VNNI_2": "Intel AVX2 with Intel DL Boost, float16 and bfloat16 support",
    "AVX512_CORE": "Intel AVX-512 with AVX512BW, AVX512VL, and AVX512DQ extensions",
    "AVX512_CORE_VNNI": "Intel AVX-512 with Intel DL Boost",
    "AVX512_CORE_BF16": "Intel AVX-512 with Intel DL Boost and bfloat16 support",
    "AVX512_CORE_FP16": "Intel AVX-512 with float16, Intel DL Boost and bfloat16 support ",
    "AVX512_CORE_AMX": "Intel AVX-512 with float16, Intel DL Boost and bfloat16 support and Intel "
    "AMX with bfloat16 and 8-bit integer support",
    "AVX512_CORE_AMX_FP16": "Intel AVX-512 with float16, Intel DL Boost and bfloat16 support and "
    "Intel AMX with bfloat16, float16 and 8-bit integer support",
}


def run_limited(**environment):
    """Return what a process of its own finds, and the instruction set that oneDNN says it uses."""
    kept = {name: value for name, value in os.environ.items() if name not in LIMITS}
    environment |= {"PYTHONPATH": str(Path.cwd()), "ONEDNN_VERBOSE": "1"}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(
        command, env=kept | environment, capture_output=True, text=True, check=True
    )
    lines = done.stdout.split("\n")
    (found,) = (json.loads(line) for line in lines if line.startswith("{"))
    (said,) = (line.split("isa:")[1] for line in lines if "info,cpu,isa:" in line)
    return found, said


needs_avx2 = pytest.mark.skipif(
    platform.machine() != "x86_64" or torch.backends.cpu.get_cpu_capability() == "DEFAULT",
    reason="the limits are of x86-64",
)


@needs_avx2
def test_what_the_environment_limits_is_found_in_a_process_of_its_own():
    found, said = run_limited(
        OMP_NUM_THREADS="1", ATEN_CPU_CAPABILITY="avx2", ONEDNN_MAX_CPU_ISA="AVX2"
    )
    assert (found["threads"], found["kernels"], found["onednn"]) == (1, "AVX2", "AVX2")
    assert said == ONEDNNS_WORDS["AVX2"]


@pytest.mark.slow
@needs_avx2
@pytest.mark.skipif(not hasattr(torch.cpu, "get_capabilities"), reason="torch does not tell")
@pytest.mark.parametrize(
    "limit", ["", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_AMX"]
)
def test_onednn_itself_names_the_same_instruction_set(limit):
    found, said = run_limited(ONEDNN_MAX_CPU_ISA=limit)
    assert said == ONEDNNS_WORDS[found["onednn"]]
