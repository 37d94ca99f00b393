"""EfficientNet-B0: inverted bottlenecks scaled in depth, width and resolution together."""

from __future__ import annotations

from torch import nn

from pipeline.networks.parts.problem import Problem, Stem, takes_small_stem
from pipeline.networks.parts.stem import replace_layer, small_stem

# Each stage's repeats, kernel, stride, expansion, channels in and out, and squeeze: table 1.
STAGES = (
    "r1_k3_s11_e1_i32_o16_se0.25",
    "r2_k3_s22_e6_i16_o24_se0.25",
    "r2_k5_s22_e6_i24_o40_se0.25",
    "r3_k3_s22_e6_i40_o80_se0.25",
    "r3_k5_s11_e6_i80_o112_se0.25",
    "r4_k5_s22_e6_i112_o192_se0.25",
    "r1_k3_s11_e6_i192_o320_se0.25",
)
STEM_CHANNELS = 32


def efficientnet_b0(problem: Problem, *, stem: Stem = "standard") -> nn.Module:
    """Return MONAI's EfficientNet-B0 (Tan and Le 2019, arXiv:1905.11946, table 1), 2D or 3D.

    Parameters
    ----------
    problem : Problem
        Images and classes.
    stem : {"standard", "small", "auto"}
        3x3 with stride 2; with stride 1; or what the images have room for.

    Raises
    ------
    InputError
        If a side is smaller than the total stride (32, or 16 with the small stem).
    """
    # MONAI costs seconds to import: only who trains a MONAI network pays.
    from monai.networks.nets.efficientnet import EfficientNet

    small = takes_small_stem(stem, problem, name="efficientnet_b0", stride=32, saved=2)
    # MONAI's own B0 fixes every layer's padding for images of 224 px. Without the stem's stride
    # the layers see images twice as large.
    side = max(problem.image_size) * (2 if small else 1)
    network = EfficientNet(
        blocks_args_str=list(STAGES),
        spatial_dims=problem.spatial_dims,
        in_channels=problem.in_channels,
        num_classes=problem.num_classes,
        image_size=side,
    )
    if small:
        replace_layer(network, "_conv_stem", small_stem(problem, channels=STEM_CHANNELS))
        replace_layer(network, "_conv_stem_padding", nn.Identity())
    return network
