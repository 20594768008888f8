"""Golden vectors of heads on words: transformers' GPT2ForTokenClassification,
BertForTokenClassification and their like.

MODEL/tags.safetensors of MODELS, float32 values of float64 computations on the sequences of
gpt2-tiny/batch.safetensors, each run alone:
  labels [26]             of every token; -100: no first token of a word, which the loss leaves out
  weight [4, d], bias [4] of the classifier
  logits [words, 4]       of the first tokens; loss [1], their mean
  gradient.NAME           for the weights below, score.weight and score.bias
"""
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForTokenClassification

HERE = Path(__file__).parent
TAGS = 4
LLAMA = ["model.layers.0.self_attn.q_proj.weight", "model.layers.1.mlp.down_proj.weight",
         "model.norm.weight"]
MODELS = {
    "gpt2-tiny": [f"transformer.{n}" for n in
                  ("wte.weight", "h.0.attn.c_attn.weight", "h.1.mlp.c_proj.bias", "ln_f.weight")],
    "bert-tiny": [f"bert.{n}" for n in
                  ("embeddings.word_embeddings.weight", "embeddings.LayerNorm.bias",
                   "encoder.layer.0.attention.self.query.weight",
                   "encoder.layer.1.output.dense.weight")],
    "roberta-tiny": [f"roberta.{n}" for n in
                     ("embeddings.LayerNorm.bias", "encoder.layer.0.attention.self.query.weight",
                      "encoder.layer.1.output.dense.weight")],
    "llama-tiny": LLAMA, "llama-tiny-bias": LLAMA, "qwen2-tiny": LLAMA, "mistral-tiny": LLAMA,
    "yarn-tiny": LLAMA,
}


def make(folder, weights, sequences):
    torch.manual_seed(11)
    model = AutoModelForTokenClassification.from_pretrained(HERE / folder, num_labels=TAGS,
                                                            dtype=torch.float32)
    head = torch.nn.Linear(model.config.hidden_size, TAGS)
    setattr(model, "score" if hasattr(model, "score") else "classifier", head)
    model = model.double().eval()
    labels = torch.randint(0, TAGS, (sum(len(s) for s in sequences),))
    labels[1::3] = -100
    logits = torch.cat([model(input_ids=s[None]).logits[0] for s in sequences])
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    params = dict(model.named_parameters())
    out = {"labels": labels, "weight": head.weight, "bias": head.bias,
           "logits": logits[labels >= 0], "loss": loss[None],
           "gradient.score.weight": head.weight.grad,
           "gradient.score.bias": head.bias.grad}
    out |= {f"gradient.{n}": params[n].grad for n in weights}
    out = {k: v.detach().float().contiguous().clone() for k, v in out.items()}
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    path = HERE / folder / "tags.safetensors"
    save_file(out, path, metadata={"versions": versions})
    path.chmod(0o644)
    print(path, {k: v.tolist() for k, v in out.items() if v.numel() < 5})


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    batch = load_file(HERE / "gpt2-tiny" / "batch.safetensors")
    offsets = batch["offsets"].long().tolist()
    tokens = batch["tokens"].long()
    sequences = [tokens[a:b] for a, b in zip(offsets, offsets[1:])]
    for folder, weights in MODELS.items():
        make(folder, weights, sequences)


main()
