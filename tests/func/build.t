# The Makefile, in a small tree of its own: what is missing is named at once, what is removed is gone.
. "$TOP/tests/func/lib.sh"

have make && have cc && have pkg-config || skip_all "no make, cc or pkg-config"
unset MAKEFLAGS MFLAGS MAKELEVEL
mkdir -p tree/tests/targets tree/tests/func tree/src/base tree/src/cli tree/src/api tree/arch tree/include/tagcore tree/man tree/tests/unit bin
cp "$TOP/Makefile" tree
cp -R "$TOP/completion" tree
printf '#include <stdio.h>\nint main(void)\n{\n\treturn puts("command\\tone\\tPID...\\thelp") < 0;\n}\n' >tree/completion/print.c
cp "$TOP"/src/api/libtagcore.map "$TOP"/src/api/tagcore.pc.in tree/src/api
echo '/* nothing */' >tree/src/base/first.h
for f in first second; do
	printf '#include "base/first.h"\nint %s(void);\nint %s(void)\n{\n\treturn 0;\n}\n' $f $f >tree/src/base/$f.c
done
printf 'extern int machine;\nint machine;\n' >tree/arch/arch.c
printf 'int first(void);\nint main(void)\n{\n\treturn first();\n}\n' >tree/src/cli/main.c
printf '/* nothing */\n' >tree/include/tagcore/thing.h
for f in tagcore gcore; do echo ".TH $f 1" >tree/man/$f.1; done

# A pkg-config that knows all packages but $NOT, and no library of any.
cat >bin/pkg-config <<'EOF'
case "$*" in --exists*" $NOT") exit 1 ;; esac
EOF
# A compiler that has the header of libiberty unless $NOT says so, and needs no libiberty.
cat >bin/cc <<'EOF'
case " $* " in *' -E '*) [ "$NOT" != libiberty ]; exit ;; esac
for a; do
	shift
	[ "$a" = -liberty ] || set -- "$@" "$a"
done
PATH=${PATH#*:} exec cc "$@"
EOF
for f in bin/*; do
	sed -i '1i #!/bin/sh' $f
done
chmod +x bin/*
build() { run env -u O -u PREFIX -u DESTDIR PATH="$PWD/bin:$PATH" NOT="${NOT-}" make -C tree "$@"; }

echo 'int main(void) { return 0; }' >tree/tests/targets/dumped.c
echo 'exit 0' >tree/tests/func/one.t

for NOT in libdw libseccomp libiberty; do
	build
	is "$NOT is missing: make fails" "$rc" 2
	matches "and names it" err "missing here.*: $NOT\."
	is "before it has built anything" "$(find tree/build -name '*.o' 2>/dev/null)" ''
done
NOT=libdw
build help
is "help needs no package" "$rc" 0
for goal in check check-all install uninstall lint bench demo fuzz dist clean; do
	matches "help has $goal" out "^make .*\b$goal\b"
done
NOT=cmocka
build all
is "the program needs no package of the tests" "$rc" 0
build check T=anything
matches "the tests do" err 'missing here.*: cmocka\.'
NOT=
build check T=nothing-has-this-name
is "a test that there is not: make fails" "$rc" 2
matches "and says so" err "no test has 'nothing-has-this-name'"

chosen() { make -s -n -C "$TOP" O="$O" "$@" 2>/dev/null | grep ' tests/run ' | tr ' ' '\n' | grep -E 'func/(bounds|cli)\.t'; }
is "make check has what is short" "$(chosen check)" tests/func/cli.t
is "make check-all has all" "$(chosen check-all | sort | tr '\n' ' ')" "tests/func/bounds.t tests/func/cli.t "
is "make check has what is named" "$(chosen check T=bounds)" tests/func/bounds.t
build -n check T=one.t
matches "a script among the tests: what it dumps is built before" out ' -o build/targets/dumped .*tests/targets/dumped\.c'

is "the archive of all names has all sources" "$(ar t tree/build/libinternal.a | sort | tr '\n' ' ')" 'arch.o first.o second.o '
build
matches_not "a second make builds nothing" out '^  (CC|AR|LD|GEN) '
touch tree/src/base/first.h
build O="$PWD/tree/build"
matches "a header is newer, and the build directory has another name: what includes it is built anew" out 'CC.*first\.o'
rm tree/src/base/second.c
build
is "a source is removed: make goes on" "$rc" 0
is "and the archive is without it" "$(ar t tree/build/libinternal.a | sort | tr '\n' ' ')" 'arch.o first.o '
build CFLAGS=-O0
matches "other flags: all is built anew" out 'CC.*first\.o'

rm tree/build/completion/tagcore.zsh
build
matches "a completion is made anew" tree/build/completion/tagcore.zsh "'one:help'"
build -n CROSS=i686-linux-gnu all
matches_not "for another machine none is made: the program that knows the commands does not run here" out completion
build -n CROSS=i686-linux-gnu EXEC=qemu-i386 all
matches "but by an emulator" out 'qemu-i386 build-i686-linux-gnu/completion/print'

build O="$PWD/elsewhere"
is "built in another place" "$rc" 0
ok "the program is there" test -x elsewhere/tagcore
build O="$PWD/elsewhere" DESTDIR="$PWD/root" PREFIX=/usr BINDIR=/opt/bin LIBDIR=/usr/lib/there MANDIR=/man install-gcore
is "installed" "$rc" 0
for f in opt/bin/tagcore opt/bin/gcore usr/lib/there/libtagcore.a usr/lib/there/libtagcore.so usr/lib/there/pkgconfig/tagcore.pc usr/include/tagcore/thing.h man/man1/tagcore.1 man/man1/gcore.1 \
	usr/share/bash-completion/completions/tagcore usr/share/bash-completion/completions/gcore usr/share/zsh/site-functions/_tagcore \
	usr/share/fish/vendor_completions.d/tagcore.fish; do
	ok "as /$f" test -e "root/$f"
done
echo other >root/opt/bin/other
build DESTDIR="$PWD/root" PREFIX=/usr BINDIR=/opt/bin LIBDIR=/usr/lib/there MANDIR=/man uninstall
is "uninstalled" "$rc" 0
is "what others put there stays, and nothing else" "$(find root ! -type d)" root/opt/bin/other
build DESTDIR="$PWD/root" install
ln -sf /usr/bin/gdb-gcore root/usr/local/bin/gcore
build DESTDIR="$PWD/root" uninstall
is "a gcore of others stays" "$(readlink root/usr/local/bin/gcore)" /usr/bin/gdb-gcore
done_testing
