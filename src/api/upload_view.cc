#include "api/upload_view.h"

#include "base/text.h"

namespace api {

using net::Answer;
using net::Request;

std::variant<UploadView, Answer> view_of(const Context& context, const Request& request) {
  const auto& gate = context->rooms.gate;
  const auto project = path_project(request);
  const Admission all = gate.admit(request, store::Right::view_uploads, project);
  UploadView view;
  if (const auto* who = std::get_if<Who>(&all)) {
    view.sees_all = true;
    const std::string shown = token_of(request);  // TOKEN[-label]
    const auto token = context->rooms.access.find_token(shown.substr(0, shown.find('-')));
    if (project || (token && token->project != store::kEveryProject)) {
      view.filter.project = who->project.name;
    }
    return view;
  }
  const Admission own = gate.admit_upload(request, project);
  if (const auto* refusal = std::get_if<Denial>(&own)) return tecken_dialect().refusal(*refusal);
  const Who& who = std::get<Who>(own);
  if (project) view.filter.project = who.project.name;
  if (who.token != 0) view.filter.token = who.token;
  view.sees_all = who.token == 0;
  return view;
}

bool may_see(const UploadView& view, const store::Upload& upload) {
  return (!view.filter.project || *view.filter.project == upload.project) &&
         (!view.filter.token || *view.filter.token == upload.token);
}

std::variant<store::UploadRecord, Answer> load_upload(const Context& context,
                                                      const Request& request) {
  auto view = view_of(context, request);
  if (auto* refused = std::get_if<Answer>(&view)) return std::move(*refused);
  const auto id = base::parse_decimal(request.path_parameter("id"));
  if (!id || *id > INT64_MAX) return json_error(404, "there is no such upload");
  auto record = context->rooms.uploads.load(static_cast<std::int64_t>(*id));
  if (!record.ok()) return upload_failed(context, tecken_dialect(), record.error());
  if (!may_see(std::get<UploadView>(view), record->upload)) {
    return json_error(404, "there is no upload " + std::to_string(*id));
  }
  return *std::move(record);
}

}  // namespace api
