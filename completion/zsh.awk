# zsh.awk - the parts of tagcore.zsh that are made from the tables; before rows.awk.

# As one word of the shell.
function quoted(text)
{
	gsub(/'/, "'\\''", text)
	return "'" text "'"
}

# As the explanation of an option, for _arguments.
function explained(text)
{
	gsub(/\[|\]|:|\\/, "\\\\&", text)
	return "[" text "]"
}

function option(flag, c, j,    a, has_arg)
{
	a = arg[c, j]
	has_arg = a !~ /^[-[]/
	gsub(/:/, "\\:", a)
	return quoted((has_arg ? "*" : "") flag (!has_arg ? "" : flag ~ /^--/ ? "=" : "+") explained(help[c, j]) \
		(has_arg ? ":" a ": _tagcore_offer " kinds(arg[c, j]) : ""))
}

function print_options(c,    j)
{
	print "\t" c ")"
	print "\t\tplaces=(" places(spec[c]) ")"
	print "\t\toptions=("
	for (j = 1; j <= options[c]; j++)
		print "\t\t\t" (letter[c, j] == "-" ? "" : option("-" letter[c, j], c, j) " ") option("--" name[c, j], c, j)
	if (option_words(c) ~ / ?--help$/ && name[c, options[c]] != "help")
		print "\t\t\t'(- *)'{-h,--help}'[explain the command]'"
	print "\t\t) ;;"
}

function emit(part,    i)
{
	for (i = 1; part == "commands" && i <= commands; i++)
		print "\t\t\t\t" quoted(command[i] ":" help[command[i]])
	for (i = 1; part == "views" && i <= views; i++)
		print "\t\t\t\t" quoted(view[i] ":" help["view", view[i]])
	for (i = 1; part == "notes" && i <= notes; i++)
		print "\t\t\t\t" note[i]
	for (i = 1; part == "options" && i <= commands; i++)
		print_options(command[i])
	for (i = 1; part == "places" && i <= views; i++)
		print "\t\t" view[i] ") places=(- " places(view_spec[view[i]]) ") ;;"
}
