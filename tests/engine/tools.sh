#!/usr/bin/env bash
# What the engine's tests need besides the engine, from Debian: a registry, what makes signed repositories of rpms
# and debs, and dnf, which reads them.
#
#   sudo tests/engine/tools.sh                  installs what is missing
set -euo pipefail

declare -A package=(
  [createrepo_c]=createrepo-c
  [dnf]=dnf
  [docker-registry]=docker-registry
  [gpg]=gnupg
  [rpmbuild]=rpm
  [rpmsign]=rpm
)
missing=()
for program in "${!package[@]}"; do
  command -v "$program" >/dev/null || missing+=("${package[$program]}")
done
if ((${#missing[@]})); then
  # None of them is started as a service here.
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 0755 "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}" </dev/null
fi
