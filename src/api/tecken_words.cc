#include "api/tecken_words.h"

#include "api/upload_common.h"
#include "base/json.h"
#include "base/text.h"

namespace api {

using store::Right;

namespace {

struct Row {
  std::string_view codename, name;
  Right right;
};
constexpr std::array<Row, kPermissions.size()> kRows{
    {{"upload.upload_symbols", "Upload symbols", Right::upload},
     {"upload.upload_try_symbols", "Upload try symbols", Right::upload_try},
     {"upload.view_all_uploads", "View all uploads", Right::view_uploads},
     {"tokens.manage_tokens", "Manage tokens", Right::admin},
     {"download.read_symbols", "Read symbols", Right::read}}};

const Row& row_of(Permission permission) { return kRows.at(static_cast<std::size_t>(permission)); }

}  // namespace

int id_of(Permission permission) { return static_cast<int>(permission) + 1; }
std::string_view codename_of(Permission permission) { return row_of(permission).codename; }
std::string_view name_of(Permission permission) { return row_of(permission).name; }
Right right_of(Permission permission) { return row_of(permission).right; }

std::optional<Permission> find_permission(std::string_view id) {
  const auto number = base::parse_decimal(base::trim(id));
  if (!number || *number < 1 || *number > kPermissions.size()) return std::nullopt;
  return kPermissions.at(static_cast<std::size_t>(*number) - 1);
}

net::Answer bad_parameter(std::string_view name, std::string_view what) {
  base::JsonWriter out;
  out.begin_object().key("errors").begin_object();
  out.key(name).begin_array().string(what).end_array().end_object().end_object();
  return net::Answer::json(400, out.take());
}

net::Answer wrong_method(const net::Request& request, std::string_view allow) {
  net::Answer answer = json_error(405, "Method Not Allowed (" + request.method_text +
                                           "): " + base::to_valid_utf8(request.path));
  answer.headers.set("Allow", allow);
  return answer;
}

}  // namespace api
