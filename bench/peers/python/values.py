"""Values that every peer makes the same."""

import numpy
import torch


def hash24(seed, n):
    h = numpy.arange(n, dtype=numpy.uint32) * numpy.uint32(2654435761)
    h += numpy.uint32(seed * 2246822519 % 2**32)
    return (h ^ h >> 15) * numpy.uint32(739982445) >> 8


def operand(seed, *shape):
    """Values in ±½, in PyTorch's memory, which is aligned to 64 bytes."""
    x = hash24(seed, numpy.prod(shape)).astype(numpy.float32) / 16777216 - 0.5
    return torch.from_numpy(x.reshape(shape)).clone()


def bfloat16(seed, *shape):
    """The same without what bfloat16 has no room for."""
    return (operand(seed, *shape).view(torch.int32) >> 16).to(torch.int16).view(torch.bfloat16)


def tokens(seed, batch, length, vocabulary):
    ids = hash24(seed, batch * length).astype(numpy.int64) % vocabulary
    return torch.from_numpy(ids.reshape(batch, length))
