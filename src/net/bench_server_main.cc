// A server with nothing behind it, for measuring what net itself costs a request.
//   net_bench_server DIRECTORY [THREADS]     serves its files as /files/NAME, takes bodies of any
//                                            size at /upload; prints its address
// Ends when its input does.
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "base/text.h"
#include "net/server.h"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::string directory = argv[1];
  std::map<std::string, net::FileBody, std::less<>> files;
  const auto paths = base::list_files(directory);
  if (!paths.ok()) return 1;
  for (const std::string& path : *paths) {
    auto fd = std::make_shared<const base::Fd>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info{};
    if (!fd->valid() || ::fstat(fd->get(), &info) != 0) continue;
    files[std::string(base::basename_of(path))] = {fd, static_cast<std::uint64_t>(info.st_size)};
  }
  net::Route route;
  route.method = "GET";
  route.pattern = "/files/{name}";
  route.handler = [&files](net::Request& request) {
    const auto found = files.find(request.path_parameter("name"));
    if (found == files.end()) return net::Answer::text(404, "nothing is here\n");
    return net::Answer::file(found->second, "application/octet-stream", "\"e\"");
  };
  net::Router router;
  router.add(route);
  net::Route upload;
  upload.method = "POST";
  upload.pattern = "/upload";
  upload.body = net::BodyPolicy::file(std::uint64_t{64} << 30);
  upload.handler = [](net::Request& request) {
    return net::Answer::text(200, std::to_string(request.body_file->file.size()) + "\n");
  };
  router.add(upload);
  base::WorkerPool pool(1);
  net::ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.spool_directory = "/tmp";
  options.threads =
      static_cast<unsigned>(base::parse_decimal(argc > 2 ? argv[2] : "2").value_or(2));
  const auto server = net::Server::start(options, std::move(router), pool);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.error().what.c_str());
    return 1;
  }
  std::printf("%s\n", (*server)->address().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
