// The proxy between us and the world, and what it may be sent for: it connects in our place, so the
// address that we connect to is its own, and says nothing about where the request ends.
// Not a proxy, nor the way through one: that is libcurl's. Names that no_proxy excepts are not told
// apart: what is asked here holds for them, too.
// Functions of their arguments, the environment and the resolver; any thread; those that resolve a
// name block as long as that takes. Nothing here fails.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace net {

// As libcurl finds it for that URL: the setting, else what the environment says for the scheme;
// "": none.
std::string find_outbound_proxy(std::string_view setting, std::string_view url);

// Whether the proxy is at that address and port. Resolves its name.
bool is_at_proxy(std::string_view proxy, std::string_view address, std::string_view port);

// Of what the URL's host is here, the first that `may` refuses; the host itself when it is spelled
// as no host should be. A name that is nothing here the proxy may know: nothing is refused.
std::optional<std::string> find_refused_address(
    std::string_view url, const std::function<bool(std::string_view address)>& may);

}  // namespace net
