# rows.awk - what the generators for bash, zsh and fish share: the rows of the tables, and what a word may be.
#
# A kind is what a shell can offer: file, dir, dirs (with ":" between them), pid, tid,
# command, view, note, "+WORD" for a word to be typed, or "-" for nothing.
# A place is the kinds that one word may be, with commas between them; places have blanks between them.
BEGIN {
	FS = "\t"
	split("FILE CORE IN OUT TEMPLATE PREFIX", w, " "); for (i in w) kind_of[w[i]] = "file"
	split("DIR DATADIR", w, " "); for (i in w) kind_of[w[i]] = "dir"
	split("MASK WHAT SEC MS SIZE N NUMBER ADDR LEN START-END", w, " "); for (i in w) kind_of[w[i]] = "-"
	kind_of["PATH"] = "dirs"; kind_of["PID"] = "pid"; kind_of["TID"] = "tid"
	kind_of["COMMAND"] = "command"; kind_of["VIEW"] = "view"; kind_of["TYPE"] = "note"
}

$1 == "command" { command[++commands] = $2; spec[$2] = $3; help[$2] = $4 }
$1 == "option" { n = ++options[$2]; name[$2, n] = $3; letter[$2, n] = $4; arg[$2, n] = $5; help[$2, n] = $6 }
$1 == "view" { view[++views] = $2; view_spec[$2] = $3; help["view", $2] = $4 }
$1 == "note" && !($2 in is_note) { note[++notes] = $2; is_note[$2] }

# Kinds of "SIZE|none".  A name in the tables that is not known here must get its kind above.
function kinds(text,    w, n, i, k, out)
{
	n = split(text, w, "|")
	for (i = 1; i <= n; i++) {
		k = w[i] ~ /^[a-z]+$/ ? "+" w[i] : kind_of[w[i]]
		if (k == "") {
			print "completion/rows.awk: no kind for " w[i] > "/dev/stderr"
			exit 1
		}
		if (k != "-")
			out = out (out ? "," : "") k
	}
	return out ? out : "-"
}

# "[TYPE|NUMBER] CORE" as places, "note,file file"; "PID..." as "pid...".  What is optional may be left out, so that its
# place can have the next one, too.
function places(text,    w, n, i, k, out, before, is_optional, more)
{
	gsub(/ *\[OPERAND\]\.\.\./, "", text)
	n = split(text, w, " ")
	for (i = 1; i <= n; i++) {
		is_optional = w[i] ~ /^\[/
		more = w[i] ~ /\.\.\.$/
		gsub(/[][]|\.\.\.$/, "", w[i])
		k = kinds(w[i])
		if (before != "")
			out = out (out ? " " : "") join(before, k)
		before = is_optional && i < n ? k : ""
		if (before == "")
			out = out (out ? " " : "") k (more ? "..." : "")
	}
	return out
}

function join(a, b)
{
	return a == "-" || a == b ? b : b == "-" ? a : a "," b
}

# The options of a command as words, "-o --output"
function option_words(cmd,    i, out)
{
	for (i = 1; i <= options[cmd]; i++)
		out = out (letter[cmd, i] == "-" ? "" : " -" letter[cmd, i]) " --" name[cmd, i]
	if (out !~ / --help( |$)/)
		out = out " --help"
	return substr(out, 2)
}

function list(words, n,    i, out)
{
	for (i = 1; i <= n; i++)
		out = out (i > 1 ? " " : "") words[i]
	return out
}

# The second file is the script, in which a line "#@ NAME" stands for what emit() of the shell's own .awk prints.
FNR != NR && /^[ \t]*#@ [a-z]+$/ { sub(/.*#@ /, ""); emit($0); next }
FNR != NR { print }
