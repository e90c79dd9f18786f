"""Records what torch computes of routers' logits: python record.py routing.safetensors; needs torch and safetensors.

Tensors of a case of routing, <case>.<name>: z [tasks, splits·skills], the tasks of the sequences, with a relaxed Bernoulli its temperature and u
[sequences, splits·skills]; w, the normalised weights as PEFT's router computes them; g, the gradient of a loss with respect to w, and dz, that with respect to z.

Tensors of a case of a prior, prior.<case>.<name>: z; splits; ibp, entropy, l1, the terms of a router; d_ibp, d_entropy, d_l1, their gradients.
"""
import sys

import torch
from safetensors.torch import save_file
from torch.distributions import relaxed_bernoulli

EPS = 1e-12
out = {}
generator = torch.Generator().manual_seed(7)


def draws(u):
    """Makes RelaxedBernoulli draw u."""

    class Torch:
        def __getattr__(self, name):
            return getattr(torch, name)

        def rand(self, shape, **_):
            return u.reshape(shape).clone()

    relaxed_bernoulli.torch = Torch()


def routing(case, splits, skills, weigh, **inputs):
    tasks = torch.tensor([2, 0, 1, 2, 3, 3, 0])
    z = (torch.randn(4, splits * skills, generator=generator) * 3).requires_grad_()
    with torch.no_grad():
        z.view(-1)[:6] = torch.tensor([20.0, -20.0, 60.0, -60.0, 0.0, 1e-3])
        z[3] = -60.0  # no skill to speak of
        z[1, 1:3] = torch.tensor([5.0, -14.0])
    u = torch.rand(len(tasks), splits * skills, generator=generator)
    u.view(-1)[:4] = torch.tensor([0.0, 1 - 2.0**-24, 2.0**-24, 0.5])
    u[1, :2] = torch.tensor([1 - 2.0**-24, 0.0])  # of the task with the extreme logits
    u[4] = 1 - 2.0**-24
    u[2, 1:3] = torch.tensor([1 - 2.0**-24, 0.0])  # the result is clamped, not the probability
    draws(u.view(len(tasks), splits, skills))
    y = weigh(z[tasks].view(-1, splits, skills))
    w = y / (y.sum(dim=-1, keepdim=True) + EPS)
    g = torch.randn(w.shape, generator=generator)
    (w * g).sum().backward()
    inputs.update(z=z.detach(), tasks=tasks, w=w.detach().flatten(1), g=g.flatten(1), dz=z.grad)
    if "temperature" in inputs:
        inputs["u"] = u
    out.update({f"{case}.{k}": v for k, v in inputs.items()})


def straight_through(z):
    p = torch.sigmoid(z)
    return (p > 0.5).float() - p.detach() + p


def neg_log_ibp(z):
    """The negative logarithm of the probability, without constants; z [tasks, skills]."""
    chosen = straight_through(z)
    _, multiplicity = torch.unique(chosen.detach().round(), dim=1, return_counts=True)
    logp = -torch.lgamma(multiplicity.double() + 1).sum()
    m = chosen.sum(0)
    m = m[m.detach().round() > 0].double()
    return -(logp + (torch.lgamma(z.shape[0] - m + 1) + torch.lgamma(m)).sum())


def prior(case, z, splits):
    z = torch.as_tensor(z, dtype=torch.float32)
    skills = z.shape[1] // splits
    p = torch.sigmoid
    terms = dict(
        ibp=lambda z: sum(neg_log_ibp(s) for s in z.split(skills, dim=1)),
        entropy=lambda z: torch.distributions.Bernoulli(logits=z.double()).entropy().mean(),
        l1=lambda z: torch.clamp(p(z.double()).mean() - 1 / skills, min=0),
    )
    out[f"prior.{case}.z"], out[f"prior.{case}.splits"] = z, torch.tensor(splits)
    for name, term in terms.items():
        x = z.clone().requires_grad_()
        value = term(x)
        value.backward()
        out[f"prior.{case}.{name}"], out[f"prior.{case}.d_{name}"] = value.detach().double(), x.grad


routing("sigmoid", 2, 3, torch.sigmoid)
routing("straight", 3, 2, straight_through)
for t in 1.0, 0.5, 0.25, 3.0:
    temperature = torch.tensor(t)
    routing(f"relaxed.{t}", 2, 3, lambda z: relaxed_bernoulli.RelaxedBernoulli(temperature, logits=z).rsample(), temperature=temperature)
relaxed_bernoulli.torch = torch

prior("golden", [[3, -3, 2, 2], [2, 1, -2, -1], [-1, 4, 0.5, 1], [2, -0.5, -1, -1]], 1)
prior("unused", [[-1, -2], [-3, -0.5], [-1, -1]], 1)
prior("all", [[1, 2], [3, 0.5], [1, 1]], 1)
prior("one task", [[1, -2, 3, 0.25]], 2)
prior("splits", torch.randn(9, 12, generator=generator) * 2, 3)
prior("extreme", [[30, -30, 20, 1e-3], [-20, 90, -90, -1e-3], [15, -15, 0.1, 0]], 2)

save_file({k: v.contiguous() for k, v in out.items()}, sys.argv[1])
