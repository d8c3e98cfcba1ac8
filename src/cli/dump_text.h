/* dump_text.h - the output of dump: report and plan, as text and as JSON. */
#pragma once

#include <stdio.h>

#include <json-c/json.h>

#include "dump/dump.h"

enum { UNSTOPPED_TEXT_MAX = 128 };
/* Why a thread did not stop, as it goes on after "did not stop: ". */
const char *unstopped_text(const struct dump_unstopped *u, char out[UNSTOPPED_TEXT_MAX]);

/* One line: file, sizes, threads, areas, pause, time, losses; then a line for each loss. */
void report_print(FILE *f, const struct dump_report *r);
/* Adds the report to *list, which is made on first use. */
int report_add_json(struct json_object **list, const struct dump_report *r, struct err *e) must_check;
int report_print_json(struct json_object *list, struct err *e) must_check;

void preview_print(FILE *f, pid_t pid, const struct dump_preview *p);
int preview_add_json(struct json_object **list, pid_t pid, const struct dump_preview *p, struct err *e) must_check;
/* One process: its object; several: an array of them. */
int preview_print_json(struct json_object *list, struct err *e) must_check;
