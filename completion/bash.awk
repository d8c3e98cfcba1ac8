# bash.awk - the parts of tagcore.bash that are made from the tables; before rows.awk.
function emit(part,    i, j, c)
{
	if (part == "options")
		print "\t'') echo '-h --help -V --version' ;;"
	for (i = 1; i <= commands; i++) {
		c = command[i]
		if (part == "options")
			print "\t" c ") echo '" option_words(c) "' ;;"
		if (part == "places")
			print "\t" c ") [[ $2 ]] || echo '" places(spec[c]) "' ;;"
		for (j = 1; part == "arguments" && j <= options[c]; j++)
			if (arg[c, j] !~ /^[-[]/)
				print "\t'" c " --" name[c, j] "'" (letter[c, j] == "-" ? "" : " | '" c " -" letter[c, j] "'") \
					") echo '" kinds(arg[c, j]) "' ;;"
	}
	# The view itself is the first operand.
	for (i = 1; part == "views" && i <= views; i++)
		print "\t" view[i] ") echo '- " places(view_spec[view[i]]) "' ;;"
}

FNR != NR {
	sub(/@commands@/, list(command, commands))
	sub(/@views@/, list(view, views))
	sub(/@notes@/, list(note, notes))
}
