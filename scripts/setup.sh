#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what Swiftlet needs to build and says each thing it does.
# Debian 12 and 13, Ubuntu 24.04, macOS with Homebrew. Does nothing, quickly, when nothing is missing.
# System packages need root or sudo; Swift itself is not installed, only looked for.
#
# usage: scripts/setup.sh [--check]     --check: only say what is missing (exit status 1 if anything is)

set -euo pipefail
cd "$(dirname "$0")/.."

onednn_least=3.2
prefix=/usr/local
check_only=no
apt_is_fresh=no
installed_something=no

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

case "${1:-}" in
  "") ;;
  --check) check_only=yes ;;
  -h | --help) sed -n '4,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) printf 'setup: unknown option %s (accepted: --check)\n' "$1" >&2; exit 2 ;;
esac

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# at_least HAVE NEED: whether version HAVE is NEED or later.
at_least() {
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    die "this step needs root, and sudo is not there; run it as root: $*"
  fi
}

# quietly WHAT COMMAND...: runs a command, showing its output only when it fails.
quietly() {
  what=$1
  shift
  if ! "$@" >"$scratch/log" 2>&1; then
    tail -n 15 "$scratch/log" | sed 's/^/    /' >&2
    die "$what failed; the last lines are above. Is this machine online?"
  fi
}

# missing WHAT: with --check, ends here.
missing() {
  if [ "$check_only" = yes ]; then
    die "missing: $*; run scripts/setup.sh without --check to install it"
  fi
  installed_something=yes
}

require_swift() {
  need=6.0
  if [ -f Package.swift ]; then
    need=$(sed -n 's/^\/\/ *swift-tools-version: *\([0-9.]*\).*/\1/p' Package.swift | head -n 1)
  fi
  if ! command -v swift >/dev/null 2>&1; then
    die "Swift $need or later is needed and \`swift\` is not on the PATH.
  Linux: https://www.swift.org/install/linux (swiftly, or an archive unpacked and its usr/bin on the PATH)
  macOS: Xcode from the App Store, or https://www.swift.org/install/macos
Then run this again."
  fi
  swift_version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*[0-9]\).*/\1/p' | head -n 1)
  if [ -z "$swift_version" ]; then
    swift --version 2>&1 | tail -n 5 | sed 's/^/    /' >&2 || true
    die "\`swift --version\` does not run ($(command -v swift)); its message is above"
  fi
  at_least "$swift_version" "$need" ||
    die "Swift $swift_version is too old: $need or later is needed (https://www.swift.org/install)"
}

# onednn_version: prints the version that a program compiled here gets, or nothing.
onednn_version() {
  printf '%s\n' \
    '#include <stdio.h>' \
    '#include <oneapi/dnnl/dnnl.h>' \
    'int main(void) {' \
    '  const dnnl_version_t *version = dnnl_version();' \
    '  printf("%d.%d.%d\n", version->major, version->minor, version->patch);' \
    '  return version->major != DNNL_VERSION_MAJOR;' \
    '}' >"$scratch/probe.c"
  # shellcheck disable=SC2046
  cc "$scratch/probe.c" -o "$scratch/probe" \
    $(pkg-config --cflags --libs dnnl 2>/dev/null || echo -ldnnl) >/dev/null 2>&1 &&
    "$scratch/probe" 2>/dev/null || true
}

# write_pkg_config PREFIX VERSION: writes the dnnl.pc that the distribution lacks.
write_pkg_config() {
  cat >"$scratch/dnnl.pc" <<END
prefix=$1
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: oneDNN
Description: Kernels for neural networks
Version: $2
Cflags: -I\${includedir}
Libs: -L\${libdir} -ldnnl
END
}

install_packages() {
  missing "$*"
  apt_update
  say "installing with apt-get: $*"
  quietly "apt-get install" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "$@"
}

apt_update() {
  if [ "$apt_is_fresh" = no ]; then
    say "reading the list of packages (apt-get update)"
    quietly "apt-get update" as_root apt-get update
    apt_is_fresh=yes
  fi
}

package_is_installed() {
  dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'
}

install_debian() {
  packages=
  command -v g++ >/dev/null 2>&1 || packages="$packages g++"
  command -v make >/dev/null 2>&1 || packages="$packages make"
  command -v git >/dev/null 2>&1 || packages="$packages git"
  command -v pkg-config >/dev/null 2>&1 || packages="$packages pkg-config"
  if ! command -v python3 >/dev/null 2>&1; then
    packages="$packages python3 python3-venv"
  elif ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
    packages="$packages python3-venv"
  fi
  for package in ca-certificates libc6-dev libgomp1 libhwy-dev libturbojpeg0-dev libpng-dev zlib1g-dev; do
    package_is_installed "$package" || packages="$packages $package"
  done
  # shellcheck disable=SC2086
  if [ -n "$packages" ]; then install_packages $packages; fi
  install_onednn_debian
}

install_onednn_debian() {
  version=$(onednn_version)
  if [ -n "$version" ] && at_least "$version" "$onednn_least"; then
    add_missing_pkg_config /usr "$version"
    return
  fi
  if package_is_installed libdnnl-dev; then
    have=$(dpkg-query -W -f '${Version}' libdnnl-dev)
    if ! at_least "$(upstream "$have")" "$onednn_least"; then
      die "libdnnl-dev $have is installed and the linker would find it first; oneDNN $onednn_least or later is needed.
Remove it and run this again: sudo apt-get remove libdnnl-dev"
    fi
  fi
  missing "oneDNN $onednn_least or later"
  apt_update
  candidate=$(apt-cache policy libdnnl-dev | sed -n 's/^ *Candidate: *//p')
  if [ -n "$candidate" ] && [ "$candidate" != "(none)" ] &&
    at_least "$(upstream "$candidate")" "$onednn_least"; then
    install_packages libdnnl-dev
    add_missing_pkg_config /usr "$(upstream "$candidate")"
  else
    say "the distribution has oneDNN ${candidate:-(none)}, older than $onednn_least: taking the wheels of oneDNN 3.2"
    install_onednn_wheels
  fi
  version=$(onednn_version)
  if [ -z "$version" ] || ! at_least "$version" "$onednn_least"; then
    die "oneDNN was installed, but a program linked with it reports '${version:-nothing}' instead of $onednn_least or later; look for another libdnnl: ldconfig -p | grep dnnl"
  fi
  say "oneDNN $version works"
}

# upstream VERSION: a Debian version without its epoch and revision.
upstream() { printf '%s\n' "$1" | sed 's/^[0-9]*://; s/-[^-]*$//; s/[+~].*//'; }

add_missing_pkg_config() {
  if ! pkg-config --exists dnnl 2>/dev/null; then
    missing "dnnl.pc, from which SwiftPM learns where oneDNN is"
    write_pkg_config "$1" "$2"
    say "writing $prefix/lib/pkgconfig/dnnl.pc (the distribution has none)"
    as_root install -D -m 644 "$scratch/dnnl.pc" "$prefix/lib/pkgconfig/dnnl.pc"
  fi
}

install_onednn_wheels() {
  case "$(uname -m)" in
    x86_64 | amd64) ;;
    *) die "there is no ready oneDNN $onednn_least for $(uname -m) on this distribution; use a newer one (Debian 13) or build oneDNN from source into $prefix" ;;
  esac
  say "downloading onednn-cpu-gomp and onednn-devel-cpu-gomp 2023.2.0 (39 MB) with pip"
  quietly "making a Python environment for pip" python3 -m venv "$scratch/venv"
  cat >"$scratch/requirements.txt" <<'END'
onednn-cpu-gomp==2023.2.0 --hash=sha256:2f22a54d6a890ed14bfa185d42a4be65d8b5b1df85dc1f0f3a9abe31620416fb
onednn-devel-cpu-gomp==2023.2.0 --hash=sha256:9763c69e8c907e119056bd52ad918ca84ac9ba939d130a99dfa95ccca3e5e284
END
  quietly "pip download" "$scratch/venv/bin/python" -m pip download --quiet --disable-pip-version-check \
    --no-deps --only-binary :all: --require-hashes --dest "$scratch" -r "$scratch/requirements.txt"
  mkdir "$scratch/onednn"
  for wheel in "$scratch"/onednn*.whl; do
    quietly "unpacking $(basename "$wheel")" python3 -m zipfile -e "$wheel" "$scratch/onednn"
  done
  run_time=$scratch/onednn/onednn_cpu_gomp-2023.2.0.data/data
  development=$scratch/onednn/onednn_devel_cpu_gomp-2023.2.0.data/data
  write_pkg_config "$prefix" 3.2.0

  say "installing libdnnl.so.3.2, its headers and dnnl.pc under $prefix"
  as_root mkdir -p "$prefix/lib/pkgconfig" "$prefix/include/oneapi/dnnl" "$prefix/share/doc/onednn"
  as_root install -m 644 "$development"/include/*.h "$development"/include/*.hpp "$prefix/include/"
  as_root install -m 644 "$development"/include/oneapi/dnnl/* "$prefix/include/oneapi/dnnl/"
  as_root install -m 644 "$run_time/share/doc/onednn/LICENSE" \
    "$run_time/share/doc/onednn/THIRD-PARTY-PROGRAMS" "$prefix/share/doc/onednn/"
  as_root install -m 644 "$scratch/dnnl.pc" "$prefix/lib/pkgconfig/dnnl.pc"
  as_root install -m 755 "$run_time/lib/libdnnl.so.3.2" "$prefix/lib/libdnnl.so.3.2.new"
  as_root mv "$prefix/lib/libdnnl.so.3.2.new" "$prefix/lib/libdnnl.so.3.2"
  as_root ln -sfn libdnnl.so.3.2 "$prefix/lib/libdnnl.so.3"
  as_root ln -sfn libdnnl.so.3 "$prefix/lib/libdnnl.so"
  as_root ldconfig
}

install_macos() {
  xcode-select -p >/dev/null 2>&1 || die "the command line tools are missing; run: xcode-select --install"
  command -v brew >/dev/null 2>&1 || die "Homebrew is missing; see https://brew.sh, then run this again"
  formulas=
  for formula in onednn highway jpeg-turbo libpng libomp pkgconf; do
    brew list --versions "$formula" >/dev/null 2>&1 || formulas="$formulas $formula"
  done
  if [ -n "$formulas" ]; then
    missing "$formulas"
    say "installing with Homebrew:$formulas"
    # shellcheck disable=SC2086
    quietly "brew install" brew install $formulas
  fi
  have=$(brew list --versions onednn | sed 's/^onednn //; s/ .*//; s/_.*//')
  at_least "$have" "$onednn_least" ||
    die "Homebrew's onednn is $have, $onednn_least or later is needed; run: brew upgrade onednn"
  if ! pkg-config --exists dnnl 2>/dev/null; then
    missing "dnnl.pc, from which SwiftPM learns where oneDNN is"
    write_pkg_config "$(brew --prefix onednn)" "$have"
    say "writing $(brew --prefix)/lib/pkgconfig/dnnl.pc (the formula has none)"
    mkdir -p "$(brew --prefix)/lib/pkgconfig"
    cp "$scratch/dnnl.pc" "$(brew --prefix)/lib/pkgconfig/dnnl.pc"
  fi
}

require_swift
case "$(uname -s)" in
  Darwin) install_macos ;;
  Linux)
    command -v apt-get >/dev/null 2>&1 ||
      die "no apt-get here. Install by hand: g++, make, git, pkg-config, python3, Highway, libjpeg-turbo (turbojpeg.h), libpng, zlib, libgomp and oneDNN $onednn_least or later, each with its headers"
    install_debian
    ;;
  *) die "$(uname -s) is not supported: Debian, Ubuntu or macOS" ;;
esac

found() { pkg-config --modversion "$1" 2>/dev/null || echo '?'; }
if [ "$installed_something" = yes ]; then state="done"; else state="nothing is missing"; fi
say "$state (Swift $swift_version, oneDNN $(found dnnl), Highway $(found libhwy)," \
  "TurboJPEG $(found libturbojpeg), libpng $(found libpng), zlib $(found zlib))"
