// quickstart with Docker.enable and a real podman, in a store of its own, with an image of nothing
// but our program, memcached and their libraries. tests/image-in-podman has the whole one.
#include <cstdlib>

#include "base/text.h"
#include "mozilla_place.h"
#include "testing/commands.h"

namespace mozilla {
namespace {

using testing_support::free_port;
using testing_support::have_command;
using testing_support::run;

class QuickstartContainer : public Place {
 protected:
  void SetUp() override {
    if (!have_command("podman")) GTEST_SKIP() << "no podman: tools/install-deps test";
    if (!have_command("memcached")) GTEST_SKIP() << "no memcached: tools/install-deps test";
    write("symbols/a.pdb/" + std::string(kId) + "/a.sym", sym("a.pdb", "good"));
    // A store that needs nothing of the kernel; limits that a process without CAP_SYS_RESOURCE has.
    const std::string runtime = have_command("runc") ? "runtime = \"runc\"\n" : "";
    write("containers.conf",
          "[containers]\ndefault_ulimits = [\"nofile=4096:4096\", \"nproc=4000:4000\"]\n"
          "[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n" +
              runtime);
    write("storage.conf", "[storage]\ndriver = \"vfs\"\ngraphroot = \"" + path("store") +
                              "\"\nrunroot = \"" + path("run") + "\"\n");
    ::setenv("CONTAINERS_CONF", path("containers.conf").c_str(), 1);
    ::setenv("CONTAINERS_STORAGE_CONF", path("storage.conf").c_str(), 1);
    configure("");
    const base::ChildEnd made = run(image_script());
    ASSERT_EQ(made.exit_code, 0) << made.output << made.errors;
    const base::ChildEnd can = run("podman import " + path("image.tar") +
                                   " faultline-test && podman run --rm --publish 127.0.0.1::7 "
                                   "faultline-test /usr/bin/faultline --version");
    if (can.exit_code != 0) GTEST_SKIP() << "podman does not work here: " << can.errors;
    is_ready_ = true;
  }
  void TearDown() override {
    if (is_ready_) {
      if (HasFailure()) ADD_FAILURE() << run("podman logs faultline-test").errors;
      run("podman rm --force --time 0 faultline-test; podman rmi --all --force");
    }
    ::unsetenv("CONTAINERS_CONF");
    ::unsetenv("CONTAINERS_STORAGE_CONF");
  }

  // Files as they lie here, by their own names.
  std::string image_script() const {
    const std::string root = path("root");
    return "set -e; root=" + root + "; mkdir -p $root/etc $root/tmp $root/run $root/usr/bin; " +
           "cp " + testing_support::faultline_program() + " $root/usr/bin/faultline; " +
           "cp \"$(command -v memcached)\" $root/usr/bin/; "
           // Those that are loaded when first used, too.
           "lazy=$(ldconfig -p | sed -n 's/.* => //p' | "
           "grep -E '/lib(curl|brotlienc|memcached)\\.so\\.[0-9]+$'); "
           "{ echo \"$lazy\"; ldd $root/usr/bin/* $lazy | grep -o '/[^ :]*'; } | sort -u | "
           "grep -v $root | "
           "while read -r file; do mkdir -p \"$root$(dirname $file)\"; cp -L $file $root$file; "
           "done; echo 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh' >$root/etc/passwd; "
           "tar -C $root -cf " +
           path("image.tar") + " .";
  }
  void configure(const std::string& docker) {
    write("config.json",
          R"j({"DiskCache": {"cachePath": ")j" + path("cache") + R"j(", "port": )j" +
              std::to_string(disk_cache_) + R"j(, "symbolURLs": [], "localSymbolDirs": [")j" +
              path("symbols") + R"j("]}, "SymServer": {"port": )j" + std::to_string(sym_server_) +
              R"j(, "memcachedServers": [], "DiskCacheServer": "127.0.0.1:)j" +
              std::to_string(disk_cache_) +
              R"j("}, "quickstart": {"Docker": {"enable": true, "engine": "podman", )j" +
              R"j("image": "faultline-test", "container": "faultline-test")j" + docker + "}}}");
  }
  int quickstart(const std::string& words) {
    const base::ChildEnd end = run(testing_support::faultline_program() + " quickstart -c " +
                                   path("config.json") + " " + words);
    said_ = end.output + end.errors;
    return end.exit_code;
  }
  static std::string container() {
    return run("podman container inspect --format '{{.Id}} {{.State.StartedAt}}' faultline-test")
        .output;
  }
  static std::string url(std::uint16_t port) { return "http://127.0.0.1:" + std::to_string(port); }
  bool says(const std::string& text) const { return said_.find(text) != std::string::npos; }

  std::uint16_t disk_cache_ = free_port();
  std::uint16_t sym_server_ = free_port();
  std::string said_;
  bool is_ready_ = false;
};

// One story, since each container costs seconds.
TEST_F(QuickstartContainer, StartsChangesAndStopsTheServers) {
  EXPECT_EQ(quickstart("status"), 255);
  EXPECT_TRUE(says("faultline-test: does not run")) << said_;
  EXPECT_EQ(quickstart("--stop"), 0);
  EXPECT_TRUE(says("No servers to stop")) << said_;

  ASSERT_EQ(quickstart("-v"), 0) << said_;
  EXPECT_EQ(ask(url(sym_server_), frames("a.pdb", "[0, 4096]")), known(R"j("good (in a.pdb)")j"));
  EXPECT_EQ(quickstart("status"), 0) << said_;
  for (const char* server : {"memcached: runs", "DiskCache: runs", "SymServer: runs"}) {
    EXPECT_TRUE(says(server)) << said_;
  }
  const std::string first = container();
  ASSERT_EQ(quickstart(""), 0) << said_;
  EXPECT_TRUE(says("is already running")) << said_;
  EXPECT_EQ(container(), first);

  ASSERT_EQ(quickstart("restart"), 0) << said_;
  const std::string again = container();
  EXPECT_NE(again, first);
  EXPECT_EQ(again.substr(0, 64), first.substr(0, 64)) << "it is the same container";
  EXPECT_EQ(quickstart("wait"), 0) << said_;

  configure(R"j(, "publish": {"DiskCache": true})j");
  ASSERT_EQ(quickstart(""), 0) << said_;
  EXPECT_NE(container().substr(0, 64), first.substr(0, 64)) << "its configuration is another";
  EXPECT_EQ(ask(url(disk_cache_), frames("a.pdb", "[0, 4096]")), known(R"j("good (in a.pdb)")j"));
  ASSERT_EQ(quickstart("--stop"), 0) << said_;
  EXPECT_EQ(quickstart("status"), 255);
}

TEST_F(QuickstartContainer, LeavesOthersContainersAloneAndSaysWhatIsMissing) {
  ASSERT_EQ(run("podman create --name faultline-test faultline-test /usr/bin/faultline").exit_code,
            0);
  EXPECT_EQ(quickstart(""), 255);
  EXPECT_TRUE(says("was not made by quickstart")) << said_;
  configure(R"j(, "image": "no-such-image", "container": "other")j");
  EXPECT_EQ(quickstart(""), 255);
  EXPECT_TRUE(says("podman has no image no-such-image: tools/make-image makes it")) << said_;
  configure(R"j(, "engine": "no-such-engine")j");
  EXPECT_EQ(quickstart(""), 255);
  EXPECT_TRUE(says("no-such-engine is not there")) << said_;
}

}  // namespace
}  // namespace mozilla
