// The forms in which Symbolicator's clients send crashes: the file, and beside it the members that
// a question has when it is JSON.
// Views point into the request's body. Pure functions; any thread.
// read_crash_form() fails with malformed (no such form, no such part, a member that is none) or
// too_large; the words are for the client.
// Format: docs/protocols/symbolicator.md
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "net/http.h"
#include "symbolicate/trace_question.h"

namespace api {

struct CrashForm {
  base::Bytes file;
  symbolicate::TraceQuestion asks;  // sources, options and rewrites alone
};

// `part`: the file's name in the form; `what`: for people.
base::Result<CrashForm> read_crash_form(const net::Request& request, std::string_view part,
                                        std::string_view what);

}  // namespace api
