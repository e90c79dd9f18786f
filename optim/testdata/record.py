"""Records what torch.optim and transformers do, in steps.safetensors (optimisers and clipping) and schedules.safetensors.

Run in this folder with torch 2.15 and transformers 5.24 on a CPU with FMA.

steps.safetensors: "init/<parameter>" and "grad/<step>/<parameter>" are what every case begins with and sees; "<case>/<step>/<parameter>" is a
parameter after a step, "<case>/state/<parameter>.<kind>" the state after the last. Groups: "matrix" and "cube" in one, "vector" and "scalar" in the
other. The metadata has each case's class, options and groups' rates and decays as JSON; the rates follow a linear schedule where "total" is there.
Cases "<case>_rounded" are Adam's and AdamW's with square roots that are correctly rounded, as those of PyTorch's vector library are not.
"clip/<max>/norm" and "clip/<max>/<step>/<parameter>" are clip_grad_norm_'s norms of the steps' gradients, and the gradients after.

schedules.safetensors: "<schedule>/<warmup>/<total>" is the factor of each step, in float64.
"""

import json

import torch
from safetensors.torch import save_file
from transformers import optimization
from transformers.optimization import Adafactor

STEPS = 8
SHAPES = {"matrix": (9, 17), "cube": (2, 2, 6, 3), "vector": (40,), "scalar": ()}
GROUPS = [["matrix", "cube"], ["vector", "scalar"]]


def case(cls, options, lr, decay, total=None):
    return {"class": cls, "options": options, "lr": lr, "decay": decay, "total": total}


CASES = {
    "adam": case("Adam", {}, [1e-3, 0.1], [0, 0]),
    "adam_decay": case("Adam", {"betas": (0.8, 0.95), "eps": 1e-6}, [1e-2, 0.1], [0.05, 0], 10),
    "adam_short": case("Adam", {"betas": (0.25, 0.5)}, [1e-3, 1e-3], [0, 0.1]),
    "adamw": case("AdamW", {}, [1e-3, 0.1], [0.01, 0]),
    "adamw_decay": case("AdamW", {"betas": (0.9, 0.98)}, [1e-2, 0.1], [0.3, 0.01], 10),
    "sgd": case("SGD", {}, [0.1, 0.01], [0, 0]),
    "sgd_decay": case("SGD", {}, [0.1, 0.01], [0.1, 0], 10),
    "sgd_momentum": case("SGD", {"momentum": 0.9, "dampening": 0.3}, [0.1, 0.01], [0, 0.1], 10),
    "sgd_nesterov": case("SGD", {"momentum": 0.9, "nesterov": True}, [0.1, 0.01], [0.1, 0]),
    "adafactor": case("Adafactor", {}, [None, None], [0, 0]),
    "adafactor_warmup": case("Adafactor", {"warmup_init": True, "beta1": 0.9}, [None, None], [0.1, 0]),
    "adafactor_recipe": case("Adafactor", {"scale_parameter": False, "relative_step": False}, [1e-3, 0.1], [0, 0], 10),
    "adafactor_decay": case(
        "Adafactor",
        {"relative_step": False, "decay_rate": -0.5, "clip_threshold": 0.5, "eps": (1e-6, 0.5), "beta1": 0.5},
        [1e-2, 0.1],
        [0.1, 0.01],
    ),
}
CLIPS = [0.1, 1.0, 1e9]


def gradients(generator):
    """Of many magnitudes, with zeros, and one element of each that never has any."""
    steps = []
    for step in range(STEPS):
        grads = {}
        for name, shape in SHAPES.items():
            g = torch.randn(shape, generator=generator)
            g = g * 10.0 ** torch.empty(shape).uniform_(-6, 1, generator=generator)
            if shape:
                g = g * (torch.rand(shape, generator=generator) > 0.1)
                g.view(-1)[3] = 0
            grads[name] = g
        steps.append(grads)
    return steps


def rounded_sqrt(x):
    """Exact for float32, since float64 has more than twice its bits."""
    return sqrt(x.double()).to(x.dtype)


sqrt = torch.Tensor.sqrt


def run(c, init, grads):
    params = {n: torch.nn.Parameter(v.clone()) for n, v in init.items()}
    groups = [
        {"params": [params[n] for n in names], "lr": lr, "weight_decay": decay}
        for names, lr, decay in zip(GROUPS, c["lr"], c["decay"])
    ]
    cls = Adafactor if c["class"] == "Adafactor" else getattr(torch.optim, c["class"])
    optimizer = cls(groups, **c["options"])
    schedule = optimization.get_linear_schedule_with_warmup(optimizer, 2, c["total"]) if c["total"] else None
    out = {}
    for step, grad in enumerate(grads):
        for n, p in params.items():
            p.grad = grad[n].clone()
        optimizer.step()
        if schedule:
            schedule.step()
        for n, p in params.items():
            out[f"{step}/{n}"] = p.detach().clone()
    for n, p in params.items():
        for kind, v in optimizer.state[p].items():
            if kind not in ("step", "RMS") and v is not None:
                out[f"state/{n}.{kind}"] = v.clone()
    return out


def clip(limit, grads):
    norms, out = [], {}
    for step, grad in enumerate(grads):
        params = []
        for n, g in grad.items():
            p = torch.nn.Parameter(torch.zeros_like(g))
            p.grad = g.clone()
            params.append(p)
        norms.append(torch.nn.utils.clip_grad_norm_(params, limit))
        for n, p in zip(grad, params):
            out[f"{step}/{n}"] = p.grad
    out["norm"] = torch.stack(norms)
    return out


def factors(schedule, steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = schedule(optimizer)
    out = []
    for _ in range(steps):
        out.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return torch.tensor(out, dtype=torch.float64)


def schedules():
    out = {"constant/0/0": factors(optimization.get_constant_schedule, 5)}
    for warmup in (0, 1, 7):
        make = lambda o: optimization.get_constant_schedule_with_warmup(o, warmup)
        out[f"constant_with_warmup/{warmup}/0"] = factors(make, 20)
        for total in (0, 7, 100):
            for name in ("linear", "cosine"):
                get = getattr(optimization, f"get_{name}_schedule_with_warmup")
                out[f"{name}/{warmup}/{total}"] = factors(lambda o: get(o, warmup, total), 230)
    return out


generator = torch.Generator().manual_seed(1)
init = {n: torch.randn(s, generator=generator) * 0.5 for n, s in SHAPES.items()}
init["vector"] *= 1e-4  # a root mean square below Adafactor's least
grads = gradients(generator)
tensors = {f"init/{n}": v for n, v in init.items()}
tensors |= {f"grad/{i}/{n}": v for i, g in enumerate(grads) for n, v in g.items()}
for name, c in CASES.items():
    tensors |= {f"{name}/{k}": v for k, v in run(c, init, grads).items()}
for name in [n for n in CASES if n.startswith("adam")]:
    CASES[name + "_rounded"] = CASES[name]
    torch.Tensor.sqrt = rounded_sqrt
    tensors |= {f"{name}_rounded/{k}": v for k, v in run(CASES[name], init, grads).items()}
    torch.Tensor.sqrt = sqrt
for limit in CLIPS:
    tensors |= {f"clip/{limit}/{k}": v for k, v in clip(limit, grads).items()}
save_file(tensors, "steps.safetensors", {n: json.dumps(c) for n, c in CASES.items()})
save_file(schedules(), "schedules.safetensors")
