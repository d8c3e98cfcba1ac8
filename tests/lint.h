/* lint.h - what an analyzer that reads one file at a time cannot know: err_* always yield a failure. */
#pragma once

#include "base/err.h"

#define err_set(...) ((void)err_set(__VA_ARGS__), ERR_INPUT)
#define err_at(...) ((void)err_at(__VA_ARGS__), ERR_INPUT)
#define err_wrap(...) ((void)err_wrap(__VA_ARGS__), ERR_INPUT)
