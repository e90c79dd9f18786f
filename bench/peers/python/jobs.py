"""What can be measured: each kind of job gives a function that runs it and one that returns its result."""

import torch

import llama
import t5
import train
from values import bfloat16, operand

aten = torch.ops.aten


def describe():
    blas = "MKL" if torch.backends.mkl.is_available() else "no MKL"
    return f"torch {torch.__version__}, {blas}, {torch.backends.cpu.get_cpu_capability()}, {t5.describe()}"


def set_threads(n):
    torch.set_num_threads(n)


def make(kind, *args):
    return {"gemm": gemm, "bf16": bf16, "elem": elem, "t5": t5.job, "t5-train": train.t5_job, "llama-train": train.llama_job, "t5-generate": llama.t5_job, "llama": llama.job}[kind](*args)


def gemm(*args):
    m, k, n, group, beta = map(int, args)
    a, b, c = operand(1, group, m, k), operand(2, group, k, n), operand(3, group, m, n)
    if group > 1:
        run = (lambda: c.baddbmm_(a, b)) if beta else (lambda: torch.bmm(a, b, out=c))
    else:
        a, b, c = a[0], b[0], c[0]
        run = (lambda: c.addmm_(a, b)) if beta else (lambda: torch.mm(a, b, out=c))
    return run, lambda: c


def bf16(*args):
    m, k, n = map(int, args)
    a, b, c = bfloat16(1, m, k), bfloat16(2, k, n), torch.empty(m, n, dtype=torch.bfloat16)
    return lambda: torch.mm(a, b, out=c), lambda: c


def elem(name, rows, cols):
    x = operand(1, int(rows), int(cols)) * 8
    y = torch.empty_like(x)
    weight = operand(2, int(cols))
    run = {
        "exp": lambda: torch.exp(x, out=y),
        "sigmoid": lambda: torch.sigmoid(x, out=y),
        "silu": lambda: aten.silu.out(x, out=y),
        "tanh": lambda: torch.tanh(x, out=y),
        "gelu_tanh": lambda: aten.gelu.out(x, approximate="tanh", out=y),
        "gelu": lambda: aten.gelu.out(x, out=y),
        "softmax": lambda: aten._softmax.out(x, -1, False, out=y),
    }.get(name)
    if run:
        return run, lambda: y
    if name == "rms_norm":  # it has no form that writes to a given tensor
        run = lambda: torch.nn.functional.rms_norm(x, (int(cols),), weight, 1e-6)
        return run, run
    raise ValueError(name)
