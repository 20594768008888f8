# Sourced from the project's folder by tests whose $1 is the program: they go on in an empty folder of
# their own, where the program still finds models and data sets.
softprompt=$(realpath "$1")
home=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export SOFTPROMPT_HOME="$home"

fail() {
    echo "$*"
    exit 1
}

# refuse CODE TEXT ARGUMENTS...: with the file `input` on standard input, the exit code, and one line
# with TEXT on standard error.
refuse() {
    code=$1 text=$2
    shift 2
    "$softprompt" "$@" < input > output 2> error
    got=$?
    [ $got -eq "$code" ] || fail "$*: exit code $got, not $code: $(cat error)"
    [ "$(wc -l < error)" -eq 1 ] || fail "$*: not one line: $(cat error)"
    grep -qF -e "$text" error || fail "$*: '$text' is not in: $(cat error)"
}
