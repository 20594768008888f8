"""Golden vectors of classification with decoders: class logits, loss, gradients.

MODEL/class.safetensors of MODELS, float32 values of float64 computations on the sequences of
gpt2-tiny/batch.safetensors, which have the labels in `labels`:
  linear.*      transformers' GPT2ForSequenceClassification and its like, `score` given a bias:
                weight [3, d], bias [3], logits [3, 3], loss [1]
  verbalizer.*  the LM head's logits of the label words after the last token, words of a label
                combined by log-sum-exp: words [5], label_of [5], logits [3, 3], loss [1]
and of both gradient.NAME for the weights below (and score.weight, score.bias).
"""
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

HERE = Path(__file__).parent
LABELS = torch.tensor([2, 0, 1])
WORDS, LABEL_OF = torch.tensor([5, 9, 40, 17, 90]), torch.tensor([0, 0, 1, 2, 2])
GPT2 = [f"transformer.{n}" for n in
        ("wte.weight", "h.0.attn.c_attn.weight", "h.1.mlp.c_proj.bias", "ln_f.weight")]
LLAMA = ["model.layers.0.self_attn.q_proj.weight", "model.layers.1.mlp.down_proj.weight",
         "model.norm.weight"]
TIED, OWN = ["model.embed_tokens.weight"], ["lm_head.weight"]
# The weights whose gradients are kept, and those of a verbalizer besides: what the head reads.
MODELS = {"gpt2-tiny": (GPT2, []), "llama-tiny": (LLAMA, TIED), "llama-tiny-bias": (LLAMA, OWN),
          "qwen2-tiny": (LLAMA, TIED), "mistral-tiny": (LLAMA, OWN), "yarn-tiny": (LLAMA, TIED)}


def gradients(model, prefix, weights):
    """prefix.gradient.NAME of the chosen weights."""
    params = dict(model.named_parameters())
    out = {f"{prefix}.gradient.{n}": params[n].grad for n in weights}
    return out | {f"{prefix}.gradient.{n}": p.grad for n, p in params.items() if "score" in n}


def linear(folder, weights, sequences):
    torch.manual_seed(5)
    model = AutoModelForSequenceClassification.from_pretrained(
        HERE / folder, num_labels=len(LABELS), dtype=torch.float32)
    model.score = torch.nn.Linear(model.config.hidden_size, len(LABELS))
    model = model.double().eval()
    logits = torch.cat([model(input_ids=s[None]).logits for s in sequences])
    loss = torch.nn.functional.cross_entropy(logits, LABELS)
    loss.backward()
    return {"linear.weight": model.score.weight, "linear.bias": model.score.bias,
            "linear.logits": logits, "linear.loss": loss[None]
            } | gradients(model, "linear", weights)


def verbalizer(folder, weights, sequences):
    model = AutoModelForCausalLM.from_pretrained(HERE / folder, dtype=torch.float32)
    model = model.double().eval()
    words = torch.stack([model(input_ids=s[None]).logits[0, -1, WORDS] for s in sequences])
    logits = torch.stack([words[:, LABEL_OF == k].logsumexp(1) for k in range(len(LABELS))], 1)
    loss = torch.nn.functional.cross_entropy(logits, LABELS)
    loss.backward()
    return {"verbalizer.words": WORDS, "verbalizer.label_of": LABEL_OF,
            "verbalizer.logits": logits, "verbalizer.loss": loss[None]
            } | gradients(model, "verbalizer", weights)


def make(folder, weights, head, sequences):
    out = {"labels": LABELS} | linear(folder, weights, sequences)
    out |= verbalizer(folder, weights + head, sequences)
    out = {k: v.detach().float().contiguous().clone() for k, v in out.items()}
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    path = HERE / folder / "class.safetensors"
    save_file(out, path, metadata={"versions": versions})
    path.chmod(0o644)
    print(folder, {k: v.tolist() for k, v in out.items() if v.numel() < 10})


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    batch = load_file(HERE / "gpt2-tiny" / "batch.safetensors")
    offsets = batch["offsets"].long().tolist()
    tokens = batch["tokens"].long()
    sequences = [tokens[a:b] for a, b in zip(offsets, offsets[1:])]
    for folder, (weights, head) in MODELS.items():
        make(folder, weights, head, sequences)


main()
