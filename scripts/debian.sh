# shellcheck shell=bash
# Programs of Debian's unstable suite for a machine that has an older one, or none; read with `.`, not run.
#
# They want that suite's libraries, so we unpack them with all of these into the cache folder, where a wrapper starts each
# with its own dynamic loader; nothing is installed into the system. apt fetches them from the mirror this machine uses
# already, or from $STEPPE_DEBIAN_MIRROR, and checks Debian's signature.

suite=unstable
cache=${XDG_CACHE_HOME:-~/.cache}/steppe

# cached PROGRAM: the newest in our cache, or nothing.
cached() {
    local found
    found=$(printf '%s\n' "$cache/$1"-[0-9]*/"$1" | sort -V | tail -n 1)
    [[ -x $found ]] && printf '%s\n' "$found"
}

# The base addresses of the package archives this machine uses, without those of security updates: these have no
# unstable suite.
mirrors() {
    if [[ -n ${STEPPE_DEBIAN_MIRROR:-} ]]; then
        printf '%s\n' "$STEPPE_DEBIAN_MIRROR"
    else
        # shellcheck disable=SC2016 # the dollars are apt's
        apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
            awk '$2 !~ /security/ && $1 !~ /^cdrom:/ && !seen[$1]++ { print $1 }'
    fi
}

# Only a Debian mirror has the suite. Ubuntu's do not, and asking them costs time and gives a worse message.
is_debian() { (. /etc/os-release && [[ $ID == debian ]]); }

# our_apt WORK ARGUMENT...: apt-get with lists, package states and archives below WORK. It reads the machine's
# configuration first, for its proxies and passwords, so what must not touch the system is undone by name: hooks, and
# the sandbox user, who may not enter root's home.
our_apt() {
    local work=$1
    shift
    apt-get --quiet --assume-yes -c "$work/apt.conf" "$@"
}

# prepare WORK MIRROR KEYRING
prepare() {
    local work=$1 mirror=$2 keyring=$3 architecture
    architecture=$(dpkg --print-architecture)
    mkdir -p -- "$work"/{lists,archives}/partial "$work/state"
    : >"$work/status"
    printf 'deb [signed-by=%s arch=%s target=Packages lang=none] %s %s main\n' \
        "$keyring" "$architecture" "$mirror" "$suite" >"$work/sources.list"
    cat >"$work/apt.conf" <<APT
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear APT::Architectures;
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Default-Release "";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::State::lists "$work/lists";
Dir::State::extended_states "$work/state/extended_states";
Dir::Cache "$work";
Dir::Cache::archives "$work/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Log "$work";
APT
}

# download WORK KEYRING PACKAGE: from the first mirror that has the package, it and everything it needs.
download() {
    local work=$1 keyring=$2 package=$3 mirror
    while read -r mirror; do
        printf 'Trying %s\n' "$mirror"
        prepare "$work" "$mirror" "$keyring" &&
            our_apt "$work" update &&
            our_apt "$work" --download-only install "$package" && return
    done < <(mirrors)
    printf 'No mirror gave the package %s.\n' "$package"
    return 1
}

# unpack WORK TARGET FILE...: every package into TARGET/root, and beside it a wrapper for each of these files of it.
unpack() {
    local work=$1 target=$2 deb file loader libraries
    shift 2
    mkdir -p -- "$target/root" || return
    for deb in "$work"/archives/*.deb; do
        dpkg-deb --extract "$deb" "$target/root" || return
    done
    # Debian's triplet folder holds the loader beside the libraries it belongs to.
    loader=$(cd -- "$target/root" && printf '%s\n' usr/lib/*-linux-*/ld-linux*.so.*) || return
    libraries=${loader%/*}
    for file in "$@"; do
        cat >"$target/${file##*/}" <<WRAPPER || return
#!/bin/sh
here=\$(dirname -- "\$(readlink -f -- "\$0")")
exec "\$here/root/$loader" --library-path "\$here/root/$libraries" "\$here/root/$file" "\$@"
WRAPPER
        chmod 755 "$target/${file##*/}" && "$target/${file##*/}" --version || return
    done
}

# fetch WORK KEYRING PACKAGE FILE...: all of it, renamed into its place at the end, so nobody ever sees half a folder. Of
# two runs at once the second finds the place taken and leaves it.
fetch() {
    local work=$1 keyring=$2 package=$3 version place
    shift 3
    download "$work" "$keyring" "$package" && unpack "$work" "$work/tree" "$@" || return
    version=$(dpkg-deb --field "$work"/archives/"${package}"_*.deb Version) || return
    place=$cache/${1##*/}-${version//[^A-Za-z0-9.+~-]/-}
    mv --no-target-directory -- "$work/tree" "$place" || [[ -x $place/${1##*/} ]]
}

# from_debian INSTEAD PACKAGE FILE...: prints the path of the first of these files of the package, which has to be fetched
# the first time. INSTEAD: what else one can do, if that fails.
from_debian() {
    local instead=$1 package=$2 program=${3##*/} keyring work
    cached "$program" && return
    is_debian || [[ -n ${STEPPE_DEBIAN_MIRROR:-} ]] ||
        die "There is no $program here, and only Debian's $suite suite has the package we could fetch." "$instead" \
            "Or set STEPPE_DEBIAN_MIRROR to a Debian mirror's address, with the package debian-archive-keyring installed."
    for keyring in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
        [[ -r $keyring ]] && break
    done
    [[ -r $keyring ]] || die 'Debian'\''s keys are missing: install the package debian-archive-keyring.'
    mkdir -p -- "$cache" || die "Cannot write $cache: set XDG_CACHE_HOME to a folder that can be written."
    work=$(mktemp -d -- "$cache/.fetching.XXXXXX")
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf -- '$work'" EXIT
    quietly "$program, unpacked from Debian $suite into $cache" "$instead" fetch "$work" "$keyring" "${@:2}"
    cached "$program"
}
