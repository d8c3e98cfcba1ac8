# Backtraces of a program whose strings do not end in their section, live and of its core: nothing after it is shown.
. "$TOP/tests/func/lib.sh"
check_leaks
need_ptrace

# damage FILE SECTION: no string of the section ends, but the empty one at its begin.
cat >damage.py <<'END'
import subprocess, sys
path, name = sys.argv[1:]
for line in subprocess.run(['readelf', '-SW', path], capture_output=True, text=True).stdout.splitlines():
    words = line.split(']', 1)[-1].split()
    if words and words[0] == name:
        at, size = int(words[3], 16), int(words[4], 16)
        break
else:
    sys.exit(1)
with open(path, 'r+b') as f:
    f.seek(at)
    text = f.read(size)
    f.seek(at)
    f.write(text[:1] + text[1:].replace(b'\0', b'!'))
END
damage()
{
	python3 damage.py "$1" "$2"
}

{ have python3 && have readelf; } || skip_all "no python3 or no readelf"

for sections in .strtab .debug_str .debug_line_str '.strtab .debug_str'; do
	cp "$TARGETS/stacks" program
	damaged=
	for section in $sections; do
		damage program "$section" && damaged=1
	done
	if [ -z "$damaged" ]; then
		skip "$sections" "the compiler makes no such section"
		continue
	fi
	start ./program inline
	for how in '' '--source --inlines'; do
		# Words.
		# shellcheck disable=SC2086
		ok "$sections: live $how" "$TAGCORE" stack $how "$PID"
		matches_not "$sections: live $how: no string goes on" out '!'
		matches_not "$sections: live $how: nothing is incomplete" out incomplete
		matches "$sections: live $how: names of others are shown" out ' - .*/libc\.so'
	done
	ok "$sections: dump" "$TAGCORE" dump --force -q -o core "$PID"
	ok "$sections: core" "$TAGCORE" stack --source --inlines core
	matches_not "$sections: core: no string goes on" out '!'
	ok "$sections: core, JSON" "$TAGCORE" stack --json --inlines core
	is_json "$sections: core, JSON" out
	finish "$CHILD"
done
done_testing
