"""PEFT's side of `make bench-peft` (bench_peft.py starts it).

peft_worker.py make SHAPE FOLDER SEED PREFIX HIDDEN   writes config.json, model.safetensors and
                                                      init.safetensors with random weights (fp32)
peft_worker.py measure FOLDER WORKLOAD PRECISION      does the work of the file, prints one JSON
                                                      object with the keys of `softprompt bench
                                                      --workload`
"""
import json
import os
import sys
import time

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

SHAPES = {
    "gpt2-17m": lambda: transformers.GPT2Config(
        vocab_size=8192, n_positions=512, n_embd=384, n_layer=8, n_head=6, attn_pdrop=0.0,
        embd_pdrop=0.0, resid_pdrop=0.0, bos_token_id=0, eos_token_id=0),
    "llama-135m": lambda: transformers.LlamaConfig(  # SmolLM2-135M
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
        num_attention_heads=9, num_key_value_heads=3, max_position_embeddings=2048,
        tie_word_embeddings=True, bos_token_id=0, eos_token_id=0, pad_token_id=0),
}
IGNORED = -100  # label of a token that is not scored


def peak_rss():
    """Largest resident set of this process image so far, in bytes."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    raise SystemExit("/proc/self/status has no VmHWM")


def with_prefix(model, prefix, hidden):
    config = peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=prefix,
                                     prefix_projection=True, encoder_hidden_size=hidden)
    return peft.get_peft_model(model, config)


def encoder(model):
    return model.prompt_encoder["default"]


def make(shape, folder, seed, prefix, hidden):
    torch.manual_seed(int(seed))
    model = transformers.AutoModelForCausalLM.from_config(SHAPES[shape]())
    model.save_pretrained(folder)
    model = with_prefix(model, int(prefix), int(hidden))
    save_file({name: value.contiguous() for name, value in encoder(model).state_dict().items()},
              os.path.join(folder, "init.safetensors"))


def training_batch(sequences):
    """Padded on the right; the second half of each sequence is scored."""
    longest = max(map(len, sequences))
    ids = torch.zeros(len(sequences), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for row, sequence in enumerate(sequences):
        length = len(sequence)
        ids[row, :length] = torch.tensor(sequence)
        mask[row, :length] = 1
        labels[row, length // 2:length] = ids[row, length // 2:length]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def train(model, work, result):
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=work["lr"], weight_decay=0.0)
    for name in ("losses", "train_seconds", "train_tokens"):
        result[name] = []
    for sequences in work["batches"]:
        started = time.monotonic()
        loss = model(**training_batch(sequences)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        result["train_seconds"].append(time.monotonic() - started)
        result["losses"].append(loss.item())
        result["train_tokens"].append(sum(map(len, sequences)))


@torch.no_grad()
def generate(model, work, name, beams, result):
    """Twice; the first warms up."""
    inputs = work["inputs"]
    longest = max(map(len, inputs))
    ids = torch.zeros(len(inputs), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, sequence in enumerate(inputs):
        ids[row, longest - len(sequence):] = torch.tensor(sequence)
        mask[row, longest - len(sequence):] = 1
    for _ in range(2):
        started = time.monotonic()
        out = model.generate(input_ids=ids, attention_mask=mask, do_sample=False, num_beams=beams,
                             min_new_tokens=work["tokens"], max_new_tokens=work["tokens"])
        result[name + "_seconds"] = time.monotonic() - started
    result[name + "_ids"] = out[:, longest:].tolist()


def measure(folder, workload, precision):
    with open(workload) as file:
        work = json.load(file)
    torch.set_num_threads(work["threads"])
    result = {}
    started = time.monotonic()
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=kind)
    model.generation_config.eos_token_id = None  # nothing ends before all tokens are there
    model.generation_config.pad_token_id = 0
    model = with_prefix(model, work["prefix"], work["hidden"])
    result["load_seconds"] = time.monotonic() - started
    result["load_rss"] = peak_rss()
    first = load_file(os.path.join(folder, "init.safetensors"))
    encoder(model).load_state_dict(first)
    model.train()
    train(model, work, result)
    result["train_rss"] = peak_rss()
    encoder(model).load_state_dict(first)
    model.eval()
    generate(model, work, "greedy", 1, result)
    generate(model, work, "beam", work["beam"], result)
    result["generate_rss"] = peak_rss()
    result["versions"] = "PyTorch %s (%s), transformers %s, PEFT %s" % (
        torch.__version__, torch.backends.cpu.get_cpu_capability(), transformers.__version__,
        peft.__version__)
    result["threads"] = torch.get_num_threads()
    print(json.dumps(result))


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    {"make": make, "measure": measure}[sys.argv[1]](*sys.argv[2:])
