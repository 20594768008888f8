"""cost.tsv: operations of inference as PyTorch's FlopCounterMode counts them, and PSCP by NumPy.

token/MODEL          one token behind 20 cached ones
token-lora/MODEL     the same with PEFT's LoRA of rank 3 beside the first linear map of each block
pscp/...             the numbers of tests/report/test_cost.c
"""
from pathlib import Path

import numpy
import peft
import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode

FOLDER = Path(__file__).parent
CACHED, RANK = 20, 3
FIRST = {"gpt2-tiny": "c_attn", "llama-tiny": "q_proj"}


def load(name):
    return transformers.AutoModelForCausalLM.from_pretrained(
        FOLDER / name, attn_implementation="eager").eval()


def count(model):
    with torch.no_grad():
        cache = model(torch.ones(1, CACHED, dtype=torch.long), use_cache=True).past_key_values
        with FlopCounterMode(display=False) as counter:
            model(torch.ones(1, 1, dtype=torch.long), past_key_values=cache)
    return counter.get_total_flops()


lines = [f"# torch {torch.__version__}, transformers {transformers.__version__}, "
         f"peft {peft.__version__}, numpy {numpy.__version__}"]
for name, target in FIRST.items():
    config = peft.LoraConfig(r=RANK, target_modules=[target], task_type="CAUSAL_LM")
    lines.append(f"token/{name}\t{count(load(name))}")
    lines.append(f"token-lora/{name}\t{count(peft.get_peft_model(load(name), config))}")

costs = numpy.array([1000.0, 3e5, 2.5e8])
penalties = {"default": ([2e4, 2.5e5, 1e9], [1, 1, 1]), "weighed": ([500, 1e5, 1e8], [0.5, 0, 2])}
for name, (references, exponents) in penalties.items():
    value = 60 * numpy.prod((1 + costs / numpy.array(references)) ** -numpy.array(exponents, float))
    lines.append(f"pscp/{name}\t{value:.15g}")
(FOLDER / "cost.tsv").write_text("\n".join(lines) + "\n")
print("\n".join(lines))
