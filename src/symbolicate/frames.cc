#include "symbolicate/frames.h"

#include <fmt/format.h>

#include <iterator>

namespace symbolicate {
namespace {

using symbols::Hit;
using symbols::SourceFrame;

void append_human(std::string& out, const SourceFrame& frame, const std::string& after_name) {
  fmt::format_to(std::back_inserter(out), "  {}{}", frame.function, after_name);
  if (frame.has_file) {
    fmt::format_to(std::back_inserter(out), "  {}:{}", frame.file, frame.has_line ? frame.line : 0);
  }
  out += '\n';
}

// Written by hand: a comparison prints hundreds of thousands of these.
void append_tabs(std::string& out, const SourceFrame& frame) {
  out += frame.function;
  out += '\t';
  out += frame.has_file ? frame.file : std::string_view("??");
  out += '\t';
  const fmt::format_int line(frame.has_line ? frame.line : 0);
  out.append(line.data(), line.size());
  out += '\n';
}

std::string hex(std::uint64_t value) { return fmt::format("0x{:x}", value); }

void write_frame(base::JsonWriter& out, const SourceFrame& frame, const std::string& offset,
                 bool inlined) {
  out.begin_object();
  out.key("function").string(frame.function);
  out.key("function_offset");
  offset.empty() ? out.null() : out.string(offset);
  out.key("file");
  frame.has_file ? out.string(frame.file) : out.null();
  out.key("line");
  frame.has_line ? out.unsigned_integer(frame.line) : out.null();
  out.key("inlined").boolean(inlined);
  out.end_object();
}

}  // namespace

void append_frames(std::string& out, base::Rva rva, const Hit* hit, Style style) {
  if (hit == nullptr) {
    out += style == Style::kTabs ? "??\t??\t0\n" : "  ??\n";
    return;
  }
  for (const SourceFrame& frame : hit->inlines) {
    style == Style::kTabs ? append_tabs(out, frame) : append_human(out, frame, " [inlined]");
  }
  if (style == Style::kTabs) {
    append_tabs(out, hit->physical);
  } else {
    append_human(out, hit->physical, " +" + hex(rva.value - hit->start.value));
  }
}

void write_frames(base::JsonWriter& out, base::Rva rva, const Hit* hit) {
  out.begin_array();
  if (hit != nullptr) {
    for (const SourceFrame& frame : hit->inlines) write_frame(out, frame, "", true);
    write_frame(out, hit->physical, hex(rva.value - hit->start.value), false);
  }
  out.end_array();
}

}  // namespace symbolicate
