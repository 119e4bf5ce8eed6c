// How Tecken's own pages are answered: permissions by number, and what is wrong with a parameter or
// a method.
// Pure functions. Format: docs/protocols/upload-tecken.md
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "net/http.h"
#include "store/access.h"

namespace api {

// Tecken's, and ours for reading.
enum class Permission : std::uint8_t {
  upload_symbols,
  upload_try_symbols,
  view_all_uploads,
  manage_tokens,
  read_symbols
};
constexpr std::array<Permission, 5> kPermissions{
    Permission::upload_symbols, Permission::upload_try_symbols, Permission::view_all_uploads,
    Permission::manage_tokens, Permission::read_symbols};

int id_of(Permission permission);  // from 1 on
std::string_view codename_of(Permission permission);
std::string_view name_of(Permission permission);
store::Right right_of(Permission permission);
std::optional<Permission> find_permission(std::string_view id);

// 400 {"errors": {NAME: [WHAT]}}, as Django has it.
net::Answer bad_parameter(std::string_view name, std::string_view what);

// 405 for a GET of what only `allow` may: it would else look like the path of a file.
net::Answer wrong_method(const net::Request& request, std::string_view allow);

}  // namespace api
