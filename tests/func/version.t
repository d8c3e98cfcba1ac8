# The version has one place, the Makefile's; what else names one agrees with it.
. "$TOP/tests/func/lib.sh"
version=$(sed -n 's/^VERSION *:= *//p' "$TOP/Makefile")

like "the Makefile has a version" "$version" '[0-9]*.[0-9]*.[0-9]*'
ok "--version" "$TAGCORE" --version
is "the program's is the same" "$(cat out)" "tagcore $version"
is "the newest entry of CHANGELOG.md is of it" "$(sed -n 's/^## \([^ ]*\).*/\1/p' "$TOP/CHANGELOG.md" | head -n 1)" "$version"
is "the newest entry of debian/changelog is of it" "$(sed -n '1s/^tagcore (\(.*\)) .*/\1/p' "$TOP/debian/changelog")" "$version"
is "examples show no other" "$(cd "$TOP" && grep -nEr '(tagcore[ _]|version )[0-9]+\.[0-9]+\.[0-9]+' README.md man | grep -vE "[ _]$version")" ''
num "and some show it" "$(grep -cF "tagcore $version" "$TOP/README.md")" -ge 1
# Manual pages would each be one place more.
is "no manual page has one in its head" "$(grep -l '^\.TH .*[0-9]\.[0-9]' "$TOP"/man/*)" ''
done_testing
