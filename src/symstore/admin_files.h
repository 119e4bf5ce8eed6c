// The text files of a symstore tree, line by line: what symstore.exe writes, and what tools that
// imitate it write.
//   000Admin/server.txt, history.txt   transactions       parse_transactions
//   000Admin/0000000001                its files          parse_members
//   NAME/ID/refs.ptr                   who holds a file   parse_references
//   NAME/ID/file.ptr                   where it is        parse_pointer
// Not the tree (symstore/tree.h). Text is bytes as they stand (Windows code pages, UTF-8), line
// ends are CRLF or LF. A line that is none is left out: one odd line must not hide a store.
// Pure functions; results own their text. Fails with too_large past the limits.
// Format: docs/formats/symstore.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace symstore {

constexpr std::uint64_t kAdminFileSizeMax = 256ull << 20;
constexpr std::size_t kLinesMax = 4'000'000;
constexpr std::size_t kLineSizeMax = 64 * 1024;

enum class Kind : std::uint8_t { file, pointer };  // "file", "ptr"
std::string_view name_of(Kind kind);

// "0000000001,add,file,09/06/2016,10:34:19,"product","version","comment",", or
// "0000000004,del,0000000001".
struct Transaction {
  std::uint64_t id = 0;
  bool is_delete = false;
  std::uint64_t deletes = 0;  // of a delete: the transaction that went
  Kind kind = Kind::file;
  std::string date;  // MM/DD/YYYY, in the writer's time zone
  std::string time;  // HH:MM:SS
  std::string product, version, comment;

  std::string line() const;  // without line end
  friend bool operator==(const Transaction&, const Transaction&) = default;
};

// One file of a transaction: where in the store, and what it was.
struct Member {
  std::string name;    // "foo.pdb"
  std::string id;      // "F6301B4562FE4B4DB691192733ECE6B71"
  std::string source;  // "C:\build\foo.pdb"

  std::string line() const;
  friend bool operator==(const Member&, const Member&) = default;
};

// How much a stored file says: a PDB with all of its symbols, one that was stripped of its
// private ones, anything else.
enum class Form : std::uint8_t { binary, public_symbols, private_symbols };  // bin, pub, pri
std::string_view name_of(Form form);

// One line of refs.ptr: "0000000001,file,"C:\build\foo.pdb",pri,,N,,".
struct Reference {
  std::uint64_t transaction = 0;
  Kind kind = Kind::file;
  std::string source;
  Form form = Form::binary;
  bool compressed = false;
  std::string text;  // the line as it was read: other fields stay what they are

  std::string line() const;  // `text` when it has one
};

struct Pointer {
  bool is_message = false;  // "MSG: …": nobody will find the file any more
  std::string text;         // a path, or the message
};

base::Result<std::vector<Transaction>> parse_transactions(std::string_view text);
base::Result<std::vector<Member>> parse_members(std::string_view text);
base::Result<std::vector<Reference>> parse_references(std::string_view text);
Pointer parse_pointer(std::string_view text);

// The ten digits of an id, as names of files and in lastid.txt.
std::string digits_of(std::uint64_t id);
std::optional<std::uint64_t> find_id(std::string_view digits);

// Text for a quoted field: what would end it, or the line, is replaced.
std::string quotable(std::string_view text);

// date and time of a transaction, in local time as symstore writes it; and back, taken as UTC.
void set_time(Transaction& transaction, base::Time now);
std::optional<base::Time> time_of(const Transaction& transaction);

}  // namespace symstore
