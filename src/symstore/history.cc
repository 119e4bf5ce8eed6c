#include "symstore/history.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"

namespace symstore {

using base::Result;

namespace {

constexpr std::string_view kLineEnd = "\r\n";

void sort_by_number(std::vector<Transaction>& lines) {
  std::sort(lines.begin(), lines.end(), [](const Transaction& a, const Transaction& b) {
    return std::tie(a.id, a.is_delete) < std::tie(b.id, b.is_delete);
  });
}

}  // namespace

Result<Lives> lives_of(const Tree& tree) {
  const std::vector<Transaction> current = TRY(tree.current());
  const std::vector<Transaction> history = TRY(tree.history());
  std::map<std::uint64_t, std::uint64_t> deletes;  // what was deleted → by which number
  for (const Transaction& line : history) {
    if (line.is_delete && line.id > line.deletes) deletes[line.deletes] = line.id;
  }
  Lives lives;
  std::set<std::uint64_t> seen;
  for (const Transaction& line : current) {
    if (!line.is_delete && seen.insert(line.id).second) lives.all.push_back({line, 0});
  }
  for (const Transaction& line : history) {
    if (line.is_delete || !seen.insert(line.id).second) continue;
    const auto deleted = deletes.find(line.id);
    if (deleted == deletes.end()) {
      lives.lost.push_back(line);
    } else {
      lives.all.push_back({line, deleted->second});
    }
  }
  std::sort(lives.all.begin(), lives.all.end(),
            [](const Life& a, const Life& b) { return a.transaction.id < b.transaction.id; });
  return lives;
}

Life life_of(const store::TransactionRecord& record) {
  Life life;
  life.transaction.id = static_cast<std::uint64_t>(record.id);
  life.transaction.kind = record.kind == "ptr" ? Kind::pointer : Kind::file;
  life.transaction.date = quotable(record.date);
  life.transaction.time = quotable(record.time);
  life.transaction.product = record.product;
  life.transaction.version = record.version;
  life.transaction.comment = record.comment;
  life.deleted_by = static_cast<std::uint64_t>(record.deleted_by);
  return life;
}

std::vector<Member> members_of(const store::TransactionRecord& record) {
  std::vector<Member> members;
  std::map<std::string, std::size_t> places;
  for (const store::TransactionFile& file : record.files) {
    const std::string key = base::lower_ascii(file.name + "/" + file.id);
    const auto [place, is_new] = places.emplace(key, members.size());
    if (is_new) members.push_back({file.name, file.id, file.source});
    if (base::equal_ignoring_case(file.file, file.name)) {
      members[place->second].source = file.source;
    }
  }
  return members;
}

std::string server_text(const std::vector<Life>& lives) {
  std::string text;
  for (const Life& life : lives) {
    if (life.deleted_by != 0) continue;
    text += life.transaction.line();
    text += kLineEnd;
  }
  return text;
}

std::string history_text(const std::vector<Life>& lives) {
  std::vector<Transaction> lines;
  for (const Life& life : lives) {
    lines.push_back(life.transaction);
    if (life.deleted_by == 0) continue;
    Transaction deletion;
    deletion.id = life.deleted_by;
    deletion.is_delete = true;
    deletion.deletes = life.transaction.id;
    lines.push_back(std::move(deletion));
  }
  sort_by_number(lines);
  std::string text;
  for (const Transaction& line : lines) {
    if (!text.empty()) text += kLineEnd;
    text += line.line();
  }
  return text;
}

std::string members_text(const std::vector<Member>& members) {
  std::string text;
  for (const Member& member : members) {
    text += member.line();
    text += kLineEnd;
  }
  return text;
}

}  // namespace symstore
