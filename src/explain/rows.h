/* rows.h - the functions of the table's rows: each is the verdict, and says so, or leaves it to the next. */
#pragma once

#include "explain/crash.h"

/* ---- row_mte.c */
bool row_mte_double_free(struct crash *c);
bool row_mte_use_after_free(struct crash *c);
bool row_mte_freed_and_reused(struct crash *c);
bool row_mte_overflow(struct crash *c);
bool row_mte_underflow(struct crash *c);
bool row_mte_wild(struct crash *c);
bool row_mte_async(struct crash *c);
bool row_mte_unknown(struct crash *c);

/* ---- row_jump.c */
bool row_jump_null(struct crash *c);
bool row_jump_noncanonical(struct crash *c);
bool row_jump_data(struct crash *c);
bool row_jump_unmapped(struct crash *c);

/* ---- row_stack.c */
bool row_stack_overflow(struct crash *c);
bool row_stack_guard(struct crash *c);

/* ---- row_memory.c */
bool row_null(struct crash *c);
bool row_noncanonical(struct crash *c);
bool row_misaligned_vector(struct crash *c);
bool row_musl_check(struct crash *c);
bool row_privileged(struct crash *c);
bool row_protection(struct crash *c);
bool row_protection_key(struct crash *c);
bool row_shadow_stack(struct crash *c);
bool row_read_only(struct crash *c);
bool row_guard(struct crash *c);
bool row_no_permission(struct crash *c);
bool row_lost_permission(struct crash *c);
bool row_past_mapping(struct crash *c);
bool row_use_after_free(struct crash *c);
bool row_unmapped(struct crash *c);

/* ---- row_memory_left.c */
bool row_allocation_failed(struct crash *c);
bool row_map_failed(struct crash *c);
bool row_bad_alloc(struct crash *c);
bool row_v8_memory(struct crash *c);
/* Evidence, and what to try, of any row about memory that could not be had. */
void memory_show_mapped(struct crash *c);
void memory_try_limits(struct crash *c);

/* ---- row_bus.c */
bool row_bus_past_file(struct crash *c);
bool row_bus_misaligned(struct crash *c);
bool row_bus_poisoned(struct crash *c);
bool row_bus_other(struct crash *c);

/* ---- row_insn.c */
bool row_divide_zero(struct crash *c);
bool row_divide_overflow(struct crash *c);
bool row_divide(struct crash *c);
bool row_float(struct crash *c);
bool row_illegal(struct crash *c);
bool row_seccomp(struct crash *c);

/* ---- row_trap.c */
bool row_check_trap(struct crash *c);
bool row_trap_insn(struct crash *c);
bool row_breakpoint(struct crash *c);

/* ---- row_assertion.c */
bool row_assertion(struct crash *c);
bool row_assertion_only(struct crash *c);
bool row_cxx_assertion(struct crash *c);

/* ---- row_abort.c */
bool row_stack_smashing(struct crash *c);
bool row_fortify(struct crash *c);
bool row_heap_corruption(struct crash *c);
bool row_abort_message(struct crash *c);
bool row_abort(struct crash *c);

/* ---- row_exception.c */
bool row_exception(struct crash *c);
bool row_pure_virtual(struct crash *c);
bool row_terminate(struct crash *c);

/* ---- row_rust.c */
bool row_rust_panic(struct crash *c);
bool row_rust_alloc(struct crash *c);

/* ---- row_go.c */
bool row_go_panic(struct crash *c);
bool row_go_fatal(struct crash *c);

/* ---- row_glib.c */
bool row_glib_assertion(struct crash *c);
bool row_glib_fatal(struct crash *c);

/* ---- row_scudo.c */
bool row_scudo(struct crash *c);

/* ---- row_sanitizer.c */
bool row_sanitizer_report(struct crash *c);
bool row_sanitizer(struct crash *c);

/* ---- row_sent.c */
bool row_limit(struct crash *c);
bool row_raised(struct crash *c);
bool row_killed(struct crash *c);
bool row_timer(struct crash *c);

/* ---- row_lock.c */
bool row_deadlock(struct crash *c);
bool row_self_deadlock(struct crash *c);
bool row_refused_lock(struct crash *c);
bool row_owner_gone(struct crash *c);
bool row_waits_for_owner(struct crash *c);

/* ---- row_hang.c */
bool row_stopped(struct crash *c);
bool row_waits_for_disk(struct crash *c);
bool row_busy(struct crash *c);
bool row_waits_for_child(struct crash *c);
bool row_waits_for_output(struct crash *c);
bool row_waits_for_file_lock(struct crash *c);
bool row_waits_for_itself(struct crash *c);
bool row_waits_in_call(struct crash *c);
bool row_nobody_signals(struct crash *c);
bool row_all_idle(struct crash *c);
