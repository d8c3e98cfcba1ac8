# fish.awk - the parts of tagcore.fish that are made from the tables; before rows.awk.
function quoted(text)
{
	gsub(/\\|'/, "\\\\&", text)
	return "'" text "'"
}

function print_option(c, j,    k, has_arg)
{
	has_arg = arg[c, j] !~ /^[-[]/
	k = has_arg ? kinds(arg[c, j]) : ""
	print "complete -c tagcore -n '__tagcore_is " c "'" (letter[c, j] == "-" ? "" : " -s " letter[c, j]) \
		" -l " name[c, j] (!has_arg ? "" : k == "file" ? " -r -F" : " -r -f -a '(__tagcore_offer " k ")'") \
		" -d " quoted(help[c, j])
}

function print_arguments(c, j)
{
	if (arg[c, j] !~ /^[-[]/)
		print "\t\tcase '" c " --" name[c, j] "'" (letter[c, j] == "-" ? "" : " '" c " -" letter[c, j] "'") \
			"\n\t\t\treturn 0"
}

function emit(part,    i, j, c)
{
	for (i = 1; i <= commands; i++) {
		c = command[i]
		for (j = 1; part == "options" && j <= options[c]; j++)
			print_option(c, j)
		for (j = 1; part == "arguments" && j <= options[c]; j++)
			print_arguments(c, j)
		if (part == "options" && option_words(c) ~ /--help$/ && name[c, options[c]] != "help")
			print "complete -c tagcore -n '__tagcore_is " c "' -s h -l help -d 'explain the command'"
		if (part == "places")
			print "\t\tcase " c "\n\t\t\techo " places(spec[c])
		if (part == "commands")
			print "\t\t\t\tprintf '%s\\t%s\\n' " c " " quoted(help[c])
	}
	for (i = 1; part == "views" && i <= views; i++)
		print "\t\tcase " view[i] "\n\t\t\ttest $argv[1] = inspect; and echo - " places(view_spec[view[i]]) "; and return"
	for (i = 1; part == "viewrows" && i <= views; i++)
		print "\t\t\t\tprintf '%s\\t%s\\n' " view[i] " " quoted(help["view", view[i]])
	if (part == "notes")
		print "\t\t\t\tprintf '%s\\n' " list(note, notes)
}
