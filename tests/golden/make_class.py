"""Golden vectors of classification with the tiny GPT-2: class logits, loss, gradients.

gpt2-tiny/class.safetensors, float32 values of float64 computations on batch.safetensors, whose three
sequences have the labels in `labels`:
  linear.*      transformers' GPT2ForSequenceClassification, its `score` given a bias:
                weight [3, 32], bias [3], logits [3, 3], loss [1]
  verbalizer.*  the LM head's logits of the label words after the last token, words of a label
                combined by log-sum-exp: words [5], label_of [5], logits [3, 3], loss [1]
and of both gradient.NAME for the weights below (and score.weight, score.bias).
"""
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import GPT2ForSequenceClassification, GPT2LMHeadModel

FOLDER = Path(__file__).parent / "gpt2-tiny"
LABELS = torch.tensor([2, 0, 1])
WORDS, LABEL_OF = torch.tensor([5, 9, 40, 17, 90]), torch.tensor([0, 0, 1, 2, 2])
WEIGHTS = ["wte.weight", "h.0.attn.c_attn.weight", "h.1.mlp.c_proj.bias", "ln_f.weight"]


def gradients(model, prefix):
    """prefix.gradient.NAME of the chosen weights."""
    params = dict(model.named_parameters())
    out = {f"{prefix}.gradient.transformer.{n}": params[f"transformer.{n}"].grad for n in WEIGHTS}
    return out | {f"{prefix}.gradient.{n}": p.grad for n, p in params.items() if "score" in n}


def linear(sequences):
    torch.manual_seed(5)
    model = GPT2ForSequenceClassification.from_pretrained(FOLDER, num_labels=len(LABELS),
                                                          dtype=torch.float32)
    model.score = torch.nn.Linear(32, len(LABELS))
    model = model.double().eval()
    logits = torch.cat([model(input_ids=s[None]).logits for s in sequences])
    loss = torch.nn.functional.cross_entropy(logits, LABELS)
    loss.backward()
    return {"linear.weight": model.score.weight, "linear.bias": model.score.bias,
            "linear.logits": logits, "linear.loss": loss[None]} | gradients(model, "linear")


def verbalizer(sequences):
    model = GPT2LMHeadModel.from_pretrained(FOLDER, dtype=torch.float32).double().eval()
    words = torch.stack([model(input_ids=s[None]).logits[0, -1, WORDS] for s in sequences])
    logits = torch.stack([words[:, LABEL_OF == k].logsumexp(1) for k in range(len(LABELS))], 1)
    loss = torch.nn.functional.cross_entropy(logits, LABELS)
    loss.backward()
    return {"verbalizer.words": WORDS, "verbalizer.label_of": LABEL_OF,
            "verbalizer.logits": logits, "verbalizer.loss": loss[None]} | gradients(model, "verbalizer")


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    batch = load_file(FOLDER / "batch.safetensors")
    offsets = batch["offsets"].long().tolist()
    tokens = batch["tokens"].long()
    sequences = [tokens[a:b] for a, b in zip(offsets, offsets[1:])]
    out = {"labels": LABELS} | linear(sequences) | verbalizer(sequences)
    out = {k: v.detach().float().contiguous().clone() for k, v in out.items()}
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    save_file(out, FOLDER / "class.safetensors", metadata={"versions": versions})
    (FOLDER / "class.safetensors").chmod(0o644)
    print({k: v.tolist() for k, v in out.items() if v.numel() < 10})


main()
