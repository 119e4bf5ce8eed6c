#include "cli/file_identity.h"

#include <cstdio>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "extract/identify.h"

namespace cli {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using extract::FileKind;
using extract::Identity;

struct Known {
  std::string name;  // base name
  std::vector<Identity> slices;
};

bool has_identity(const Identity& identity) {
  return !key_paths(module_names(identity, "x")).empty() || !identity.dwo_ids.empty();
}

Result<Known> know(const std::string& path) {
  const auto file = TRY(base::MappedFile::open(path));
  Known known{std::string(base::basename_of(path)), extract::identify_all(file->bytes())};
  for (const Identity& identity : known.slices) {
    if (has_identity(identity)) return known;
  }
  const Identity& first = known.slices.front();
  const std::string why = !first.problem.empty() ? first.problem
                          : first.kind == FileKind::unknown
                              ? "a file of unknown kind"
                              : "a " + std::string(name_of(first.kind)) + " file without any id";
  return Error{Fault::unsupported, path + ": " + why};
}

template <class Print>
int for_each_file(const std::vector<std::string>& paths, Print print) {
  int result = kDone;
  for (const std::string& path : paths) {
    const auto known = know(path);
    if (known.ok()) {
      print(path, *known);
    } else {
      result = fail(known.error().what);
    }
  }
  return result;
}

// A MODULE record bears the name of the debug file, CODE_ID that of the image.
void print_header(const std::string& name, const Identity& identity) {
  const bool image = identity.kind == FileKind::pe && !identity.pdbs.empty();
  const std::string& debug_file = image ? identity.pdbs.front().name : name;
  std::printf("MODULE %s %s %s %s\n", identity.os.empty() ? "unknown" : identity.os.c_str(),
              identity.arch.empty() ? "unknown" : identity.arch.c_str(),
              identity.debug_id.breakpad().c_str(), debug_file.c_str());
  if (identity.code_id.empty()) return;
  const std::string code_id = base::upper_ascii(identity.code_id);
  if (identity.kind == FileKind::pe) {
    std::printf("INFO CODE_ID %s %s\n", code_id.c_str(), name.c_str());
  } else {
    std::printf("INFO CODE_ID %s\n", code_id.c_str());
  }
}

struct Field {
  const char* name;
  std::string value;
};

std::vector<Field> fields_of(const Identity& identity) {
  std::vector<Field> fields{
      {"kind", std::string(name_of(identity.kind))}, {"os", identity.os}, {"arch", identity.arch}};
  if (!identity.debug_id.is_nil()) fields.push_back({"debug_id", identity.debug_id.breakpad()});
  for (const auto& id : identity.other_debug_ids) {
    fields.push_back({"other_debug_id", id.breakpad()});
  }
  fields.insert(fields.end(), {{"code_id", identity.code_id},
                               {"build_id", identity.build_id},
                               {"uuid", identity.uuid},
                               {"signature_and_age", identity.old_id},
                               {"checksum", identity.checksum},
                               {"pdb_checksum", identity.pdb_checksum},
                               {"file_version", identity.file_version},
                               {"own_name", identity.name},
                               {"debug_link", identity.debug_link},
                               {"alt_link", identity.alt_link},
                               {"problem", identity.problem}});
  for (const std::string& id : identity.dwo_ids) fields.push_back({"dwo_id", id});
  std::erase_if(fields, [](const Field& field) { return field.value.empty(); });
  return fields;
}

void print_text(const std::string& path, const Known& known) {
  for (const Identity& identity : known.slices) {
    std::printf("%s\n", path.c_str());
    for (const Field& field : fields_of(identity)) {
      std::printf("  %-14s %s\n", field.name, base::to_valid_utf8(field.value).c_str());
    }
    for (const ident::KeyPath& key : key_paths(module_names(identity, known.name))) {
      std::printf("  %-11s %-8s %s\n", std::string(name_of(key.protocol)).c_str(),
                  std::string(name_of(key.role)).c_str(), key.path.c_str());
    }
  }
}

// Fields that may come several times are arrays.
void write_fields(const Identity& identity, base::JsonWriter& out) {
  const auto fields = fields_of(identity);
  for (const Field& field : fields) {
    const std::string_view name = field.name;
    if (name == "other_debug_id" || name == "dwo_id") continue;
    out.key(name).string(field.value);
  }
  for (const char* list : {"other_debug_id", "dwo_id"}) {
    out.key(std::string(list) + "s").begin_array();
    for (const Field& field : fields) {
      if (std::string_view(field.name) == list) out.string(field.value);
    }
    out.end_array();
  }
  out.key("has_code").boolean(identity.has_code);
  out.key("has_debug_info").boolean(identity.has_debug_info);
  out.key("has_symbol_table").boolean(identity.has_symbol_table);
  out.key("has_unwind_info").boolean(identity.has_unwind_info);
  out.key("has_source_server").boolean(identity.has_source_server);
  out.key("has_source_link").boolean(identity.has_source_link);
}

void write_json(const std::string& path, const Known& known, base::JsonWriter& out) {
  out.begin_object().key("file").string(path).key("identities").begin_array();
  for (const Identity& identity : known.slices) {
    out.begin_object();
    write_fields(identity, out);
    out.key("keys").begin_array();
    for (const ident::KeyPath& key : key_paths(module_names(identity, known.name))) {
      out.begin_object().key("protocol").string(name_of(key.protocol));
      out.key("role").string(name_of(key.role)).key("path").string(key.path).end_object();
    }
    out.end_array().end_object();
  }
  out.end_array().end_object();
}

}  // namespace

int list_arches(const std::vector<std::string>& paths) {
  return for_each_file(paths, [](const std::string&, const Known& known) {
    for (const Identity& identity : known.slices) std::printf("%s\n", identity.arch.c_str());
  });
}

int print_headers(const std::vector<std::string>& paths) {
  return for_each_file(paths, [](const std::string&, const Known& known) {
    for (const Identity& identity : known.slices) print_header(known.name, identity);
  });
}

int print_keys(const std::vector<std::string>& paths, bool json) {
  if (!json) return for_each_file(paths, print_text);
  base::JsonWriter out(base::JsonWriter::Style::pretty);
  out.begin_array();
  const int result = for_each_file(
      paths, [&](const std::string& path, const Known& known) { write_json(path, known, out); });
  out.end_array();
  std::printf("%s\n", out.text().c_str());
  return result;
}

}  // namespace cli
