"""The networks of lib/models in PyTorch, for `npm run bench -- --peers`, and how their weights are carried over."""

import json
import math
import struct

import torch
import torch.nn as nn
import torch.nn.functional as F


class Notes(nn.Module):
    """The lecture notes' network (lib/models/lecture2025.ts), as they write it."""

    def __init__(self, config):
        super().__init__()
        width = config.get("width", 64)
        self.T = config["T"]
        self.time1 = nn.Linear(1, 2 * width)
        self.time2 = nn.Linear(2 * width, 2 * width)
        self.conv1 = nn.Conv2d(1, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.deconv1 = nn.ConvTranspose2d(2 * width, width, 3, padding=1)
        self.deconv2 = nn.ConvTranspose2d(width, 1, 3, padding=1)

    def forward(self, x, t):
        time = self.time2(F.relu(self.time1((t.float() / self.T).view(-1, 1))))
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = x + time[:, :, None, None]
        x = F.relu(self.deconv1(x))
        return self.deconv2(x)


def groups_for(channels, most=8):
    return next(groups for groups in range(min(most, channels), 0, -1) if channels % groups == 0)


def norm(channels):
    return nn.GroupNorm(groups_for(channels), channels, eps=1e-5)


class Halve(nn.Conv2d):
    """
    Convolution of stride 2. TensorFlow pads an even side on the right, PyTorch on the left: the same work. With `right`
    it pads as TensorFlow, by an op of its own: for the comparison of outputs, not for the clock.
    """

    right = False

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, 3, stride=2, padding=1)

    def forward(self, x):
        if not Halve.right:
            return super().forward(x)
        return F.conv2d(F.pad(x, (0, 1, 0, 1)), self.weight, self.bias, stride=2)


class Block(nn.Module):
    def __init__(self, inputs, outputs, time_size):
        super().__init__()
        self.norm1 = norm(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time = nn.Linear(time_size, outputs)
        self.norm2 = norm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x, time):
        h = self.conv1(F.silu(self.norm1(x))) + self.time(time)[:, :, None, None]
        return self.shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class Attention(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.norm = norm(channels)
        self.query, self.key, self.value, self.output = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x):
        batch, channels, height, width = x.shape
        h = self.norm(x)

        def split(y):
            return y.flatten(2).unflatten(1, (self.heads, channels // self.heads)).transpose(2, 3)

        mixed = F.scaled_dot_product_attention(split(self.query(h)), split(self.key(h)), split(self.value(h)))
        return x + self.output(mixed.transpose(2, 3).reshape(batch, channels, height, width))


class Unet(nn.Module):
    """lib/models/unet.ts."""

    def __init__(self, config):
        super().__init__()
        channels, blocks = config["channels"], config["blocks"]
        attention, heads = config.get("attention", []), config.get("heads", 1)
        images = config.get("imageChannels", 1)
        self.time_dim = config.get("timeDim", max(32, channels[0] + channels[0] % 2))
        size = 4 * self.time_dim
        last = len(channels) - 1

        def attend(level):
            return Attention(channels[level], heads) if level in attention else None

        self.time1 = nn.Linear(self.time_dim, size)
        self.time2 = nn.Linear(size, size)
        self.input = nn.Conv2d(images, channels[0], 3, padding=1)
        self.down, self.up = nn.ModuleDict(), nn.ModuleDict()
        for level, width in enumerate(channels):
            parts = {f"block{i}": Block(width, width, size) for i in range(blocks[level])}
            if attend(level):
                parts["attention"] = attend(level)
            if level < last:
                parts["halve"] = Halve(width, channels[level + 1])
            self.down[str(level)] = nn.ModuleDict(parts)
        for level in reversed(range(last)):
            parts = {
                "enlarge": nn.Conv2d(channels[level + 1], channels[level], 3, padding=1),
                "block": Block(2 * channels[level], channels[level], size),
            }
            if attend(level):
                parts["attention"] = attend(level)
            self.up[str(level)] = nn.ModuleDict(parts)
        self.output_norm = norm(channels[0])
        self.output = nn.Conv2d(channels[0], images, 3, padding=1)
        half = self.time_dim // 2
        self.register_buffer("frequencies", torch.exp(-math.log(10000) / half * torch.arange(half)))

    def forward(self, x, t):
        angles = t.float()[:, None] * self.frequencies
        time = torch.cat([angles.sin(), angles.cos()], 1)
        time = F.silu(self.time2(F.silu(self.time1(time))))
        kept = []
        x = self.input(x)
        for level in self.down.values():
            for name, part in level.items():
                if name == "halve":
                    kept.append(x)
                x = part(x, time) if name.startswith("block") else part(x)
        for level in self.up.values():
            x = level["enlarge"](F.interpolate(x, scale_factor=2, mode="nearest"))
            x = level["block"](torch.cat([x, kept.pop()], 1), time)
            if "attention" in level:
                x = level["attention"](x)
        return self.output(F.silu(self.output_norm(x)))


def create(config):
    return {"lecture2025": Notes, "unet": Unet}[config["kind"]](config)


def read_safetensors(path):
    """The float32 and int32 arrays of a safetensors file, by name."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    (length,) = struct.unpack("<Q", data[:8])
    arrays = {}
    for name, entry in json.loads(bytes(data[8 : 8 + length])).items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            kind = {"F32": torch.float32, "I32": torch.int32}[entry["dtype"]]
            array = torch.frombuffer(data[begin:end], dtype=kind)
            arrays[name] = array.reshape(entry["shape"])
    return arrays


def load(model, arrays):
    """Copies weights that are named and laid out as in lib/models into the network; every one must find its place."""
    state = model.state_dict()
    missing = {name for name, _ in model.named_parameters()}
    for path, array in arrays.items():
        parts = path.replace("output/norm", "output_norm").replace("/double/", "/enlarge/").split("/")
        if parts[0][:-1] in ("down", "up"):
            parts[0:1] = parts[0][:-1], parts[0][-1]
        leaf = {"kernel": "weight", "gamma": "weight", "beta": "bias"}.get(parts[-1], parts[-1])
        name = ".".join([*parts[:-1], leaf])
        # [h, w, in, out] or, if transposed, [h, w, out, in]: PyTorch wants both the other way round.
        if parts[-1] == "kernel":
            array = array.permute(3, 2, 0, 1) if array.dim() == 4 else array.T
        if state[name].shape != array.shape:
            raise ValueError(f"{path} has shape {list(array.shape)} here and {list(state[name].shape)} in PyTorch")
        state[name] = array.contiguous()
        missing.remove(name)
    if missing:
        raise ValueError(f"no weights for {sorted(missing)}")
    model.load_state_dict(state)
