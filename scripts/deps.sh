#!/bin/sh
# Installs the Debian packages the suite is built and tested with, only those that are missing; with
# arguments, the packages they name instead.
# Debian 12 (bookworm) versions are the oldest supported: gcc 12, cmake 3.25, OpenBLAS 0.3.21,
# oneDNN 2.6, HDF5 1.10, gnuplot 5.4.
set -eu
packages="gcc make git cmake pkg-config libopenblas-openmp-dev libdnnl-dev libhdf5-dev gnuplot-nox
fonts-dejavu-core libyaml-dev libjansson-dev libpcre2-dev libutf8proc-dev libstemmer-dev
libexpat1-dev libarchive-dev wordnet-base wordnet-dev libmd-dev librandom123-dev libcmocka-dev
libcsv-dev libopenmpi-dev openmpi-bin"
[ $# -eq 0 ] || packages="$*"

if ! command -v dpkg-query > /dev/null; then
    echo "make deps: this is no Debian system. Install the counterparts of these packages and" >&2
    echo "build with cmake: $packages" | tr '\n' ' ' >&2
    echo >&2
    exit 1
fi

is_installed() {
    [ "$(dpkg-query -W -f '${Status}' "$1" 2> /dev/null)" = "install ok installed" ]
}
missing=
for package in $packages; do
    is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
    sudo=sudo
    if ! command -v sudo > /dev/null; then
        echo "make deps: not root and no sudo; ask an administrator to run:" >&2
        echo "  apt-get install$missing" >&2
        exit 1
    fi
fi
echo "make deps: installing$missing"
log=$(mktemp)
if ! { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive \
       apt-get install -y -qq --no-install-recommends $missing; } > "$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "make deps: apt-get failed (whole log: $log). Is the network there? Needed:$missing" >&2
    exit 1
fi
rm -f "$log"
