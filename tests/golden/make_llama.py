#!/usr/bin/env python3
"""Golden vectors of tiny random models of Llama's type, on the batch of make_gpt2.py.

    python tests/golden/make_llama.py [FOLDER ...]

Computed in float64 from float32 weights (RMSNorm and the rotations are float32 in transformers) and
stored as float32. Metadata key "versions" of each file names the packages.

llama-tiny        2 layers, d 32, 4 heads of 8 and 2 of keys and values, inner size 48, vocabulary 97,
                  64 positions, rope_theta 10000, tied head, no biases
llama-tiny-bias   the same with 4 heads of 12 and 1 of keys and values, rope_theta 500, a head of its
                  own, biases in attention and MLP
qwen2-tiny        2 layers, d 16, 2 heads of 8 and 1 of keys and values, inner size 24, tied head, biases of
                  q, k and v; a window of 4 in the second layer only
mistral-tiny      the same with d 32, heads of 16, inner size 16, a head of its own, a window of 4
llama3-tiny, linear-tiny, yarn-tiny
                  Llamas of qwen2-tiny's sizes with scaled rotary positions
    config.json, model.safetensors  weights N(0, 0.2), biases N(0, 0.1), norms 1 + N(0, 0.1)
    finetune.safetensors            logits [26, 97], loss [1], gradient.NAME of every parameter
    prefix-mlp, prefix-embedding, prompt, lora, adaption-prompt .safetensors, from PEFT
        logits [26, 97], loss [1]       of the real tokens, each sequence run alone
        parameter.NAME, gradient.NAME   PEFT's names; 5 virtual tokens, MLP of 16, LoRA of rank 3 and
                                        alpha 16 on q_proj and v_proj with B not zero; adaption
                                        prompts in both layers, gates 0.4 and -0.7 (where PEFT has
                                        them: not for Qwen2, nor where the heads are wider than d)
        virtual                         of prefix-*: [5, 2 layers * 2 * heads of keys and values *
                                        size of a head]: what PEFT's encoder gives
"""
import sys
import warnings
from pathlib import Path

import peft
import torch
import transformers
from peft import (AdaptionPromptConfig, LoraConfig, PrefixTuningConfig, PromptTuningConfig,
                  get_peft_model)
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config

HERE = Path(__file__).parent
VERSIONS = (f"torch {torch.__version__}, transformers {transformers.__version__}, "
            f"peft {peft.__version__}")
VIRTUAL, LAYERS = 5, 2
COMMON = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=LAYERS, num_attention_heads=4,
              vocab_size=97, max_position_embeddings=64, bos_token_id=0, eos_token_id=0,
              rms_norm_eps=1e-5)
SMALL = {**COMMON, "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2,
         "num_key_value_heads": 1}


def scaled(rope_type, **parameters):
    if rope_type != "linear":
        parameters["original_max_position_embeddings"] = 16
    return LlamaConfig(tie_word_embeddings=True, **SMALL, rope_parameters={
        "rope_type": rope_type, "rope_theta": 100.0, **parameters})


MODELS = {
    "llama-tiny": LlamaConfig(num_key_value_heads=2, tie_word_embeddings=True, **COMMON),
    "llama-tiny-bias": LlamaConfig(
        num_key_value_heads=1, head_dim=12, tie_word_embeddings=False, attention_bias=True,
        mlp_bias=True, rope_parameters={"rope_type": "default", "rope_theta": 500.0}, **COMMON),
    "qwen2-tiny": Qwen2Config(
        use_sliding_window=True, sliding_window=4, max_window_layers=1, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6}, **SMALL),
    "mistral-tiny": MistralConfig(
        sliding_window=4, tie_word_embeddings=False,
        **{**SMALL, "hidden_size": 32, "intermediate_size": 16}),
    "llama3-tiny": scaled(rope_type="llama3", factor=8.0, low_freq_factor=0.5, high_freq_factor=2.0),
    "linear-tiny": scaled(rope_type="linear", factor=2.5),
    "yarn-tiny": scaled(rope_type="yarn", factor=4.0, beta_fast=2.0, beta_slow=0.1),
}


def save(folder, name, tensors):
    tensors = {k: v.detach().float().contiguous().clone() for k, v in tensors.items()}
    save_file(tensors, HERE / folder / f"{name}.safetensors", metadata={"versions": VERSIONS})


def make_model(folder, config):
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 2:
                p.normal_(0, 0.2)
            else:
                p.normal_(0, 0.1)
                if name.endswith("norm.weight"):
                    p += 1
    model.save_pretrained(HERE / folder)
    (HERE / folder / "generation_config.json").unlink(missing_ok=True)


def load_model(folder):
    model = AutoModelForCausalLM.from_pretrained(HERE / folder, dtype=torch.float32)
    return model.double().eval()


def load_batch():
    batch = load_file(HERE / "gpt2-tiny" / "batch.safetensors")
    offsets = batch["offsets"].long().tolist()
    tokens = batch["tokens"].long()
    return [tokens[a:b] for a, b in zip(offsets, offsets[1:])], batch["targets"].long()


def run(model, sequences, targets):
    """Logits of the real tokens and the batch's loss, each sequence run alone."""
    logits = torch.cat([model(input_ids=s[None]).logits[0, -len(s):] for s in sequences])
    return logits, torch.nn.functional.cross_entropy(logits, targets, ignore_index=-1)


def make_finetune(folder, batch):
    model = load_model(folder)
    logits, loss = run(model, *batch)
    loss.backward()
    gradients = {f"gradient.{n}": p.grad for n, p in model.named_parameters()}
    save(folder, "finetune", {"logits": logits, "loss": loss[None], **gradients})
    print(f"{folder}: loss {loss.item():.4f}, {sum(p.numel() for p in model.parameters())} weights")


def record(folder, name, model, batch, short, more=None):
    logits, loss = run(model, *batch)
    loss.backward()
    out = {"logits": logits, "loss": loss[None], **(more or {})}
    for n, p in model.named_parameters():
        if p.requires_grad:
            shape = p.shape[-2:]  # PEFT's adaption prompts are [1, 5, 32]
            out[f"parameter.{short(n)}"] = p.view(shape)
            out[f"gradient.{short(n)}"] = p.grad.view(shape)
    save(folder, name, out)
    print(f"{folder} {name}: loss {loss.item():.4f}", sorted(k for k in out if "param" in k))


def make_prompts(folder, batch):
    common = {"task_type": "CAUSAL_LM", "num_virtual_tokens": VIRTUAL}
    methods = {
        "prefix-mlp": PrefixTuningConfig(prefix_projection=True, encoder_hidden_size=16, **common),
        "prefix-embedding": PrefixTuningConfig(prefix_projection=False, **common),
        "prompt": PromptTuningConfig(prompt_tuning_init="RANDOM", **common),
    }
    for name, config in methods.items():
        torch.manual_seed(3)
        model = get_peft_model(load_model(folder), config).eval()
        encoder = model.prompt_encoder["default"].float().double()
        virtual = encoder(torch.arange(VIRTUAL)[None])[0]
        record(folder, name, model, batch, lambda n: n.split("default.")[-1], {"virtual": virtual})


def make_lora(folder, batch):
    config = LoraConfig(task_type="CAUSAL_LM", r=3, lora_alpha=16)
    model = get_peft_model(load_model(folder), config).double().eval()
    torch.manual_seed(5)
    with torch.no_grad():
        for p in model.parameters():
            if p.requires_grad:
                p.copy_((torch.randn_like(p) * 0.1).float().double())
    record(folder, "lora", model, batch,
           lambda n: n.replace("base_model.model.", "").replace(".default", ""))


def make_adaption_prompt(folder, batch):
    config = AdaptionPromptConfig(adapter_len=VIRTUAL, adapter_layers=LAYERS, task_type="CAUSAL_LM")
    model = get_peft_model(load_model(folder), config).double().eval()
    torch.manual_seed(6)
    gates = iter((0.4, -0.7))
    with torch.no_grad():
        for n, p in model.named_parameters():
            if n.endswith("adaption_gate"):
                p.fill_(next(gates)).copy_(p.float().double())
            elif p.requires_grad:
                p.copy_(torch.randn_like(p)[0].float().double()[None])
    record(folder, "adaption-prompt", model, batch,
           lambda n: f"{n.split('.layers.')[1][0]}.{n.split('.')[-1]}")


def main():
    warnings.simplefilter("ignore")
    batch = load_batch()
    for folder, config in MODELS.items():
        if sys.argv[1:] and folder not in sys.argv[1:]:
            continue
        make_model(folder, config)
        make_finetune(folder, batch)
        make_prompts(folder, batch)
        make_lora(folder, batch)
        heads = getattr(config, "head_dim", 0) * config.num_attention_heads
        if heads == config.hidden_size:  # PEFT needs that, and it knows no Qwen2
            make_adaption_prompt(folder, batch)
    print(VERSIONS)


if __name__ == "__main__":
    main()
