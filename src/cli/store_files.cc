#include "cli/store_files.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "extract/identify.h"
#include "formats/archive/cab.h"
#include "symstore/index_of.h"

namespace cli {

using base::Error;
using base::Fault;
using base::Result;

namespace {

namespace fs = std::filesystem;

std::string absolute(const std::string& path) {
  std::error_code code;
  const fs::path resolved = fs::weakly_canonical(path, code);
  return code ? path : resolved.string();
}

// What is recorded as the file's origin: below the share, when one is given and the path begins
// like it.
std::string source_of(const std::string& path) { return absolute(path); }

Result<std::vector<std::string>> files_in(const std::string& directory, const std::string& pattern,
                                          bool recursive) {
  std::vector<std::string> kept;
  const std::vector<std::string> all = TRY(base::list_files(directory));
  for (const std::string& file : all) {
    if (!recursive && base::parent_of(file) != base::parent_of(base::join_path(directory, "x"))) {
      continue;
    }
    if (::fnmatch(pattern.c_str(), std::string(base::basename_of(file)).c_str(), FNM_CASEFOLD) ==
        0) {
      kept.push_back(file);
    }
  }
  return kept;
}

Result<std::vector<std::string>> expand(const std::string& given, bool recursive) {
  std::error_code code;
  if (given.starts_with('@')) {
    std::vector<std::string> all;
    const std::string list = TRY(base::read_file(given.substr(1), 64ull << 20));
    for (const std::string_view line : base::split(list, '\n')) {
      const std::string_view path = base::trim(line);
      if (!path.empty()) all.emplace_back(path);
    }
    return all;
  }
  if (fs::is_directory(given, code)) return files_in(given, "*", recursive);
  const std::string name(base::basename_of(given));
  if (name.find_first_of("*?") != std::string::npos) {
    const std::string parent(base::parent_of(given));
    return files_in(parent.empty() ? "." : parent, name, recursive);
  }
  if (!base::file_exists(given)) {
    return Error{Fault::not_found, given + ": no such file or directory"};
  }
  return std::vector<std::string>{given};
}

// A cabinet is looked into: the key is that of the file inside, which is what a store keeps.
Result<void> add_file(const std::string& path, const StoreArguments& arguments, StoreFiles& found) {
  const auto mapped = TRY(base::MappedFile::open(path));
  const extract::Identity identity = extract::identify(mapped->bytes());
  const auto indexed = symstore::index_of(identity, std::string(base::basename_of(path)));
  if (!indexed) {
    found.ignored.push_back(
        path + ": " + (identity.problem.empty() ? "no symbol file with an id" : identity.problem));
    return {};
  }
  symstore::NewMember member{indexed->name, indexed->id, source_of(path), path, indexed->form};
  if (!arguments.message.empty()) member.source = "MSG: " + arguments.message;
  found.members.push_back(std::move(member));
  return {};
}

// "NAME\ID","PATH",pub
Result<void> read_index_file(const StoreArguments& arguments, StoreFiles& found) {
  const std::string text = TRY(base::read_file(arguments.index_in, 256ull << 20));
  for (const std::string_view line : base::split(text, '\n')) {
    const auto members = TRY(symstore::parse_members(line));
    if (members.empty()) continue;
    const symstore::Member& member = members.front();
    std::string relative = member.source;
    symstore::NewMember added{member.name, member.id, "", "", symstore::Form::binary};
    const std::string_view end = base::trim(line);
    if (end.ends_with(",pub")) added.form = symstore::Form::public_symbols;
    if (end.ends_with(",pri")) added.form = symstore::Form::private_symbols;
    if (!arguments.share.empty()) {
      const bool windows = arguments.share.find('\\') != std::string::npos;
      added.source = arguments.share + (windows ? "\\" : "/") + relative;
      std::replace(relative.begin(), relative.end(), '\\', '/');
      added.path = base::join_path(arguments.share, relative);
    } else {
      added.source = added.path = relative;
    }
    found.members.push_back(std::move(added));
  }
  return {};
}

}  // namespace

Result<StoreFiles> find_store_files(const StoreArguments& arguments) {
  StoreFiles found;
  if (!arguments.index_in.empty()) TRY(read_index_file(arguments, found));
  for (const std::string& given : arguments.files) {
    const std::vector<std::string> files = TRY(expand(given, arguments.recursive));
    for (const std::string& file : files) TRY(add_file(file, arguments, found));
  }
  return found;
}

Result<void> write_index_file(const StoreArguments& arguments,
                              const std::vector<symstore::NewMember>& members) {
  std::string text;
  if (arguments.append && base::file_exists(arguments.index_out)) {
    text = TRY(base::read_file(arguments.index_out, 256ull << 20));
  }
  const std::string share = arguments.share.empty() ? "" : absolute(arguments.share) + "/";
  for (const symstore::NewMember& member : members) {
    std::string source = member.source;
    if (!share.empty() && source.starts_with(share)) source.erase(0, share.size());
    text += symstore::Member{member.name, member.id, source}.line() + ",";
    text += symstore::name_of(member.form);
    text += "\r\n";
  }
  return base::write_file_durably(arguments.index_out, base::bytes_of(text));
}

Result<void> append_transaction_id(const std::string& index_file, std::uint64_t id) {
  std::string text = TRY(base::read_file(index_file, 256ull << 20));
  text += "; transaction " + symstore::digits_of(id) + "\r\n";
  return base::write_file_durably(index_file, base::bytes_of(text));
}

}  // namespace cli
