#!/usr/bin/env python3
"""Golden files of the GGUF reader, written and dequantised by the Python package gguf.

    /tmp/venv/bin/python tests/golden/make_gguf.py

gguf/MODEL.gguf          gpt2-tiny and llama-tiny-bias in F16, llama-tiny in F32, as llama.cpp's converter
                         lays them out
gguf/types.gguf          metadata of every type, and one tensor [2, 3, 256] (Q8_K: [1, 256]) a type
gguf/types.safetensors   the same tensors as floats, as gguf.quants dequantises them
Blocks of K-quants are random bytes with finite scales: the package reads them but does not write them.
"""
import json
import re
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFValueType as Value
from gguf import quants
from safetensors.numpy import load_file, save_file

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


def open_model(name, arch):
    config = json.loads((HERE / name / "config.json").read_text())
    writer = gguf.GGUFWriter(HERE / "gguf" / f"{name}.gguf", arch)
    writer.add_name(name)
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_token_list([f"t{i}" for i in range(config["vocab_size"])])
    return writer, config, load_file(HERE / name / "model.safetensors")


def close_model(writer, tensors, kind):
    """Matrices in `kind`, vectors in F32, as llama.cpp's converter has it."""
    for name, x in tensors.items():
        writer.add_tensor(name, np.ascontiguousarray(x, dtype=kind if x.ndim == 2 else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def rename(name, modules):
    module, part = name.rsplit(".", 1)
    block = re.search(r"\.(\d+)\.", module)
    number = block.group(1) if block else ""
    return modules[re.sub(r"\.\d+\.", ".*.", module)].replace("*", number) + "." + part


def make_gpt2(name, kind):
    writer, config, tensors = open_model(name, "gpt2")
    writer.add_context_length(config["n_positions"])
    writer.add_embedding_length(config["n_embd"])
    writer.add_block_count(config["n_layer"])
    writer.add_feed_forward_length(config["n_inner"] or 4 * config["n_embd"])
    writer.add_head_count(config["n_head"])
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])
    modules = {"transformer.wte": "token_embd", "transformer.wpe": "position_embd", "transformer.ln_f": "output_norm",
               "transformer.h.*.ln_1": "blk.*.attn_norm", "transformer.h.*.attn.c_attn": "blk.*.attn_qkv",
               "transformer.h.*.attn.c_proj": "blk.*.attn_output", "transformer.h.*.ln_2": "blk.*.ffn_norm",
               "transformer.h.*.mlp.c_fc": "blk.*.ffn_up", "transformer.h.*.mlp.c_proj": "blk.*.ffn_down"}
    linear = re.compile(r"\.(c_attn|c_proj|c_fc)\.weight$")
    close_model(writer, {rename(n, modules): x.T if linear.search(n) else x for n, x in tensors.items()}, kind)


def interleave(x, heads):
    """Rows of each head from (half, index) to (index, half): llama.cpp rotates neighbours."""
    return x.reshape(heads, 2, -1, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def make_llama(name, arch, kind):
    writer, config, tensors = open_model(name, arch)
    rope = config.get("rope_parameters") or config
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads["q_proj"])
    writer.add_head_count_kv(heads["k_proj"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(rope["rope_theta"])
    size = config.get("head_dim") or config["hidden_size"] // heads["q_proj"]
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_rope_dimension_count(size)
    layer = "model.layers.*."
    modules = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
               layer + "input_layernorm": "blk.*.attn_norm", layer + "post_attention_layernorm": "blk.*.ffn_norm",
               **{f"{layer}self_attn.{x}_proj": f"blk.*.attn_{x}" for x in "qkv"},
               layer + "self_attn.o_proj": "blk.*.attn_output",
               **{f"{layer}mlp.{x}_proj": f"blk.*.ffn_{x}" for x in ("gate", "up", "down")}}
    out = {}
    for n, x in tensors.items():
        part = n.split(".")[-2]
        out[rename(n, modules)] = interleave(x, heads[part]) if arch == "llama" and part in heads else x
    close_model(writer, out, kind)


def main():
    (HERE / "gguf").mkdir(exist_ok=True)
    make_types()
    make_gpt2("gpt2-tiny", np.float16)
    make_llama("llama-tiny", "llama", np.float32)
    make_llama("llama-tiny-bias", "llama", np.float16)


if __name__ == "__main__":
    main()
