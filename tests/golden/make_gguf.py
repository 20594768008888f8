#!/usr/bin/env python3
"""Golden files of the GGUF reader, written and dequantised by the Python package gguf.

    /tmp/venv/bin/python tests/golden/make_gguf.py

gguf/types.gguf          metadata of every type, and one tensor [2, 3, 256] (Q8_K: [1, 256]) a type
gguf/types.safetensors   the same tensors as floats, as gguf.quants dequantises them
Blocks of K-quants are random bytes with finite scales: the package reads them but does not write them.
"""
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFValueType as Value
from gguf import quants
from safetensors.numpy import save_file

HERE = Path(__file__).parent
SHAPE = (2, 3, 256)
WRITTEN = [Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1]
# Where the fp16 scales stand in a block.
K_SCALES = {Type.Q2_K: (80, 82), Type.Q3_K: (108,), Type.Q4_K: (0, 2), Type.Q5_K: (0, 2), Type.Q6_K: (208,)}
METADATA = {
    "test.u8": (200, Value.UINT8), "test.i8": (-100, Value.INT8),
    "test.u16": (60000, Value.UINT16), "test.i16": (-30000, Value.INT16),
    "test.u32": (4000000000, Value.UINT32), "test.i32": (-2000000000, Value.INT32),
    "test.u64": (1 << 62, Value.UINT64), "test.i64": (-(1 << 62), Value.INT64),
    "test.f32": (0.25, Value.FLOAT32), "test.f64": (0.1, Value.FLOAT64),
    "test.bool": (True, Value.BOOL), "test.text": ("gr\u00fc\u00dfe", Value.STRING),
}


def random_blocks(rng, kind):
    _, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (*SHAPE[:2], size), dtype=np.uint8)
    for at in K_SCALES[kind]:
        scale = rng.normal(0, 0.1, SHAPE[:2]).astype(np.float16)
        blocks[..., at:at + 2] = scale[..., None].view(np.uint8)
    return blocks


def make_types():
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, SHAPE).astype(np.float32)
    writer = gguf.GGUFWriter(HERE / "gguf" / "types.gguf", "test")
    for key, (value, kind) in METADATA.items():
        writer.add_key_value(key, value, kind)
    writer.add_array("test.texts", ["one", "", "three"])
    writer.add_array("test.ints", [3, -1, 4])
    writer.add_array("test.reals", [0.5, -0.25])
    floats = {"F32": values}
    writer.add_tensor("F32", values)
    for kind in WRITTEN:
        data = quants.quantize(values, kind)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        floats[kind.name] = quants.dequantize(data, kind)
    for kind in K_SCALES:
        data = random_blocks(rng, kind)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        floats[kind.name] = quants.dequantize(data, kind)
    scale, bytes_, sums = np.float32([0.01]), rng.integers(-128, 128, 256, dtype=np.int8), np.zeros(16, np.int16)
    data = np.concatenate([x.view(np.uint8) for x in (scale, bytes_, sums)])[None]
    writer.add_tensor("Q8_K", data, raw_dtype=Type.Q8_K)
    floats["Q8_K"] = (scale * bytes_.astype(np.float32))[None]
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file({name: np.ascontiguousarray(x, dtype=np.float32) for name, x in floats.items()},
              HERE / "gguf" / "types.safetensors", metadata={"versions": "gguf 0.19"})


def main():
    (HERE / "gguf").mkdir(exist_ok=True)
    make_types()


if __name__ == "__main__":
    main()
