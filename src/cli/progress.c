#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/progress.h"

/* How much the newest tenth of a second counts: the rate is that of the last two seconds or so. */
static const double NEWEST = 0.1;

enum { LEFT_MAX = 99 * 3600 };	/* seconds; more is not shown */

static const char *phase_text(enum dump_phase phase)
{
	switch (phase) {
	case DUMP_PREPARES:	return "not stopped yet";
	case DUMP_STOPPED:	return "stopped";
	case DUMP_RUNS:		return "running";
	}
	return "";
}

static void add_left(char *to, size_t room, double sec)
{
	if (sec >= 3600)
		snprintf(to, room, ", %.0f h %02.0f min left", sec / 3600 - 0.5, (double)((u64)sec / 60 % 60));
	else if (sec >= 60)
		snprintf(to, room, ", %llu min %02llu s left", (unsigned long long)sec / 60, (unsigned long long)sec % 60);
	else
		snprintf(to, room, ", %.0f s left", sec);
}

const char *progress_text(const struct progress *p, const struct dump_progress *now, char out[PROGRESS_TEXT_MAX])
{
	char done[TEXT_SIZE_MAX], total[TEXT_SIZE_MAX], rate[TEXT_SIZE_MAX];
	/* The total was predicted: there may be more. */
	double part = now->total ? (double)min(now->done, now->total) / (double)now->total : 1;
	double left = p->rate >= 1 ? (double)(now->total - min(now->done, now->total)) / p->rate : LEFT_MAX;
	size_t n;

	n = (size_t)snprintf(out, PROGRESS_TEXT_MAX, "%d: %s, %s of about %s (%.0f%%), %s/s", now->pid, phase_text(now->phase),
			     text_size(now->done, done), text_size(now->total, total), 100 * part,
			     text_size((u64)p->rate, rate));
	if (left < LEFT_MAX && n < PROGRESS_TEXT_MAX)
		add_left(out + n, PROGRESS_TEXT_MAX - n, left);
	return out;
}

static void measure(struct progress *p, const struct dump_progress *now)
{
	u64 at = now_ns();
	double sec = (double)(at - p->at) / 1e9, rate;

	/* The first time, or another process. */
	if (!p->at || now->done < p->done) {
		*p = (struct progress){ .at = at, .done = now->done, .shown = p->shown };
		return;
	}
	if (sec < 0.01)
		return;
	rate = (double)(now->done - p->done) / sec;
	p->rate = p->rate < 1 ? rate : p->rate * (1 - NEWEST) + rate * NEWEST;
	p->at = at;
	p->done = now->done;
}

/* A terminal takes no more after ^S; Linux 6.12, drivers/tty/n_tty.c: n_tty_poll(). */
static void write_line(const char *line, size_t len)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	struct err ignored;

	if (poll(&p, 1, 0) == 1 && p.revents == POLLOUT && io_write_full(STDERR_FILENO, line, len, "progress", &ignored))
		return;
}

/* Columns that a line may have: a longer one could not be written over.  Not a terminal: all. */
static size_t columns(void)
{
	struct winsize w;

	return !ioctl(STDERR_FILENO, TIOCGWINSZ, &w) && w.ws_col > 1 ? w.ws_col - 1u : PROGRESS_TEXT_MAX;
}

/* What a longer line has left is covered by spaces: that needs no terminal that knows how to erase. */
static void put_over(struct progress *p, const char *text)
{
	char line[2 * PROGRESS_TEXT_MAX + 8];
	size_t len = min(strlen(text), columns());
	int n = snprintf(line, sizeof(line), "\r%.*s", (int)len, text);

	if (p->shown > len)
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%*s\r%.*s", (int)(p->shown - len), "", (int)len, text);
	write_line(line, (size_t)n);
	p->shown = len;
}

void progress_show(void *arg, const struct dump_progress *now)
{
	struct progress *p = arg;
	char text[PROGRESS_TEXT_MAX];

	measure(p, now);
	put_over(p, progress_text(p, now, text));
}

void progress_end(struct progress *p)
{
	if (p->shown)
		put_over(p, "");
	*p = (struct progress){ 0 };
}
