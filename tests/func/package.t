# What the Debian packages take of an installation: every pattern finds a file, and no file is left over.
. "$TOP/tests/func/lib.sh"
have make || skip_all "no make"
unset MAKEFLAGS MFLAGS MAKELEVEL
cd "$TOP" || bail "no $TOP"
here=$OLDPWD
run make -s O="$O" -o "$O/flags" -o "$O/sources" DESTDIR="$here/root" PREFIX=/usr LIBDIR=/usr/lib/there \
	ZSHDIR=/usr/share/zsh/vendor-completions install
cd "$here" || bail "no $here"
is "make install, as debian/rules says" "$rc" 0
args=$(sed -n 's/^ARGS := V=1 //p' "$TOP/debian/rules")
# shellcheck disable=SC2016 # as it is in the file
is "debian/rules says so" "$args" 'PREFIX=/usr LIBDIR=/usr/lib/$(DEB_HOST_MULTIARCH) ZSHDIR=/usr/share/zsh/vendor-completions'

: >taken
for list in "$TOP"/debian/*.install; do
	while read -r pattern; do
		# shellcheck disable=SC2086 # a pattern
		found=$(cd root && find $pattern ! -type d 2>/dev/null)
		ok "$(basename "$list"): $pattern is there" test -n "$found"
		printf '%s\n' "$found" >>taken
	done <"$list"
done
(cd root && find usr ! -type d) | sort >there
is "no file is in two packages" "$(sort taken | uniq -d)" ''
is "none is in no package" "$(sort taken | comm -3 - there)" ''

packages=$(sed -n 's/^Package: //p' "$TOP/debian/control" | sort | tr '\n' ' ')
is "packages" "$packages" "libtagcore-dev libtagcore0 tagcore "
for p in $packages; do
	ok "$p has a list of files" test -s "$TOP/debian/$p.install"
done
soname=$(readelf -d root/usr/lib/there/libtagcore.so | sed -n 's/.*(SONAME).*\[libtagcore\.so\.\(.*\)\]/\1/p')
is "the package of the library is named after its soname" "libtagcore$soname" libtagcore0
# What programs need that link libtagcore.a: the -dev package of each library that tagcore.pc names.
needs=$(sed -n 's/^Requires\.private: //p' root/usr/lib/there/pkgconfig/tagcore.pc)
for lib in $needs; do
	case $lib in
	zlib)		dev=zlib1g-dev ;;
	liblzma)	dev=liblzma-dev ;;
	libunwind-generic) dev=libunwind-dev ;;
	*)		dev=$lib-dev ;;
	esac
	ok "libtagcore-dev depends on $dev" sh -c "sed -n '/^Package: libtagcore-dev/,/^Description/p' '$TOP/debian/control' | grep -q ' $dev,'"
done
done_testing
