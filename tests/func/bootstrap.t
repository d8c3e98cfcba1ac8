# bootstrap where packages are missing and nobody may install them: one line says what to do.
. "$TOP/tests/func/lib.sh"

mkdir bin
# Nothing is installed, and sudo would ask for a password.
printf '#!/bin/sh\nexit 1\n' >bin/dpkg-query
printf '#!/bin/sh\n[ "$1" != -n ] || exit 1\necho "sudo: a terminal is required to read the password" >&2\nexit 1\n' >bin/sudo
printf '#!/bin/sh\necho amd64\n' >bin/dpkg
printf '#!/bin/sh\necho apt-get was run >&2\n' >bin/apt-get
chmod 755 bin/*
cp "$TOP/bootstrap" .
chmod -R go+rX . ..

as_user()
{
	if ! is_root; then
		run setsid -w "$@"
	else
		run setsid -w setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	fi
}
if ! have setsid || { is_root && ! setpriv --reuid=65534 true 2>/dev/null; }; then
	skip_all "no setsid or setpriv (util-linux)"
fi

for what in demo check; do
	as_user env PATH="$PWD/bin:$PATH" ./bootstrap $what
	is "$what: a sudo that needs a password and has no terminal: exit 2" "$rc" 2
	matches "$what: the command that is to be run as root" err 'as root: apt-get update && apt-get install .*libelf-dev'
	matches_not "$what: nothing is installed" err 'apt-get was run'
	is "$what: that is all" "$(wc -l <err)" 1
done
rm bin/sudo
if ! have sudo; then
	as_user env PATH="$PWD/bin:$PATH" ./bootstrap demo
	is "without sudo: exit 2" "$rc" 2
	matches "and the same" err 'as root: apt-get update'
fi
printf '#!/bin/sh\n[ "$1" != -n ] || shift\nexec "$@"\n' >bin/sudo
chmod 755 bin/sudo
as_user env PATH="$PWD/bin:$PATH" ./bootstrap demo
matches "a sudo that needs no password is used" err 'apt-get was run'
done_testing
