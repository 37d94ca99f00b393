"""Wide-ResNet-26-10 for 32-pixel images: ten times as wide, fewer layers."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pipeline.networks.parts.layers import convolution, initialise, mean_pixel, normalisation
from pipeline.networks.parts.problem import Problem, require_room

STEM_WIDTH = 16
WIDTHS = (160, 320, 640)
BLOCKS_A_STAGE = 4  # 6 * 4 + 2 = 26 layers: stem and classifier count


class Block(nn.Module):
    """Normalise, activate and convolve, twice; a 1x1 shortcut where the shape changes."""

    def __init__(self, dims: int, channels_in: int, channels_out: int, *, stride: int) -> None:
        super().__init__()
        self.normalisation1 = normalisation(dims, channels_in)
        self.convolution1 = convolution(dims, channels_in, channels_out, stride=stride)
        self.normalisation2 = normalisation(dims, channels_out)
        self.convolution2 = convolution(dims, channels_out, channels_out)
        self.shortcut = (
            None
            if channels_in == channels_out
            else convolution(dims, channels_in, channels_out, stride=stride, size=1)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return features (n, channels_out, *spatial / stride)."""
        activated = functional.relu(self.normalisation1(images))
        features = functional.relu(self.normalisation2(self.convolution1(activated)))
        kept = images if self.shortcut is None else self.shortcut(activated)
        return self.convolution2(features) + kept


class WideResNet(nn.Module):
    """A 3x3 convolution, three stages of 4 blocks, the mean over pixels and a linear layer."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        dims = problem.spatial_dims
        self.stem = convolution(dims, problem.in_channels, STEM_WIDTH)
        blocks, channels = [], STEM_WIDTH
        for width in WIDTHS:
            for number in range(BLOCKS_A_STAGE):
                stride = 2 if number == 0 and width != WIDTHS[0] else 1
                blocks.append(Block(dims, channels, width, stride=stride))
                channels = width
        self.blocks = nn.Sequential(*blocks)
        self.normalisation = normalisation(dims, channels)
        self.classifier = nn.Linear(channels, problem.num_classes)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, classes) of images (n, channels, *spatial)."""
        features = self.blocks(self.stem(images))
        return self.classifier(mean_pixel(functional.relu(self.normalisation(features))))


def cifar_wide_resnet26_10(problem: Problem) -> nn.Module:
    """Return the Wide-ResNet (Zagoruyko and Komodakis 2016, arXiv:1605.07146) of 26 layers.

    The 26 are those of Mukhoti et al. 2020 (arXiv:2002.09437): 24 convolutions in blocks, stem and
    classifier. The paper counts the three shortcuts for the classifier and calls the same network
    WRN-28-10 (table 4). MONAI has none. 36.5 million parameters for 10 classes.

    Raises
    ------
    InputError
        If a side is smaller than 4 pixels.
    """
    require_room("cifar_wide_resnet26_10", problem, stride=4, advice="use larger images")
    return WideResNet(problem)
