#include "server/container_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "base/file.h"

namespace server {
namespace {

using testing::HasSubstr;
using Docker = MozillaConfig::Quickstart::Docker;

// Programs in podman's and docker's place, and nothing else on the PATH but the shell's own.
class Engines : public testing::Test {
 protected:
  void SetUp() override {
    const char* path = std::getenv("PATH");
    path_ = path == nullptr ? "" : path;
    ::setenv("PATH", root_.path().c_str(), 1);
  }
  void TearDown() override { ::setenv("PATH", path_.c_str(), 1); }

  // What it does with its words, after --version and version, which it answers as `words`.
  void put(const std::string& name, const std::string& words, const std::string& script,
           const std::string& version = "exit 0") {
    const std::string path = root_.path() + "/" + name;
    const std::string text = "#!/bin/sh\necho \"$*\" >>" + root_.path() + "/asked\ncase $1 in\n" +
                             "  --version) echo '" + words + "'; exit 0 ;;\n  version) " + version +
                             " ;;\nesac\n" + script + "\n";
    ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(text)).ok());
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  }
  std::string asked() const { return base::read_file(root_.path() + "/asked").value_or(""); }
  static constexpr const char* kNothing = "echo \"Error: no such $1\" >&2; exit 125";

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("engines").value();
  std::string path_;
};

TEST_F(Engines, WithoutOneItSaysSo) {
  const auto engine = ContainerEngine::find({});
  ASSERT_FALSE(engine.ok());
  EXPECT_THAT(engine.error().what, HasSubstr("neither podman nor docker is there"));
}

TEST_F(Engines, OneThatDoesNotAnswerIsNone) {
  put("docker", "Docker version 28", kNothing, "echo 'Is the daemon running?' >&2; exit 1");
  const auto engine = ContainerEngine::find({});
  ASSERT_FALSE(engine.ok());
  EXPECT_EQ(engine.error().what, "docker does not answer: Is the daemon running?");
  put("podman", "podman version 4.3.1", kNothing);
  EXPECT_STREQ(ContainerEngine::find({})->name(), "podman");
}

TEST_F(Engines, OfTwoItIsTheOneThatHasTheContainerOrElseTheImage) {
  put("podman", "podman version 4.3.1", kNothing);
  put("docker", "Docker version 28", "[ $1 = image ] && echo sha256:1 && exit 0; exit 1");
  EXPECT_STREQ(ContainerEngine::find({})->name(), "docker");
  put("podman", "podman version 4.3.1", "[ $1 = container ] && echo 2 true 3 && exit 0; exit 1");
  EXPECT_STREQ(ContainerEngine::find({})->name(), "podman");
}

TEST_F(Engines, PodmanMayBeCalledDocker) {
  put("docker", "podman version 4.3.1", "exit 0");
  Docker wanted;
  wanted.engine = "docker";
  wanted.api_socket = "unix://run/podman.sock";
  EXPECT_EQ(ContainerEngine::find(wanted)->kind(), EngineKind::podman);
  EXPECT_THAT(asked(), HasSubstr("--url unix:///run/podman.sock version"));
}

TEST_F(Engines, TheUsualSocketIsTheEnginesOwn) {
  put("docker", "Docker version 28", kNothing);
  ASSERT_TRUE(ContainerEngine::find({}).ok());
  EXPECT_THAT(asked(), testing::Not(HasSubstr("--host")));
  EXPECT_EQ(socket_url("unix:///a"), "unix:///a");
  EXPECT_EQ(socket_url("tcp://host:1"), "tcp://host:1");
}

TEST_F(Engines, WhatIsNotThereIsToldFromWhatFails) {
  put("podman", "podman version 4.3.1", kNothing);
  const auto engine = ContainerEngine::find({});
  ASSERT_TRUE(engine.ok());
  EXPECT_FALSE(engine->find_container("snappy")->has_value());
  put("podman", "podman version 4.3.1", "echo 'Error: no space left' >&2; exit 125");
  EXPECT_EQ(engine->find_container("snappy").error().what, "podman container: no space left");
  EXPECT_EQ(engine->image_id("faultline").error().fault, base::Fault::unavailable);
  put("podman", "podman version 4.3.1", "echo 'Error: faultline: image not known' >&2; exit 125");
  EXPECT_EQ(engine->image_id("faultline").error().what,
            "podman has no image faultline: tools/make-image makes it");
}

TEST_F(Engines, AContainerIsAsItWasInspected) {
  put("podman", "podman version 4.3.1", "echo 0123456789abcdef false '<no value>'");
  const auto engine = ContainerEngine::find({});
  ASSERT_TRUE(engine.ok());
  const auto stranger = engine->find_container("snappy");
  ASSERT_TRUE(stranger.ok() && stranger->has_value());
  EXPECT_EQ((*stranger)->short_id(), "0123456789ab");
  EXPECT_FALSE((*stranger)->runs);
  EXPECT_EQ((*stranger)->fingerprint, "");
  put("podman", "podman version 4.3.1", "echo 0123456789abcdef true feed");
  const auto ours = engine->find_container("snappy");
  ASSERT_TRUE(ours.ok() && ours->has_value());
  EXPECT_TRUE((*ours)->runs);
  EXPECT_EQ((*ours)->fingerprint, "feed");
  EXPECT_TRUE(engine->stop(**ours).ok());
  EXPECT_THAT(asked(), HasSubstr("stop -t 10 0123456789abcdef\n"));
}

}  // namespace
}  // namespace server
