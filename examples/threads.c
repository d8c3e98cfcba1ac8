/* threads CORE - the threads of a core, each with the function that it is in. */
#include <inttypes.h>
#include <stdio.h>
#include <tagcore/tagcore.h>

static int print_name(const struct tagcore_symbol *symbol, void *arg)
{
	(void)arg;
	printf(" %s\n", symbol->function ? symbol->function : "?");
	return 0;
}

static int print_thread(struct tagcore_unwind *unwind, const struct tagcore_thread *thread, struct tagcore_error *error)
{
	struct tagcore_stack *stack;
	int r = tagcore_unwind_thread(&stack, unwind, thread, error);

	if (r)
		return r;
	printf("%c %" PRId32 " %s 0x%" PRIx64, thread->crashed ? '*' : ' ', thread->tid, thread->name, thread->pc);
	if (tagcore_stack_frames(stack))
		r = tagcore_symbols_each(unwind, tagcore_stack_frame(stack, 0), 0, print_name, NULL, error);
	else
		putchar('\n');
	tagcore_stack_free(stack);
	return r;
}

int main(int argc, char **argv)
{
	struct tagcore_unwind *unwind = NULL;
	struct tagcore_core *core = NULL;
	struct tagcore_error error;
	int r = tagcore_core_open(&core, argc > 1 ? argv[1] : "core", NULL, &error);

	if (!r)
		r = tagcore_unwind_open_core(&unwind, core, NULL, &error);
	for (size_t i = 0; !r && i < tagcore_core_threads(core); i++)
		r = print_thread(unwind, tagcore_core_thread(core, i), &error);
	if (r)
		fprintf(stderr, "threads: %s\n", error.message);
	tagcore_unwind_close(unwind);
	tagcore_core_close(core);
	return r != 0;
}
