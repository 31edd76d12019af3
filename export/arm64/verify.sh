#!/usr/bin/env bash
# Check that an exported model gives the same results on 64-bit Arm.
#
#   export/arm64/verify.sh MODEL.tflite MODEL.golden.json [ROOT_FOLDER]
#
# export/verify.py writes the golden file. golden.py runs the model on it under emulated Arm
# processors, in a Debian root for arm64 with the same LiteRT version as this machine's Python.
# ROOT_FOLDER is where the root is stored for later calls (default: speechgru/arm64 in the user's
# cache; 280 MB). The environment variables PYTHON (with ai-edge-litert and pip) and MIRROR (of
# Debian) are optional. Exit code: 0 if the results agree, 1 if they differ, 2 if they could not be
# compared.
set -Eeuo pipefail
trap 'echo "verify.sh: the model could not be checked" >&2; exit 2' ERR

# LiteRT has different kernels for different processors. These are the processors of Raspberry Pi 3,
# 4 and 5 (the last one has dot products) and one with all extensions that QEMU knows (int8 matrix
# products, as in new phones) except SME: QEMU 7.2 of Debian 12 computes its int8 products wrong,
# QEMU 10 does not. Each has its part number in /proc/cpuinfo; "max" has none, and any works.
processors=('cortex-a53 0xd03' 'cortex-a72 0xd08' 'cortex-a76 0xd0b' 'max,sme=off 0xd0b')
suite=bookworm
mirror=${MIRROR:-http://deb.debian.org/debian}
python=${PYTHON:-python3}

fail() {
  echo "verify.sh: $*" >&2
  exit 2
}

install_tools() {
  local missing=()
  PATH=$PATH:/usr/sbin # where debootstrap is
  command -v debootstrap >/dev/null || missing+=(debootstrap)
  command -v qemu-aarch64-static >/dev/null || missing+=(qemu-user-static)
  # Without the keyring, debootstrap does not verify signatures.
  [[ -f /usr/share/keyrings/debian-archive-keyring.gpg ]] || missing+=(debian-archive-keyring)
  # debootstrap must run as root.
  ((EUID == 0)) || command -v fakeroot >/dev/null || missing+=(fakeroot)
  ((${#missing[@]})) || return 0
  ((EUID == 0)) || fail "missing: ${missing[*]} (as root: apt-get install ${missing[*]})"
  echo "installing ${missing[*]}" >&2
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "${missing[@]}" >&2
}

# This runs only debootstrap's first stage. The second stage runs Arm programs in a chroot, which
# needs root and the kernel's binfmt_misc; containers often have neither. Python works without being
# configured. The first stage unpacks only essential packages, so the others are unpacked here.
make_root() {
  local new=$root.unfinished deb as_root=()
  ((EUID == 0)) || as_root=(fakeroot)
  echo "making a Debian root for arm64 in $root; log: $root.log" >&2
  rm -rf "$new"
  mkdir -p "$new"
  "${as_root[@]}" debootstrap --foreign --arch=arm64 --variant=minbase --include=python3 \
    "$suite" "$new" "$mirror" >"$root.log" 2>&1
  for deb in "$new"/var/cache/apt/archives/*.deb; do
    # /lib is a link to /usr/lib and must stay a link.
    dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$new"
  done
  rm -rf "$new"/{debootstrap,proc,var/cache/apt,var/lib/apt} # proc may be a link to /proc
  mkdir -p "$new/proc" "$new/sys/devices/system/cpu"
  # One processor, independent of this machine.
  echo 0 | tee "$new"/sys/devices/system/cpu/{possible,present} >/dev/null
  mv -T "$new" "$root" # so that an interrupted root is not used
}

# ai_edge_litert.interpreter needs only numpy.
install_litert() {
  local new=$packages.unfinished version
  version=$(basename "$(readlink "$root/usr/bin/python3")")
  echo "installing ai-edge-litert $litert for arm64 and $version" >&2
  rm -rf "$new"
  "$python" -m pip install --quiet --target "$new" --no-compile --no-deps --only-binary=:all: \
    --implementation cp --python-version "${version#python}" \
    --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 \
    --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 \
    "ai-edge-litert==$litert" numpy >&2
  mv -T "$new" "$packages"
}

# Run golden.py on a processor. QEMU looks for a file in the root first, then on this machine. The
# root needs its own /proc/cpuinfo: LiteRT crashes when it reads that of another architecture.
run_golden() {
  printf '%s\t: %s\n' processor 0 'CPU implementer' 0x41 'CPU architecture' 8 'CPU variant' 0x0 \
    'CPU part' "$2" 'CPU revision' 0 >"$root/proc/cpuinfo"
  env -i PATH="$PATH" PYTHONPATH="$packages" qemu-aarch64-static -L "$root" -cpu "$1" \
    "$root/usr/bin/python3" -s "$here/golden.py" "$model" "$golden"
}

(($# == 2 || $# == 3)) || fail "usage: verify.sh MODEL.tflite MODEL.golden.json [ROOT_FOLDER]"
model=$1 golden=$2
root=$(realpath -m "${3:-${XDG_CACHE_HOME:-$HOME/.cache}/speechgru/arm64}")
here=$(dirname "$(realpath "$0")")
[[ -f $model ]] || fail "$model: expected a model file, found none"
[[ -f $golden ]] || fail "$golden: expected a golden file, found none"
litert=$("$python" -c 'import importlib.metadata as m; print(m.version("ai-edge-litert"))' \
  2>/dev/null) ||
  fail "$python: expected ai-edge-litert, found none; set PYTHON to a Python that has it"
packages=$root/opt/litert-$litert

install_tools
[[ -e $root/usr/bin/python3 ]] || make_root
[[ -d $packages ]] || install_litert

result=0
for processor in "${processors[@]}"; do
  read -r name part <<<"$processor"
  echo "== $name, LiteRT $litert"
  status=0
  run_golden "$name" "$part" || status=$?
  case $status in
    0) ;;
    1) result=1 ;;
    *) fail "$name: golden.py ended with exit code $status" ;;
  esac
done
((result)) && verdict='NOT the same answers' || verdict='the same answers'
echo "$(basename "$model"), 64-bit Arm: $verdict"
exit $result
