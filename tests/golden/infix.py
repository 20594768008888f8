"""Prefix-Tuning's infix with PyTorch and a mask: what make_gpt2.py and make_llama.py record."""
import torch
from transformers import DynamicCache

VIRTUAL = 5


def read_targets(batch):
    """Sequences [..] of ids, targets [26] and for each sequence the index of the token that
    predicts its first target."""
    offsets, targets = batch["offsets"].long().tolist(), batch["targets"].long()
    spans = list(zip(offsets, offsets[1:]))
    first = [(targets[a:b] >= 0).nonzero()[0].item() for a, b in spans]
    return [batch["tokens"].long()[a:b] for a, b in spans], targets, first


def windows(config):
    """Keys that a token sees in each layer, itself included; None: all."""
    window = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None) or ["sliding_attention"] * config.num_hidden_layers
    return [window if k == "sliding_attention" else None for k in kinds]


def mask(n, first, window):
    """[1, 1, n, VIRTUAL + n]: 0 where a token sees a key, else -inf. A window counts places, and
    the infix stands before token `first`."""
    token = torch.arange(n)
    place = token + VIRTUAL * (token >= first)
    keys = torch.cat([first + torch.arange(VIRTUAL), place])
    sees = torch.cat([(token >= first)[:, None].expand(n, VIRTUAL),
                      torch.ones(n, n, dtype=torch.bool).tril()], 1)
    if window:
        sees &= place[:, None] - keys[None] < window
    return torch.zeros(1, 1, n, VIRTUAL + n, dtype=torch.double).masked_fill_(~sees, float("-inf"))


def logits(model, p, sequence, first):
    """Logits of one sequence whose tokens from index `first` on see p [VIRTUAL, layers * 2 * width]
    as keys and values. The model must have been loaded with attn_implementation="eager"."""
    n, config = len(sequence), model.config
    heads = getattr(config, "num_key_value_heads", config.num_attention_heads)
    cache = DynamicCache()
    parts = p.view(VIRTUAL, config.num_hidden_layers, 2, heads, -1).permute(1, 2, 3, 0, 4)
    for layer, kv in enumerate(parts):
        cache.update(kv[0][None], kv[1][None], layer)
    masks = [mask(n, first, w) for w in windows(config)]
    kinds = getattr(config, "layer_types", None)
    same = len(set(windows(config))) == 1
    positions = torch.arange(n) + VIRTUAL * (torch.arange(n) >= first)
    return model(input_ids=sequence[None], past_key_values=cache,
                 attention_mask=masks[0] if same else dict(zip(kinds, masks)),
                 position_ids=positions[None]).logits[0]
