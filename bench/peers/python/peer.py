"""The line protocol of a peer. README.md describes it."""

import sys
import time

import torch


def timed(run, n):
    start = time.perf_counter()
    for _ in range(n):
        run()
    return time.perf_counter() - start


def seconds(run):
    """How long one repetition takes, over at least 5 ms. The first is not counted, or the only one if it takes a second."""
    t = timed(run, 1)
    if t >= 1:
        return t
    n = 1
    while True:
        t = timed(run, n)
        if t >= 5e-3:
            return t / n
        n *= 2


def main(jobs):
    """Answer lines. Jobs has describe(), set_threads(n) and make(*job), which returns what to run and what gives the result, or
    raises a ValueError where there is no such job."""
    with torch.inference_mode():
        answer(jobs)


def answer(jobs):
    out = sys.stdout.buffer
    last, run, result = None, None, None
    for line in sys.stdin:
        verb, *words = line.split()
        if verb == "describe":
            out.write(jobs.describe().encode() + b"\n")
        else:
            threads, *job = words
            jobs.set_threads(int(threads))
            if verb == "check" or job != last:
                last, run, result = job, None, None  # free the memory of the last job first
                try:
                    run, result = jobs.make(*job)
                except ValueError as reason:
                    out.write(b"skip %s\n" % str(reason).encode())
                    out.flush()
                    continue
            if verb == "check":
                run()
                data = result().float().numpy()
                out.write(b"%d\n" % data.size)
                out.write(data.tobytes())
            else:
                out.write(b"%.9g\n" % seconds(run))
        out.flush()
