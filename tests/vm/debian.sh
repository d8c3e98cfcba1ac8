# debian.sh - packages of Debian, fetched and unpacked; nothing is installed.
# shellcheck shell=sh disable=SC2154 # vm, log, say, skip and die are of setup, which sources this
# apt-get has lists of its own, from the mirror that this machine's apt is configured with, verified by apt's keys.
# SUITE may be several, by commas: then the highest version of a package in them counts.

# The mirror from which apt has this machine's own release.  apt itself is asked, so that
# every form of its configuration counts.
mirror_of_apt()
{
	[ -z "${TAGCORE_MIRROR-}" ] || { echo "$TAGCORE_MIRROR"; return; }
	# shellcheck source=/dev/null
	own=$(. /etc/os-release && echo "$ID ${VERSION_CODENAME-}")
	case $own in
	'debian '?*)	own=${own#* }'\|stable\|testing\|unstable\|sid' ;;
	*)		return ;;
	esac
	apt-get --print-uris update 2>/dev/null |
		sed -n "s,^'\(.*\)/dists/\($own\)/InRelease' .*,\1,p" | head -n 1
}

# What the archive's signature is checked with: the keys of the distribution's own package.
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ ! -r $keyring ] || signed_by="[signed-by=$keyring] "

# in_apt SUITE ARCH COMMAND...: apt for a machine of that architecture on which nothing is installed
in_apt()
{
	apt_dir=$vm/apt/$1-$2 apt_suites=$1 apt_arch=$2 apt_command=$3
	shift 3
	mkdir -p "$apt_dir/lists/partial" "$apt_dir/archives/partial"
	: >"$apt_dir/status"
	for apt_suite in $(echo "$apt_suites" | tr , ' '); do
		printf 'deb %s%s %s main\n' "${signed_by-}" "$mirror" "$apt_suite"
	done >"$apt_dir/sources.list"
	# Or else apt would prefer any version of another suite to one of backports.
	printf 'Package: *\nPin: release n=*\nPin-Priority: 500\n' >"$apt_dir/preferences"
	LC_ALL=C DEBIAN_FRONTEND=noninteractive "$apt_command" -q \
		-o APT::Architecture="$apt_arch" -o APT::Architectures::="$apt_arch" \
		-o APT::Architectures="$apt_arch" -o APT::Sandbox::User= \
		-o Acquire::Languages=none -o Acquire::Retries=3 \
		-o Dir::Etc::SourceList="$apt_dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences="$apt_dir/preferences" -o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State="$apt_dir" -o Dir::State::Lists="$apt_dir/lists" \
		-o Dir::State::Status="$apt_dir/status" -o Dir::Cache="$apt_dir" \
		-o Dir::Cache::Archives="$apt_dir/archives" "$@" </dev/null
}

why() { grep -E '^(E|W|Err)' "$log" | head -n 3 | sed 's/^/    /' >&2; }

# update SUITE ARCH: once
updated=
update()
{
	case " $updated " in *" $1-$2 "*) return ;; esac
	say "package lists of $1 for $2, from $mirror"
	# Error-Mode: or else apt goes on with no list at all.
	in_apt "$1" "$2" apt-get update -o APT::Update::Error-Mode=any >>"$log" 2>&1 || {
		why
		skip "no package lists of $1 from $mirror: no network, or no key for it (see $log)"
	}
	updated="$updated $1-$2"
}

# unpack_debs FROM DIR: all packages of that directory, which they leave
unpack_debs()
{
	for deb in "$1"/*.deb; do
		dpkg-deb -x "$deb" "$2" >>"$log" 2>&1 || die "could not unpack $deb"
		rm -f "$deb"
	done
}

# unpack SUITE ARCH DIR PACKAGE...: these and all they depend on
unpack()
{
	unpack_suite=$1 unpack_arch=$2 unpack_dir=$3
	shift 3
	update "$unpack_suite" "$unpack_arch"
	archives=$vm/apt/$unpack_suite-$unpack_arch/archives
	rm -f "$archives"/*.deb
	in_apt "$unpack_suite" "$unpack_arch" apt-get install --yes --download-only --no-install-recommends "$@" \
		>>"$log" 2>&1 || { why; die "could not fetch packages: $* (see $log)"; }
	unpack_debs "$archives" "$unpack_dir"
}

# one SUITE ARCH DIR PACKAGE...: these alone
one()
{
	one_suite=$1 one_arch=$2 one_dir=$3
	shift 3
	update "$one_suite" "$one_arch"
	mkdir -p "$vm/apt/one"
	(cd "$vm/apt/one" && in_apt "$one_suite" "$one_arch" apt-get download "$@" >>"$log" 2>&1) ||
		{ why; die "could not fetch packages: $* (see $log)"; }
	unpack_debs "$vm/apt/one" "$one_dir"
}

# depends SUITE ARCH PACKAGE PATTERN: names of packages on which it depends that match, of sed; after update
depends()
{
	in_apt "$1" "$2" apt-cache depends "$3" 2>>"$log" | sed -n "s/^ *Depends: \($4\)\$/\1/p"
}

# A fresh directory in which /bin, /sbin and /lib are links, as the packages expect.
merged()
{
	rm -rf "$1"
	mkdir -p "$1/usr/bin" "$1/usr/sbin" "$1/usr/lib" "$1/usr/lib64" || exit 1
	for d in bin sbin lib lib64; do
		ln -s usr/$d "$1/$d"
	done
}

