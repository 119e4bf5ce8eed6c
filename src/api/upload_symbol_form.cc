#include "api/upload_symbol_form.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace api {

using net::Answer;
using net::Part;

namespace {

std::string field(const std::vector<Part>& parts, std::string_view name) {
  for (const Part& part : parts) {
    if (part.name == name && !part.filename)
      return std::string(base::trim(base::text_of(part.body)));
  }
  return "";
}

bool is_sym_text(base::Bytes bytes) {
  return base::text_of(bytes.first(std::min<std::size_t>(bytes.size(), 7))) == "MODULE ";
}

}  // namespace

std::optional<ident::StorePath> path_of_module(const std::string& debug_file,
                                               const std::string& debug_id, bool is_sym) {
  const std::string name(base::basename_of(debug_file));
  std::string id = debug_id;
  id.erase(std::remove(id.begin(), id.end(), '-'), id.end());
  if (!ident::is_allowed_name(name) || !ident::is_allowed_id(id)) return std::nullopt;
  ident::StorePath path{name, id, is_sym ? ident::sym_file_name(name) : name};
  if (!ident::is_allowed_name(path.file)) return std::nullopt;
  return path;
}

Answer keep_symbol_form(const Context& context, const ingest::Bringer& bringer,
                        const std::vector<Part>& parts) {
  const auto file = std::find_if(parts.begin(), parts.end(),
                                 [](const Part& part) { return part.name == "symbol_file"; });
  if (file == parts.end() || file->body.empty()) return json_error(400, "symbol_file is empty");
  const auto path = path_of_module(field(parts, "debug_file"), field(parts, "debug_identifier"),
                                   is_sym_text(file->body));
  if (!path) {
    return json_error(400,
                      "debug_file and debug_identifier must be a name and an id without "
                      "slashes, blanks or control characters");
  }
  auto pending = context->rooms.blobs.create();
  if (!pending.ok()) return upload_failed(context, tecken_dialect(), pending.error());
  if (const auto written = pending->append(file->body); !written.ok()) {
    return upload_failed(context, tecken_dialect(), written.error());
  }
  const auto receipt =
      context->rooms.ingest.keep_file(bringer, {std::move(*pending), path, path->file});
  if (!receipt.ok()) return upload_failed(context, tecken_dialect(), receipt.error());
  base::log::info("upload {}: {} by sym_upload", receipt->upload_id, path->text());
  base::JsonWriter out;
  out.begin_object().key("upload");
  write_upload(out, bringer, *receipt, path->text(), file->body.size());
  out.end_object();
  return Answer::json(200, out.take());  // sym_upload takes nothing else for success
}

}  // namespace api
