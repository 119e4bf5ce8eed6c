// A page in a Chromium without a window that stays open while a test goes on: its script is asked,
// and keys come to it as from a keyboard, through the browser's own handling of them. DevTools
// messages go through a socket.
// Not for what a page looks like when its script has run: browser.h does that.
// Whatever takes over a minute fails the test. Killed by the destructor. One thread.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "browser.h"

namespace clients {

struct Key {
  const char* name;
  int code;
  const char* text;  // that it types; "": none
};
constexpr Key kTab{"Tab", 9, ""};
constexpr Key kEnter{"Enter", 13, "\r"};

class BrowserPage {
 public:
  BrowserPage(const std::string& program, const std::string& url) {
    start(program);
    base::JsonWriter page;
    page.begin_object().key("url").string("about:blank").end_object();
    const base::JsonValue made = call("Target.createTarget", page.text());
    base::JsonWriter target;
    target.begin_object().key("targetId").string(made["targetId"].text_or(""));
    target.key("flatten").boolean(true).end_object();
    session_ = call("Target.attachToTarget", target.text())["sessionId"].text_or("");
    call("Emulation.setFocusEmulationEnabled", R"({"enabled":true})");
    base::JsonWriter place;
    place.begin_object().key("url").string(url).end_object();
    call("Page.navigate", place.text());
    EXPECT_TRUE(comes_true("document.readyState == 'complete' && location.href != 'about:blank'"));
  }
  BrowserPage(const BrowserPage&) = delete;
  BrowserPage& operator=(const BrowserPage&) = delete;
  ~BrowserPage() {
    if (child_ < 0) return;
    ::kill(-child_, SIGKILL);  // its own children, too
    ::waitpid(child_, nullptr, 0);
  }

  // What the page's script makes of it, as text.
  std::string evaluate(const std::string& expression) {
    base::JsonWriter asked;
    asked.begin_object().key("expression").string("String(" + expression + ")");
    asked.key("returnByValue").boolean(true).end_object();
    // Without a value when another page comes at that moment.
    const base::JsonValue answer = ask("Runtime.evaluate", asked.text());
    return std::string(answer["result"]["result"]["value"].text_or(""));
  }
  bool comes_true(const std::string& expression) {
    const auto until = Clock::now() + std::chrono::seconds(60);
    while (evaluate(expression) != "true") {
      if (Clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return true;
  }
  // Down and up again.
  void press(const Key& key) {
    for (const char* const type : {*key.text != '\0' ? "keyDown" : "rawKeyDown", "keyUp"}) {
      base::JsonWriter event;
      event.begin_object().key("type").string(type);
      event.key("key").string(key.name).key("code").string(key.name);
      event.key("windowsVirtualKeyCode").integer(key.code);
      if (type != std::string_view("keyUp")) event.key("text").string(key.text);
      call("Input.dispatchKeyEvent", event.end_object().text());
    }
  }
  // As when the reader comes back to the page.
  void look_again() { evaluate("document.dispatchEvent(new Event('visibilitychange'))"); }

 private:
  using Clock = std::chrono::steady_clock;

  // It reads messages from its descriptor 3 and writes to 4; each ends in a zero byte.
  void start(const std::string& program) {
    std::vector<std::string> words = browser_arguments(profile_.path());
    words.emplace_back("--remote-debugging-pipe");
    words.emplace_back("--window-size=1300,900");
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    socket_ = base::Fd(ends[0]);
    const base::Fd its_low(ends[1]);
    const base::Fd its(::fcntl(its_low.get(), F_DUPFD_CLOEXEC, 5));  // neither 3 nor 4
    const base::Fd nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::setpgid(0, 0);
      for (const int fd : {0, 1, 2}) ::dup2(nowhere.get(), fd);
      ::dup2(its.get(), 3);
      ::dup2(its.get(), 4);
      ::execv(program.c_str(), argv.data());
      ::_exit(127);
    }
    ::setpgid(child_, child_);
  }

  // `parameters`: an object.
  base::JsonValue call(const std::string& method, std::string_view parameters) {
    const base::JsonValue answer = ask(method, parameters);
    EXPECT_TRUE(answer["error"].is_null()) << method << answer["error"]["message"].text_or("");
    return answer["result"];
  }
  // What the browser tells by itself is passed over.
  base::JsonValue ask(const std::string& method, std::string_view parameters) {
    base::JsonWriter message;
    message.begin_object().key("id").integer(++calls_).key("method").string(method);
    if (!session_.empty()) message.key("sessionId").string(session_);
    message.key("params").raw(parameters).end_object();
    const std::string text = message.take() + '\0';
    const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    EXPECT_EQ(sent, static_cast<ssize_t>(text.size())) << method;
    const auto until = Clock::now() + std::chrono::seconds(60);
    while (Clock::now() < until) {
      base::JsonValue said = next_message(until);
      if (said.is_null()) break;
      if (said["id"].integer_or(0) == calls_) return said;
    }
    ADD_FAILURE() << method << ": the browser does not answer";
    return {};
  }
  base::JsonValue next_message(Clock::time_point until) {
    for (;;) {
      const std::size_t end = heard_.find('\0');
      if (end != std::string::npos) {
        const auto message = base::JsonValue::parse(heard_.substr(0, end));
        heard_.erase(0, end + 1);
        return message.ok() ? *message : base::JsonValue();
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
      pollfd waiting{socket_.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return {};
      std::array<char, 65536> piece{};
      const ssize_t size = ::read(socket_.get(), piece.data(), piece.size());
      if (size <= 0) return {};
      heard_.append(piece.data(), static_cast<std::size_t>(size));
    }
  }

  base::TemporaryDirectory profile_ = base::TemporaryDirectory::create("browser").value();
  pid_t child_ = -1;
  base::Fd socket_;
  std::string session_;
  std::string heard_;  // not yet taken apart
  std::int64_t calls_ = 0;
};

}  // namespace clients
