"""
PyTorch's side of `npm run bench -- --peers`: answers one JSON line on the standard input with one on the standard output
(lib/bench/protocol.ts). One process can hold several prepared workloads.
"""

import json
import os
import statistics
import sys
import time
import traceback

# Whatever a library prints must not fall between the answers.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

import torch_nets  # noqa: E402


class Schedule:
    """A linear schedule of lib/diffusion, in the tables that the formulas below read."""

    def __init__(self, config):
        if config["kind"] != "linear" or config.get("rescale"):
            raise ValueError(f"schedule {config} has no counterpart here")
        self.T = config["T"]
        self.betas = torch.linspace(config["betaStart"], config["betaEnd"], self.T, dtype=torch.float64)
        self.abar = torch.cumprod(1 - self.betas, 0)
        self.signal, self.noise = self.abar.sqrt().float(), (1 - self.abar).sqrt().float()

    def respace(self, steps):
        """Betas and abar of a list of steps, rising."""
        abar = self.abar[steps]
        before = torch.cat([torch.ones(1, dtype=torch.float64), abar[:-1]])
        return (1 - abar / before).tolist(), abar.tolist(), before.tolist()


class Variant:
    """How a network is run: memory layout, autocast, torch.compile, optimiser."""

    def __init__(self, options):
        self.channels_last = options.get("channelsLast", False)
        self.bfloat16 = options.get("bfloat16", False)
        self.compiled = options.get("compile", False)
        self.adam = options.get("adam", ["default"])

    def layout(self, x):
        return x.to(memory_format=torch.channels_last) if self.channels_last else x

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16)

    def function(self, fn):
        return torch.compile(fn, dynamic=False) if self.compiled else fn


def check(model, reference):
    """The largest difference from the outputs of lib, in float32."""
    arrays = torch_nets.read_safetensors(reference)
    xt, t, expected = (arrays.pop(name) for name in ("input/xt", "input/t", "output/eps"))
    torch_nets.load(model, arrays)
    torch_nets.Halve.right = True
    with torch.no_grad():
        got = model(xt.permute(0, 3, 1, 2).contiguous(), t.long()).permute(0, 2, 3, 1)
    torch_nets.Halve.right = False
    return (got - expected).abs().max().item()


class Train:
    """A training step: batch, noise, network, loss, gradient, clip, Adam, average; the loss is read."""

    def __init__(self, workload, variant, model):
        self.batch, self.variant = workload["batch"], variant
        recipe = workload["recipe"]
        self.clip, self.decay = recipe.get("clipNorm"), recipe.get("emaDecay", 0)
        self.model = variant.layout(model)
        self.parameters = list(model.parameters())
        self.average = [p.detach().clone() for p in self.parameters]
        self.schedule = Schedule(workload["schedule"])
        side = workload["imageSize"]
        self.data = torch.randint(0, 256, (4096, 1, side, side), dtype=torch.uint8)
        self.loss = variant.function(self.loss_of)
        self.note = ""
        self.optimizers = {name: self.create(name, recipe["learningRate"]) for name in variant.adam}
        self.optimizer = self.optimizers[variant.adam[0]]

    def create(self, name, rate):
        options = {} if name == "default" else {name: True}
        return torch.optim.Adam(self.parameters, lr=rate, **options)

    def loss_of(self, x0, t, eps):
        signal, noise = (table[t].view(-1, 1, 1, 1) for table in (self.schedule.signal, self.schedule.noise))
        xt = self.variant.layout(signal * x0 + noise * eps)
        with self.variant.autocast():
            guess = self.model(xt, t)
        return F.mse_loss(guess.float(), eps)

    def choose(self):
        """Keeps the fastest of the optimisers that the variant may use."""
        if len(self.optimizers) > 1:
            times = {name: [] for name in self.optimizers}
            for _ in range(4):
                for name, optimizer in self.optimizers.items():
                    begin = time.perf_counter()
                    optimizer.step()
                    times[name].append(time.perf_counter() - begin)
            best = min(times, key=lambda name: statistics.median(times[name]))
            self.optimizer = self.optimizers[best]
            self.note = "" if best == "default" else f"{best} Adam"

    def warm_up(self):
        for _ in range(2):
            self.run()

    def run(self):
        indices = torch.randint(0, 4096, (self.batch,))
        x0 = self.variant.layout(self.data[indices].float() / 127.5 - 1)
        eps = torch.randn_like(x0)
        t = torch.randint(0, self.schedule.T, (self.batch,))
        loss = self.loss(x0, t, eps)
        self.optimizer.zero_grad()
        loss.backward()
        if self.clip:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self.optimizer.step()
        if self.decay:
            torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - self.decay)
        return loss.item()


class Sample:
    """Steps of a sampler, or whole samples. An iteration is `group` steps; its time is divided by them if `each`."""

    note = ""

    def __init__(self, workload, variant, model):
        self.variant = variant
        self.model = variant.layout(model).eval()
        self.batch, self.side = workload["batch"], workload["imageSize"]
        self.sampler, self.clip = workload["sampler"], workload["clipDenoised"]
        self.posterior = workload["variance"] == "posterior"
        schedule = Schedule(workload["schedule"])
        steps = workload.get("steps") or schedule.T
        self.steps = [round((i + 1) * schedule.T / steps) - 1 for i in range(steps)]
        self.betas, self.abar, self.before = schedule.respace(self.steps)
        self.predict = variant.function(self.predict_)
        self.whole = workload["kind"] == "sample"
        self.group = steps if self.whole else workload["group"]
        self.at = -1
        self.x = None

    def predict_(self, x, t):
        with self.variant.autocast():
            return self.model(x, t).float()

    def choose(self):
        pass

    def step(self, i):
        beta, abar, before, x = self.betas[i], self.abar[i], self.before[i], self.x
        eps = self.predict(x, torch.full((self.batch,), self.steps[i]))
        if self.sampler == "ddim" or self.clip:
            x0 = (x - (1 - abar) ** 0.5 * eps) / abar**0.5
            if self.clip:
                x0 = x0.clamp(-1, 1)
        if self.sampler == "ddim":
            if self.clip:
                eps = (x - abar**0.5 * x0) / (1 - abar) ** 0.5
            self.x = before**0.5 * x0 + (1 - before) ** 0.5 * eps
            return
        if self.clip:
            mean = before**0.5 * beta / (1 - abar) * x0 + (1 - beta) ** 0.5 * (1 - before) / (1 - abar) * x
        else:
            mean = (x - beta / (1 - abar) ** 0.5 * eps) / (1 - beta) ** 0.5
        variance = beta * (1 - before) / (1 - abar) if self.posterior else beta
        self.x = mean + variance**0.5 * torch.randn_like(x) if i > 0 else mean

    def warm_up(self):
        self.advance(2)
        self.at = -1

    def run(self):
        self.advance(self.group)
        return float(self.x[0, 0, 0, 0])

    def advance(self, steps):
        with torch.no_grad():
            for _ in range(steps):
                if self.at < 0:
                    self.at = len(self.steps) - 1
                    self.x = self.variant.layout(torch.randn(self.batch, 1, self.side, self.side))
                self.step(self.at)
                self.at -= 1


prepared = {}


def prepare(request):
    workload, variant = request["workload"], Variant(request["variant"])
    torch.manual_seed(0)
    model = torch_nets.create(workload["model"])
    difference = check(model, request["reference"]) if request.get("reference") else None
    kind = Train if workload["kind"] == "train" else Sample
    job = prepared[request["id"]] = kind(workload, variant, model)
    job.warm_up()
    job.choose()
    return {"note": job.note, "difference": difference}


def run(request):
    job = prepared[request["id"]]
    times = []
    for _ in range(request["iterations"]):
        begin = time.perf_counter()
        job.run()
        elapsed = (time.perf_counter() - begin) * 1000
        times.append(elapsed / job.group if isinstance(job, Sample) and not job.whole else elapsed)
    return {"milliseconds": times}


def release(request):
    if prepared.pop(request["id"]).variant.compiled:
        torch._dynamo.reset()  # the next workload is not a variation of this one
    return {}


def hello(request):
    torch.set_num_threads(request["threads"])
    python = ".".join(map(str, sys.version_info[:3]))
    return {"versions": {"PyTorch": torch.__version__, "Python": python}}


commands = {"hello": hello, "prepare": prepare, "run": run, "release": release}

for line in sys.stdin:
    try:
        message = json.loads(line)
        answer = commands[message["command"]](message)
    except Exception as error:  # the other side reports it
        traceback.print_exc()
        answer = {"error": f"{type(error).__name__}: {error}"}
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
