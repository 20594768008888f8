#!/bin/sh
# Prints a Python with PyTorch, transformers and PEFT: $PEFT_PYTHON if it is set, else that of a
# virtual environment in the folder $1, which is made with the versions of requirements.txt when it
# is not there yet.
set -eu
folder=$1
here=$(dirname "$0")

if [ -n "${PEFT_PYTHON:-}" ]; then
    if ! "$PEFT_PYTHON" -c 'import torch, transformers, peft' 2> /dev/null; then
        echo "tests/peers: $PEFT_PYTHON (PEFT_PYTHON) cannot import torch, transformers and peft" >&2
        exit 1
    fi
    echo "$PEFT_PYTHON"
    exit 0
fi
if [ ! -e "$folder/complete" ]; then
    echo "tests/peers: installing PyTorch, transformers and PEFT into $folder (several GB;" \
        "PEFT_PYTHON=/path/to/python uses what is there)" >&2
    mkdir -p "$folder"
    log=$folder/install.log
    if ! { python3 -m venv "$folder" && "$folder/bin/pip" install --disable-pip-version-check \
           -q -r "$here/requirements.txt"; } > "$log" 2>&1; then
        echo "tests/peers: the installation failed (is the network there? whole log: $log);" \
            "name an interpreter that has them in PEFT_PYTHON" >&2
        exit 1
    fi
    touch "$folder/complete"
fi
echo "$folder/bin/python"
