# The walkthroughs of docs/adding.md, followed in a copy of the project: their files are written, the
# program and their tests built, their commands run. $1 is the program of a build whose kernels are
# linked again, as compiling them takes minutes.
build=$(dirname "$(realpath "$1")")
home=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset SOFTPROMPT_HOME MAKEFLAGS MAKELEVEL

fail() {
    echo "$*"
    exit 1
}

cp -R CMakeLists.txt datasets docs experiments plots src tests "$folder" || exit 1
ln -s "$home/models" "$folder/models"
cd "$folder" || exit 1

# ---- the files ----

# A block whose info string is "LANGUAGE PATH" is that file, or the end of it.
awk '/^```[a-z]+ [^ ]+$/ {
         path = $2
         folder = path
         if (sub("/[^/]*$", "", folder)) system("mkdir -p " folder)
         next
     }
     /^```$/ { if (path) { close(path); print path } path = ""; next }
     path { print >> path }' docs/adding.md > files || exit 1
for file in src/tuning/ln_tuning.c src/tuning/methods.def src/metrics/exact_match.c \
    src/metrics/metrics.def src/data/conll.c src/data/readers.def; do
    grep -qx "$file" files || fail "docs/adding.md has no block of $file"
done

# ---- the build ----

targets=$(sed -n 's:^tests/\([a-z]*\)/\(test_[a-z_]*\)\.c$:\1_\2:p' files)
[ "$(echo "$targets" | wc -l)" -eq 3 ] || fail "not three new tests: $targets"
compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
# Without optimisation the compiler sees a cut text where there is none.
cmake -S . -B build/release -DCMAKE_C_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_C_FLAGS_DEBUG="-O0 -Wno-error=format-truncation" -DSP_KERNELS="$build" > log 2>&1 ||
    fail "$(cat log)"
# shellcheck disable=SC2086
cmake --build build/release -j 2 --target softprompt $targets > log 2>&1 ||
    fail "$(grep -A 5 'error' log || cat log)"

# ---- the commands ----

# Numbers with decimals depend on the machine.
blur() {
    sed 's/[0-9][0-9]*\.[0-9][0-9]*/#/g'
}

# check LINE: the last command has printed it.
check() {
    printf '%s\n' "$1" | blur > wanted
    blur < output | grep -qxF -f wanted || fail "'$1' is not printed by $command: $(cat output)"
}

awk '/^```console$/ { inside = 1; next } /^```$/ { inside = 0 } inside' docs/adding.md > commands
ran=0
while IFS= read -r line; do
    case $line in
    '$ make build') ;; # above
    '$ '*)
        command=${line#'$ '}
        sh -c "$command" > output 2> error < /dev/null || fail "$command: $(cat output error)"
        ran=$((ran + 1))
        ;;
    *) check "$line" ;;
    esac
done < commands
[ $ran -ge 8 ] || fail "only $ran commands in docs/adding.md"

# ---- what the walkthroughs promise besides ----

# accuracy NAME: of a row of the method's table.
accuracy() {
    sed -n "s/^| $1 .*| \**\([0-9.]*\)\** | 1 |\$/\1/p" results/ln-tuning/table.md
}
awk "BEGIN { exit !($(accuracy LN-tuning) > $(accuracy Untuned) + 3) }" ||
    fail "the method does not learn: $(cat results/ln-tuning/table.md)"
grep -rqF '#117733' results/ln-tuning/figures || fail "the method has no colour of its own"
build/release/softprompt score --help | tr -s ' \n' ' ' | grep -qF 'exact-match' ||
    fail "score --help does not name the metric"
