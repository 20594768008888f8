"""Small adapters that PEFT saved, on the models and the batch of make_gpt2.py and make_llama.py.

peft/CASE/adapter_config.json, adapter_model.safetensors
    as save_pretrained writes them; base_model_name_or_path is the model's folder here
peft/CASE/logits.safetensors
    logits [3, 97]      of the last token of each sequence, run alone in float64; for SEQ_CLS
                        class logits [3, 3]
"""
import json
import warnings
from pathlib import Path

import peft
import torch
import transformers
from peft import (AdaLoraConfig, AdaptionPromptConfig, LoraConfig, PrefixTuningConfig,
                  PromptEncoderConfig, PromptTuningConfig, get_peft_model)
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
LM, CLS = {"task_type": "CAUSAL_LM"}, {"task_type": "SEQ_CLS"}
CASES = {
    "gpt2-prefix": PrefixTuningConfig(num_virtual_tokens=3, prefix_projection=True,
                                      encoder_hidden_size=8, **LM),
    "gpt2-prompt": PromptTuningConfig(num_virtual_tokens=3, **LM),
    "gpt2-p-tuning": PromptEncoderConfig(num_virtual_tokens=3, encoder_hidden_size=8,
                                         encoder_num_layers=2,
                                         encoder_reparameterization_type="LSTM", **LM),
    "gpt2-lora-patterns": LoraConfig(
        r=2, lora_alpha=5, target_modules=["c_attn", "mlp.c_proj"],
        rank_pattern={"h.0.attn.c_attn": 3, r".*\.1\.mlp.*": 1},
        alpha_pattern={r"h\.1\.mlp\.c_proj": 7}, **LM),
    "gpt2-lora-regex": LoraConfig(r=2, target_modules=r".*\.1\.attn\.c_(attn|proj)",
                                  use_rslora=True, **LM),
    "gpt2-adalora": AdaLoraConfig(init_r=3, target_r=2, lora_alpha=6, total_step=10,
                                  target_modules=["c_attn"], **LM),
    "gpt2-lora-class": LoraConfig(r=1, target_modules=["c_attn"], **CLS),
    "llama-prefix": PrefixTuningConfig(num_virtual_tokens=3, **LM),
    "llama-lora": LoraConfig(r=1, target_modules="all-linear", **LM),
    "llama-adaption-prompt": AdaptionPromptConfig(adapter_len=3, adapter_layers=1, **LM),
    "llama-prompt-class": PromptTuningConfig(num_virtual_tokens=3, **CLS),
}


def open_base(folder, task):
    if task == "CAUSAL_LM":
        return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=3, pad_token_id=0, dtype=torch.float32)


def shake(model):
    """Random values of a size that changes what the model says."""
    torch.manual_seed(7)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad and "ranknum" not in name:
                p.copy_((torch.randn(p.shape) * 0.3).to(p))


def drop_ranks(model):
    """The end of AdaLoRA's allocation: 2 of 3 singular values stay in one matrix, 1 in the next."""
    pattern = {}
    with torch.no_grad():
        for i, (name, p) in enumerate((n, p) for n, p in model.base_model.model.named_parameters()
                                      if ".lora_E." in n):
            pattern[name] = [k != i and (i == 0 or k == 0) for k in range(3)]
            p *= torch.tensor(pattern[name])[:, None]
    model.peft_config["default"].rank_pattern = pattern


def read_sequences():
    batch = load_file(HERE / "gpt2-tiny" / "batch.safetensors")
    offsets, tokens = batch["offsets"].long().tolist(), batch["tokens"].long()
    return [tokens[a:b] for a, b in zip(offsets, offsets[1:])]


@torch.no_grad()
def last_logits(model, sequences):
    model = model.double().eval()
    rows = [model(input_ids=s[None]).logits[0] for s in sequences]
    return torch.stack([r[-1] if r.dim() == 2 else r for r in rows])


def save(name, config, sequences):
    base = HERE / ("gpt2-tiny" if name.startswith("gpt2") else "llama-tiny")
    model = get_peft_model(open_base(base, config.task_type), config)
    shake(model)
    if name == "gpt2-adalora":
        drop_ranks(model)
    folder = HERE / "peft" / name
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    path = folder / "adapter_config.json"
    saved = json.loads(path.read_text()) | {"base_model_name_or_path": base.name}
    for key in ("target_modules", "modules_to_save"):  # sets: their order differs from run to run
        if isinstance(saved.get(key), list):
            saved[key] = sorted(set(saved[key]))
    path.write_text(json.dumps(saved, indent=2, sort_keys=True) + "\n")
    save_file({"logits": last_logits(model, sequences).float().contiguous()},
              folder / "logits.safetensors")
    for file in folder.iterdir():
        file.chmod(0o644)
    print(name, sorted(load_file(folder / "adapter_model.safetensors")))


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    warnings.filterwarnings("ignore")
    sequences = read_sequences()
    for name, config in CASES.items():
        save(name, config, sequences)
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, "
          f"peft {peft.__version__}")


main()
