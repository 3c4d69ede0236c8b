#!/usr/bin/env bash
# A current Docker engine for the tests, taken from Debian's packages and run from a folder. Only iptables is installed,
# where it is missing.
#
#   sudo tests/engine/engine.sh up              gets it once, starts it unless it answers already
#   eval "$(tests/engine/engine.sh env)"        this shell's docker is that engine
#   sudo tests/engine/engine.sh down            stops it; images and caches stay
#
# With `old` behind it, each is about another engine beside it: Docker 20.10 of Debian 12, which has the BuildKit of 2021
# and the classic builder, and buildah and podman of Debian 12 in the same folder.
#
# Needs root on Debian 12 or later. STACKGEN_ENGINE_DIR is where everything lies (with -old behind it for the old one),
# STACKGEN_ENGINE_OPTIONS what dockerd is told besides.
set -euo pipefail

which=${2-}
case $which in
  "")
    suites=(sid testing trixie)
    packages=(docker.io docker-cli docker-buildx docker-compose containerd)
    programs=(docker dockerd containerd runc)
    around=()
    ;;
  old)
    suites=(bookworm)
    packages=(docker.io containerd buildah podman conmon)
    programs=(docker dockerd containerd runc buildah podman conmon)
    # Nothing runs in it, so it needs no network; one of its own keeps its hands off the other engine's bridge.
    around=(unshare --net)
    ;;
  *)
    printf 'engine.sh: there is no engine "%s", only old\n' "$which" >&2
    exit 1
    ;;
esac
dir=${STACKGEN_ENGINE_DIR:-/var/tmp/stackgen-engine}${which:+-$which}
tools=$dir/tools
pidfile=$dir/docker.pid
socket=$dir/docker.sock
log=$dir/dockerd.log

print_env() {
  # shellcheck disable=SC2016 # PATH is the caller's, expanded there
  printf 'export PATH=%q:"$PATH"\n' "$tools/bin"
  printf 'export DOCKER_HOST=%q\n' "unix://$socket"
  printf 'export DOCKER_CONFIG=%q\n' "$dir/config"
  if [[ $which == old ]]; then
    # Places of their own for buildah and podman, so that they touch nothing of the machine's.
    printf 'export HOME=%q\n' "$dir/buildah"
    printf 'export CONTAINERS_STORAGE_CONF=%q\n' "$dir/buildah/storage.conf"
    printf 'export CONTAINERS_REGISTRIES_CONF=%q\n' "$dir/buildah/registries.conf"
  fi
}

die() {
  printf 'engine.sh: %s\n' "$*" >&2
  exit 1
}

answers() {
  DOCKER_HOST=unix://$socket "$tools/bin/docker" version >/dev/null 2>&1
}

# The machine's own way to Debian, pointed at another suite, in lists of its own: its apt stays as it is.
fetch_suite() {
  local suite=$1 into=$2 apt=$dir/apt-$1
  local sources=/etc/apt/sources.list.d/debian.sources
  [[ -r $sources ]] || die "no $sources, from which the way to Debian's packages is read"
  mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial" "$into"
  awk 'BEGIN { RS = "" } NR == 1' "$sources" | sed -E "s/^Suites:.*/Suites: $suite/" >"$apt/parts/engine.sources"
  local options=(
    -o "Dir::Etc::sourceparts=$apt/parts"
    -o Dir::Etc::sourcelist=/dev/null
    -o "Dir::State::lists=$apt/lists"
    -o "Dir::Cache=$apt/cache"
    -o APT::Sandbox::User=root
    -o Acquire::Languages=none
  )
  apt-get "${options[@]}" update || return 1
  (
    cd "$into" || exit 1
    apt-get "${options[@]}" download "${packages[@]}"
  ) || return 1
  rm -rf "$apt"
}

# A suite may have moved on to a libc that this machine lacks: what counts is that the programs start.
unpack() {
  local debs=$1 root=$2 deb plugin program
  mkdir -p "$root/bin" "$root/plugins"
  for deb in "$debs"/*.deb; do
    dpkg-deb -x "$deb" "$root" || return 1
  done
  while IFS= read -r program; do
    ln -sf "${program/#"$root"/..}" "$root/bin/"
  done < <(find "$root/usr" -type f -perm -u+x \( -path '*/bin/*' -o -path '*/sbin/*' -o -name docker-proxy \))
  for plugin in docker-buildx docker-compose; do
    find "$root/usr" -type f -path "*/cli-plugins/$plugin" -exec cp -t "$root/plugins" {} + || return 1
  done
  for program in "${programs[@]}"; do
    "$root/bin/$program" --version || return 1
  done
}

complete() {
  local program
  for program in "${programs[@]}"; do
    [[ -x $tools/bin/$program ]] || return 1
  done
}

fetch() {
  local suite new
  rm -rf "$dir"/new.*
  new=$(mktemp -d "$dir/new.XXXXXX")
  for suite in "${suites[@]}"; do
    rm -rf "${new:?}"/*
    fetch_suite "$suite" "$new/debs" || continue
    # A later suite's runc wants a newer libc than this machine's; its own one serves as well.
    (cd "$new/debs" && apt-get -o APT::Sandbox::User=root download runc) || die "no runc: has apt-get update been run?"
    if unpack "$new/debs" "$new/root"; then
      mkdir -p "$dir/config/cli-plugins"
      cp -r "$new/root/plugins/." "$dir/config/cli-plugins/"
      rm -rf "$tools"
      mv "$new/root" "$tools"
      rm -rf "$new"
      return 0
    fi
    printf 'engine.sh: what %s has does not start here\n' "$suite" >&2
  done
  rm -rf "$new"
  die "no engine could be got from Debian"
}

# What buildah and podman are told of this machine: images lie here, and no registry is asked.
configure_podman() {
  local place=$dir/buildah
  mkdir -p "$place/.config/containers"
  printf '[storage]\ndriver = "vfs"\ngraphroot = "%s"\nrunroot = "%s"\n' "$place/images" "$place/run" >"$place/storage.conf"
  : >"$place/registries.conf"
  printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >"$place/.config/containers/policy.json"
}

running() {
  local file=$1 program=$2 pid
  [[ -r $file ]] || return 1
  pid=$(<"$file")
  # Not its name in ps, which one that was killed still has until its parent takes notice.
  [[ $pid =~ ^[0-9]+$ && $(readlink "/proc/$pid/exe") == */"$program" ]]
}

wait_until() {
  local seconds=$1 tries
  shift
  for ((tries = 0; tries < seconds * 5; tries++)); do
    "$@" && return 0
    sleep 0.2
  done
  return 1
}

up() {
  [[ $EUID -eq 0 ]] || die "an engine needs root"
  mkdir -p "$dir"
  # Two callers at once must not start two; the lock must not be inherited by what is started.
  exec 9>"$dir/lock"
  flock 9
  if [[ $which == old ]]; then
    configure_podman
    # What the two are linked with.
    local library
    for library in libdevmapper1.02.1 libgpgme11 libseccomp2 libsubid4; do
      dpkg-query --show "$library" >/dev/null 2>&1 ||
        apt-get install --yes --no-install-recommends "$library" >&2 </dev/null
    done
  fi
  complete || fetch >&2
  answers && return 0
  # Without it no service name resolves: the engine leads a container's name look-ups to itself by rules in there.
  command -v iptables >/dev/null || apt-get install --yes --no-install-recommends iptables >&2 </dev/null
  if running "$pidfile" dockerd; then
    wait_until 60 answers && return 0
    down
  fi
  # A number left by a run that was killed may belong to any process by now, and dockerd would believe it.
  rm -f "$pidfile" "$socket"
  running "$dir/exec/containerd/containerd.pid" containerd || rm -f "$dir/exec/containerd/containerd.pid"
  local options=()
  read -ra options <<<"${STACKGEN_ENGINE_OPTIONS-}"
  PATH=$tools/bin:$PATH setsid "${around[@]}" dockerd \
    --host "unix://$socket" --pidfile "$pidfile" \
    --data-root "$dir/data" --exec-root "$dir/exec" \
    --iptables=false --ip6tables=false "${options[@]}" \
    </dev/null >"$log" 2>&1 9>&- &
  wait_until 60 answers && return 0
  tail -n 20 "$log" >&2
  die "dockerd did not come up"
}

stopped() {
  ! running "$pidfile" dockerd
}

down() {
  stopped && return 0
  kill "$(<"$pidfile")"
  wait_until 60 stopped || die "dockerd does not stop, see $log"
}

case ${1-} in
  up) up ;;
  down) down ;;
  env) print_env ;;
  *) die "usage: engine.sh up|down|env [old]" ;;
esac
