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
                                        prompts in both layers, gates 0.4 and -0.7, as hooks where
                                        PEFT has none (Qwen2, heads wider than d; elsewhere the hooks
                                        are checked against PEFT)
        virtual                         of prefix-*: [5, 2 layers * 2 * heads of keys and values *
                                        size of a head]: what PEFT's encoder gives
    p-tuning-lstm, p-tuning-mlp, adalora, adapter .safetensors   (of EVERY_METHOD) the same: PEFT's
                                        prompt encoders of 4 and 16; AdaLoRA of rank 4 without its
                                        penalty; make_updates.py's adapters of 6 behind o_proj and
                                        down_proj
    infix.safetensors                   (of EVERY_METHOD) infix.py's: P as in prefix-embedding
"""
import sys
import warnings
from pathlib import Path

import infix
import peft
import torch
import transformers
from peft import (AdaLoraConfig, AdaptionPromptConfig, LoraConfig, PrefixTuningConfig,
                  PromptEncoderConfig, PromptTuningConfig, get_peft_model)
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

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


EVERY_METHOD = ("llama-tiny", "qwen2-tiny", "mistral-tiny", "yarn-tiny")


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
    if folder in EVERY_METHOD:
        methods["p-tuning-lstm"] = PromptEncoderConfig(
            encoder_reparameterization_type="LSTM", encoder_hidden_size=4, encoder_dropout=0.0,
            encoder_num_layers=2, **common)
        methods["p-tuning-mlp"] = PromptEncoderConfig(
            encoder_reparameterization_type="MLP", encoder_hidden_size=16, **common)
    for name, config in methods.items():
        torch.manual_seed(3)
        model = get_peft_model(load_model(folder), config).eval()
        encoder = model.prompt_encoder["default"].float().double()
        virtual = encoder(torch.arange(VIRTUAL)[None])[0]
        record(folder, name, model, batch, lambda n: n.split("default.")[-1], {"virtual": virtual})


def record_shaken(folder, name, model, batch):
    """At values at which every gradient is there."""
    torch.manual_seed(5)
    with torch.no_grad():
        for p in model.parameters():
            if p.requires_grad:
                p.copy_((torch.randn_like(p) * 0.1).float().double())
    record(folder, name, model, batch,
           lambda n: n.replace("base_model.model.", "").replace(".default", ""))


def make_lora(folder, batch):
    config = LoraConfig(task_type="CAUSAL_LM", r=3, lora_alpha=16)
    model = get_peft_model(load_model(folder), config).double().eval()
    record_shaken(folder, "lora", model, batch)


def make_adalora(folder, batch):
    config = AdaLoraConfig(task_type="CAUSAL_LM", init_r=4, target_r=2, lora_alpha=8, total_step=10,
                           target_modules=["q_proj", "v_proj"])
    model = get_peft_model(load_model(folder), config).double().eval()
    for name, p in model.named_parameters():
        if "ranknum" in name:  # a constant; get_peft_model lets it train by mistake
            p.requires_grad = False
    record_shaken(folder, "adalora", model, batch)


class Adapted(torch.nn.Module):
    """h + up(gelu(down(h))) behind a linear map."""

    def __init__(self, inner, width, size):
        super().__init__()
        self.inner = inner
        self.adapter = torch.nn.ModuleDict({"down": torch.nn.Linear(width, size),
                                            "up": torch.nn.Linear(size, width)})

    def forward(self, x):
        h = self.inner(x)
        down = torch.nn.functional.gelu(self.adapter["down"](h), approximate="tanh")
        return h + self.adapter["up"](down)


def make_adapter(folder, batch):
    model = load_model(folder).requires_grad_(False)
    width = model.config.hidden_size
    for layer in model.model.layers:
        layer.self_attn.o_proj = Adapted(layer.self_attn.o_proj, width, 6).double()
        layer.mlp.down_proj = Adapted(layer.mlp.down_proj, width, 6).double()
    record_shaken(folder, "adapter", model, batch)


def random_adaption(model):
    """Adaption prompts and gates of every layer, by softprompt's names."""
    torch.manual_seed(6)
    out = {}
    for i, gate in enumerate((0.4, -0.7)):
        out[f"{i}.adaption_prompt"] = torch.randn(1, VIRTUAL, model.config.hidden_size)[0].double()
        out[f"{i}.adaption_gate"] = torch.tensor([gate]).double()
    return out


def make_adaption_prompt(folder, batch):
    model = load_model(folder)
    parameters = random_adaption(model)
    if is_known_to_peft(model.config):
        model = adapted_by_peft(model, parameters)
        ours, _ = run(adapted(load_model(folder), parameters), *batch)
        difference = (run(model, *batch)[0] - ours).abs().max()
        assert difference < 1e-5, difference  # PEFT takes this softmax in float32
    else:
        parameters = {n: torch.nn.Parameter(p) for n, p in parameters.items()}
        model = adapted(model.requires_grad_(False), parameters)
        model.adaption = torch.nn.ParameterList(parameters.values())
    names = {id(p): n for n, p in parameters.items()}
    known = dict(model.named_parameters())
    record(folder, "adaption-prompt", model, batch,
           lambda n: names.get(id(known[n])) or f"{n.split('.layers.')[1][0]}.{n.split('.')[-1]}")


def is_known_to_peft(config):
    """PEFT needs heads that fill the hidden size, and it has no adaption prompts for Qwen2."""
    heads = (config.head_dim or 0) * config.num_attention_heads if hasattr(config, "head_dim") else 0
    return heads == config.hidden_size


def adapted_by_peft(model, parameters):
    config = AdaptionPromptConfig(adapter_len=VIRTUAL, adapter_layers=LAYERS, task_type="CAUSAL_LM")
    model = get_peft_model(model, config).double().eval()
    with torch.no_grad():
        for n, p in model.named_parameters():
            if p.requires_grad:
                p.copy_(parameters[f"{n.split('.layers.')[1][0]}.{n.split('.')[-1]}"])
    return model


def adapted(model, parameters):
    """LLaMA-Adapter's equation as hooks around each attention: rotated queries, keys and values of
    the prompt without rotation, the gated sum before o_proj."""
    for i, layer in enumerate(model.model.layers):
        adapt(layer.self_attn, parameters[f"{i}.adaption_prompt"], parameters[f"{i}.adaption_gate"])
    return model


def adapt(attention, prompt, gate):
    size, kept = attention.head_dim, {}

    def split(x):
        return x.view(*x.shape[:-1], -1, size).transpose(-3, -2)

    def keep_rotation(_module, _args, more):
        kept["rotation"] = more["position_embeddings"]

    def keep_query(_module, _args, out):
        kept["q"] = split(out)

    def add_prompt(_module, args):
        q, _ = apply_rotary_pos_emb(kept["q"], kept["q"], *kept["rotation"])
        shared = q.shape[1] // (attention.k_proj.out_features // size)
        k, v = (split(m(prompt)).repeat_interleave(shared, 0)
                for m in (attention.k_proj, attention.v_proj))
        p = (q @ k.transpose(-1, -2) / size**0.5).softmax(-1)
        return args[0] + gate * (p @ v).transpose(-3, -2).flatten(-2)

    attention.register_forward_pre_hook(keep_rotation, with_kwargs=True)
    attention.q_proj.register_forward_hook(keep_query)
    attention.o_proj.register_forward_pre_hook(add_prompt)


def make_infix(folder):
    model = AutoModelForCausalLM.from_pretrained(HERE / folder, dtype=torch.float32,
                                                 attn_implementation="eager").double().eval()
    sequences, targets, first = infix.read_targets(
        load_file(HERE / "gpt2-tiny" / "batch.safetensors"))
    config = model.config
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    torch.manual_seed(5)
    p = torch.randn(VIRTUAL, LAYERS * 2 * config.num_key_value_heads * size)
    p = torch.nn.Parameter(p.float().double())
    logits = torch.cat([infix.logits(model, p, s, f) for s, f in zip(sequences, first)])
    loss = torch.nn.functional.cross_entropy(logits, targets, ignore_index=-1)
    loss.backward()
    save(folder, "infix", {"logits": logits, "loss": loss[None], "parameter.embedding.weight": p,
                           "gradient.embedding.weight": p.grad})
    print(f"{folder} infix: loss {loss.item():.4f}")


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
        if folder in EVERY_METHOD:
            make_adalora(folder, batch)
            make_adapter(folder, batch)
            make_infix(folder)
        make_adaption_prompt(folder, batch)
    print(VERSIONS)


if __name__ == "__main__":
    main()
