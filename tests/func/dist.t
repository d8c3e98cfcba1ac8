# The tarball of make dist: from a commit alone, the same each time, and all that is needed to build from it.
. "$TOP/tests/func/lib.sh"

for need in make git xz; do
	have $need || skip_all "no $need"
done
unset MAKEFLAGS MFLAGS MAKELEVEL
version=$(sed -n 's/^VERSION *:= *//p' "$TOP/Makefile")
name=tagcore-$version
make_in() { run env -u O -u V -u VERSION make -C "$@"; }

# A clone of these files, committed at a known time: the tree that is tested may have changes, or no git at all.
mkdir clone
(cd "$TOP" && find . \( -name .git -o -path './build*' \) -prune -o -type f -print | tar cf - -T -) | tar xf - -C clone
git() { command git -c safe.directory='*' -c user.name=test -c user.email=test@test.invalid "$@"; }
export GIT_COMMITTER_DATE='2026-01-02T03:04:05Z' GIT_AUTHOR_DATE='2026-01-02T03:04:05Z' GIT_CONFIG_NOSYSTEM=1
commit() { git -C clone add -A && git -C clone commit -qm tree; }
git -C clone init -q && commit || bail git

make_in clone dist
is "make dist" "$rc" 0
exists "the tarball has name and version" clone/build/$name.tar.xz
sum=$(sha256sum <clone/build/$name.tar.xz)
echo 'not committed' >clone/stray.c
(umask 077 && touch clone/build/$name.tar.xz && cd clone && TZ=Asia/Tokyo command make dist >../out 2>../err)
is "again, with another umask and time zone: the same bytes" "$(sha256sum <clone/build/$name.tar.xz)" "$sum"
matches "what is not committed is said not to be in it" err 'not committed'
rm clone/stray.c

tar xf clone/build/$name.tar.xz || bail tar
is "it unpacks into one directory" "$(tar tf clone/build/$name.tar.xz | grep -v "^$name/")" ''
for f in Makefile README.md CHANGELOG.md SECURITY.md LICENSE bootstrap debian/control debian/rules tests/run man/tagcore.1 \
	include/tagcore/tagcore.h src/cli/main.c completion/print.c; do
	exists "it has $f" "$name/$f"
done
ok "scripts can be run" test -x $name/bootstrap -a -x $name/debian/rules -a -x $name/tests/run
is "nothing of git's" "$(find $name -name '.git*')" ''
is "nothing that is built" "$(find $name -name '*.o' -o -name build -o -name '*.a')" ''
is "the same files otherwise" "$(cd clone && git ls-files | grep -v '^\.git' | sort)" "$(cd $name && find . -type f | sed 's,^\./,,' | sort)"

make_in $name -n all
is "make knows there how to build" "$rc" 0
matches "the program" out '/tagcore'
make_in $name dist
is "make dist of what is no clone fails" "$rc" 2
matches "and says why" err 'no git clone'
done_testing
