"""Logits of the committed ladder models from transformers, for tests/model/test_ladder.c.

Run by hand in an environment with torch, transformers and safetensors, from the project's root:
    python tests/golden/make_ladder.py
Writes tests/golden/ladder.safetensors: per model NAME, `NAME.tokens` [n] (ids of TEXT, as floats) and
`NAME.logits` [vocabulary], float32, after the last token, computed in float64.
"""

import torch
import transformers
from safetensors.torch import save_file

TEXT = " : poodle | kind of | dog | poodle | has part | tail\nA poodle is a kind of"
tensors = {}
for name in ("gpt2-1m", "gpt2-4m", "gpt2-12m"):
    folder = f"models/{name}"
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=f"{folder}/tokenizer.json")
    model = transformers.GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32).double().eval()
    ids = torch.tensor([tokenizer(TEXT)["input_ids"]])
    with torch.no_grad():
        logits = model(ids).logits[0, -1]
    tensors[f"{name}.tokens"] = ids[0].float()
    tensors[f"{name}.logits"] = logits.float()
    print(name, ids.shape[1], repr(tokenizer.decode(logits.argmax())))
versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
save_file(tensors, "tests/golden/ladder.safetensors", metadata={"versions": versions})
