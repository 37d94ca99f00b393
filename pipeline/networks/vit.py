"""A vision transformer: patches of an image attend to one another."""

from __future__ import annotations

from torch import Tensor, nn

from pipeline.errors import InputError
from pipeline.networks.parts.problem import Problem, require_room
from pipeline.networks.parts.stem import replace_layer


class LogitsOnly(nn.Module):
    """A MONAI transformer without the hidden states that it returns beside its logits."""

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, classes) of images (n, channels, *spatial)."""
        return self.transformer(images)[0]


def vit(
    problem: Problem,
    *,
    patch_size: int,
    hidden_size: int = 384,
    mlp_dim: int = 1536,
    num_layers: int = 12,
    num_heads: int = 6,
    dropout_rate: float = 0.0,
) -> nn.Module:
    """Return MONAI's vision transformer, by default ViT-S; 2D or 3D.

    Dosovitskiy et al. 2021 (arXiv:2010.11929); the small size is that of Touvron et al. 2021
    (arXiv:2012.12877), table 1.

    Parameters
    ----------
    problem : Problem
        Images and classes.
    patch_size : int
        Side of a patch in pixels; divides every side of the image.
    hidden_size, mlp_dim : int
        Width of a token and of the layer inside each block; heads share the former evenly.
    num_layers, num_heads : int
        Blocks, and attention heads in each.
    dropout_rate : float
        Share of activations left out in training.

    Raises
    ------
    InputError
        If the patches do not tile the image or the heads do not share the width.
    """
    # MONAI costs seconds to import: only who trains a MONAI network pays.
    from monai.networks.nets.vit import ViT

    require_room("vit", problem, stride=patch_size, advice="use smaller patches")
    if any(side % patch_size for side in problem.image_size):
        sides = " x ".join(str(side) for side in problem.image_size)
        message = f"vit's patch_size must divide every side, got {patch_size} for {sides}"
        raise InputError(message)
    if hidden_size % num_heads:
        message = f"vit's num_heads must divide hidden_size, got {num_heads} for {hidden_size}"
        raise InputError(message)
    transformer = ViT(
        in_channels=problem.in_channels,
        img_size=problem.image_size,
        patch_size=patch_size,
        hidden_size=hidden_size,
        mlp_dim=mlp_dim,
        num_layers=num_layers,
        num_heads=num_heads,
        classification=True,
        num_classes=problem.num_classes,
        dropout_rate=dropout_rate,
        spatial_dims=problem.spatial_dims,
        # MONAI's default would squash the logits with tanh.
        post_activation=None,
        qkv_bias=True,
    )
    for number in range(num_layers):
        # Left over from cross-attention: it is never called, so no gradient would reach it.
        replace_layer(transformer, f"blocks.{number}.norm_cross_attn", nn.Identity())
    return LogitsOnly(transformer)
