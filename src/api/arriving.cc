#include "api/arriving.h"

#include "api/clients.h"
#include "api/wanted.h"
#include "base/text.h"

namespace api {

using ident::Artifact;
using supply::Arriving;
using Takes = supply::Supply::Takes;

namespace {

// What an upstream server has is the file itself; these are made of it.
bool is_whole_file(Artifact artifact) {
  switch (artifact) {
    case Artifact::stored:
    case Artifact::sym:
    case Artifact::debuginfo:
    case Artifact::executable:
    case Artifact::package_or_debuginfo:
    case Artifact::skeleton_or_executable:
      return true;
    case Artifact::index:
    case Artifact::section:
    case Artifact::dwp:
    case Artifact::msfz:
    case Artifact::cabinet:
    case Artifact::formatted:
    case Artifact::dwo:
      break;
  }
  return false;
}

// A file asked for by its path under another name (packed, a pointer) is not what comes.
bool is_asked_by(const ident::SymbolRequest& wanted, const Arriving& arriving) {
  if (arriving.is_known || wanted.artifact != Artifact::stored || !wanted.asked) return true;
  return base::equal_ignoring_case(wanted.asked->file, arriving.name);
}

// Larger than this client takes, or perhaps so.
bool may_be_too_large(const net::Request& request, const Arriving& arriving) {
  const auto size_max = base::parse_decimal(request.header("X-DEBUGINFOD-MAXSIZE"));
  if (!size_max || *size_max == 0) return false;
  const auto total = arriving.bytes->total();
  return !total || *total > *size_max;
}

}  // namespace

Takes takes_of(const net::Request& request, const ident::SymbolRequest& wanted) {
  const bool whole = request.method == net::Method::get && request.header("Range").empty() &&
                     is_whole_file(wanted.artifact);
  return whole ? Takes::arriving : Takes::settled;
}

std::optional<net::Answer> answer_arriving(const net::Request& request,
                                           const ident::SymbolRequest& wanted,
                                           const supply::Supply& supply) {
  if (takes_of(request, wanted) != Takes::arriving) return std::nullopt;
  const auto arriving = supply.arriving(wanted);
  if (!arriving || !is_asked_by(wanted, *arriving) || may_be_too_large(request, *arriving)) {
    return std::nullopt;
  }
  net::Answer answer;
  answer.body = arriving->bytes;
  answer.headers.add("Content-Type", wanted.artifact == Artifact::sym ? "text/plain; charset=utf-8"
                                                                      : "application/octet-stream");
  answer.headers.add("Access-Control-Allow-Origin", "*");
  answer.headers.add("Cache-Control", "public, max-age=300");
  if (!is_buildid_path(request.path)) return answer;
  if (const auto total = arriving->bytes->total()) {
    answer.headers.set("X-DEBUGINFOD-SIZE", std::to_string(*total));
  }
  answer.headers.set("X-DEBUGINFOD-FILE", header_text(arriving->name));
  if (wanted.artifact == Artifact::package_or_debuginfo ||
      wanted.artifact == Artifact::skeleton_or_executable) {
    answer.headers.add("Vary", "User-Agent");
  }
  return answer;
}

}  // namespace api
