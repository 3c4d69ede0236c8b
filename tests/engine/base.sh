#!/usr/bin/env bash
# debian:12-slim, or debian:13-slim, for an engine that reaches no registry: made with debootstrap, imported under the name
# of the real one.
#
#   sudo tests/engine/base.sh [12|13]           does nothing where the engine has that image already
#
# Needs the engine of engine.sh, root, and Debian. What this machine needs to reach packages (certificate authorities,
# apt's proxy) goes into the image, so that builds reach them too.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${STACKGEN_ENGINE_DIR:-/var/tmp/stackgen-engine}
release=${1:-12}
case $release in
  12) suite=bookworm ;;
  13) suite=trixie ;;
  *)
    echo 'usage: base.sh [12|13]' >&2
    exit 2
    ;;
esac
image=debian:$release-slim
tar=$dir/debian-$release-slim.tar

# The real image's own settings. Builds meet them: docker-clean empties the cache mounts, services are not started while
# they are installed, and what a package keeps in /usr/share/doc is not there.
slim() {
  local root=$1
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*.log "$root"/var/log/apt/*
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 0755 "$root/usr/sbin/policy-rc.d"
  cat >"$root/etc/apt/apt.conf.d/docker-clean" <<'CONF'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
CONF
  printf 'Acquire::Languages "none";\n' >"$root/etc/apt/apt.conf.d/docker-no-languages"
  printf 'Acquire::GzipIndexes "true";\n' >"$root/etc/apt/apt.conf.d/docker-gzip-indexes"
  printf 'Apt::AutoRemove::SuggestsImportant "false";\n' >"$root/etc/apt/apt.conf.d/docker-autoremove-suggests"
  printf 'force-unsafe-io\n' >"$root/etc/dpkg/dpkg.cfg.d/docker-apt-speedup"
  local excluded
  for excluded in doc info lintian locale man; do
    printf 'path-exclude /usr/share/%s/*\n' "$excluded"
    find "$root/usr/share/$excluded" -mindepth 1 ! -type d ! -name copyright -delete 2>/dev/null || true
    find "$root/usr/share/$excluded" -mindepth 1 -type d -empty -delete 2>/dev/null || true
  done >"$root/etc/dpkg/dpkg.cfg.d/docker"
  printf 'path-include /usr/share/doc/*/copyright\n' >>"$root/etc/dpkg/dpkg.cfg.d/docker"
}

reach_packages() {
  local root=$1
  rm -f "$root/etc/apt/sources.list"
  # The machine's own way to packages, pointed at the image's suite; its key may be under another name there.
  local own keyring
  own=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
  keyring=$(cd "$root" && printf '%s\n' usr/share/keyrings/debian-archive-keyring.[gp]* | head -n 1)
  sed -e "s/\b$own\b/$suite/g" -e "s|^Signed-By:.*|Signed-By: /$keyring|" \
    /etc/apt/sources.list.d/debian.sources >"$root/etc/apt/sources.list.d/debian.sources"
  apt-config dump | grep -E '^Acquire::(Check-|Retries|https?::)' >"$root/etc/apt/apt.conf.d/50host" || true
  find /usr/local/share/ca-certificates -name '*.crt' -exec cp -t "$root/usr/local/share/ca-certificates" {} +
  chroot "$root" update-ca-certificates >&2
}

make_tar() {
  local work mirror
  command -v debootstrap >/dev/null || apt-get install --yes --no-install-recommends debootstrap >&2 </dev/null
  mirror=$(awk '$1 == "URIs:" { print $2; exit }' /etc/apt/sources.list.d/debian.sources)
  rm -rf "$dir"/base.*
  work=$(mktemp -d "$dir/base.XXXXXX")
  # The image's directories get the modes that a fresh Debian has, whatever this shell's umask is.
  umask 022
  chmod 0755 "$work"
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$work" "$mirror" >&2 </dev/null
  reach_packages "$work"
  slim "$work"
  tar -C "$work" --numeric-owner -cf "$tar.new" .
  mv "$tar.new" "$tar"
  rm -rf "$work"
}

eval "$("$here/engine.sh" env)"
if ! docker image inspect "$image" >/dev/null 2>&1; then
  docker version >/dev/null
  exec 9>"$dir/lock"
  flock 9
  [[ -r $tar ]] || make_tar
  docker import \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'CMD ["bash"]' \
    "$tar" "$image"
fi
