/* pause.h - the longest stop that the user wants: what keeps to it, and whether it was kept to. */
#pragma once

#include "dump/dump_priv.h"

/* d->wish and d->precopy, when the output is open. */
void pause_choose(struct dump *d);
/* The copying before the stop, if it was chosen; where it cannot be, d->wish is the next best and d->report says why. */
int pause_precopy(struct dump *d, struct err *e) must_check;
/* After the stop: d->report->late says why it took longer, if it did. */
void pause_judge(struct dump *d);
