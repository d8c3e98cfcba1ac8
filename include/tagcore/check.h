/* tagcore/check.h - whether a core is correct and complete: the findings of tagcore-validate(1). */
#pragma once

#include <tagcore/core.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tagcore_severity {
	TAGCORE_SEVERITY_ERROR,		/* against a specification, or readers stumble over it */
	TAGCORE_SEVERITY_WARNING,	/* something of the process is lost, or suspicious */
	TAGCORE_SEVERITY_INFO,		/* correct, but a known reader does not expect it */
};

/* One finding. */
struct tagcore_finding {
	const char *check;	/* id of the check, as in tagcore-checks(7): a stable name */
	enum tagcore_severity severity;
	const char *message;	/* what is wrong, and where */
	uint64_t offset;	/* in the file, in bytes */
	size_t unlisted;	/* not 0: this one, the last of its check, stands for so many that are not listed */
	const char *rule;	/* what must hold, in a sentence */
	const char *reference;	/* who says so */
};

/* The findings about a core, in the order of the checks. */
struct tagcore_findings;

/*
 * Looks at all of @core.  @max is how many findings of one check are listed at most; 0: 100.
 * A packed core is unpacked to its end.
 */
TAGCORE_API int tagcore_check_core(struct tagcore_findings **findings, struct tagcore_core *core, size_t max,
				   struct tagcore_error *error) TAGCORE_MUST_CHECK;
/* The same for a file, of which it is a finding, and no error, that it is no core. */
TAGCORE_API int tagcore_check_file(struct tagcore_findings **findings, const char *path,
				   const struct tagcore_open_options *options, size_t max,
				   struct tagcore_error *error) TAGCORE_MUST_CHECK;
TAGCORE_API void tagcore_findings_free(struct tagcore_findings *findings);
TAGCORE_API size_t tagcore_findings_count(const struct tagcore_findings *findings);
/* Number @i; NULL past the end.  Valid until the next call of this function for @findings. */
TAGCORE_API const struct tagcore_finding *tagcore_findings_get(struct tagcore_findings *findings, size_t i);
/* "error", "warning", "info". */
TAGCORE_API const char *tagcore_severity_name(enum tagcore_severity severity);

#ifdef __cplusplus
}
#endif
